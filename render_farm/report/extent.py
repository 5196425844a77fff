"""How large the release in a folder is: as its plan says, which is not made here, or before that its release file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from dataset_tools.store.layout import ReleaseFolder

from ..errors import InputError
from ..planning.configuration import difference
from ..planning.plan import load_plan
from ..planning.planned_release import planned_release
from ..planning.release import Release


@dataclass(frozen=True)
class Problem:
    """Something in the folder that needs a look; `file` is relative to the folder."""

    file: str
    what: str


def read_extent(folder: Path, release: Release | None, poses: str | None) -> tuple[Release | None, list[Problem]]:
    """The release as it was planned in `folder`; before there is a plan, `release` itself, with the poses `poses`.

    A plan that is damaged, not of `release` or of the pose source `poses`, or short of poses is a problem.
    """
    path = ReleaseFolder(folder).plan
    given = release and release.with_poses(poses)
    if not path.exists():
        return given, []
    try:
        plan = load_plan(path)
        planned = planned_release(plan.release, path)
    except InputError as error:
        return given, [Problem(path.name, str(error).removeprefix(f"{path}: "))]
    problems = []
    if plan.samples < planned.samples:
        problems.append(f"has poses for the first {plan.samples:,} of {planned.samples:,} samples only")
    if given and not poses:  # as the plan has them, from the command line or the release file
        given = replace(given, poses=replace(given.poses, source=planned.poses.source, options=planned.poses.options))
    if changed := difference(planned.to_json(), (given or planned.with_poses(poses or None)).to_json()):
        problems.append(f"not of this release ({changed})")
    return planned, [Problem(path.name, problem) for problem in problems]
