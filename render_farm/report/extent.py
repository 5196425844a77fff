"""How large the release in a folder is: as its plan says, which is not made here, or before that its release file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from dataset_tools.store.layout import ReleaseFolder

from ..errors import InputError
from ..planning.configuration import difference
from ..planning.plan import load_plan
from ..planning.planned_release import planned_release
from ..planning.release import Release, without_path


@dataclass(frozen=True)
class Problem:
    """Something in the folder that needs a look; `file` is relative to the folder."""

    file: str
    what: str


def read_extent(folder: Path, release: Release | None, poses: str | None) -> tuple[Release | None, list[Problem]]:
    """The release as it was planned in `folder`; before there is a plan, `release` itself.

    A plan that is damaged, not of `release` or of the pose source `poses`, or short of poses is a problem.
    """
    path, problems = ReleaseFolder(folder).plan, []
    given = release.with_poses(poses) if release is not None else None
    if not path.exists():
        return given, problems
    try:
        plan = load_plan(path)
        planned = planned_release(plan.release, path)
    except InputError as error:
        return given, [Problem(path.name, str(error).removeprefix(f"{path}: "))]
    source = planned.poses.source
    if plan.samples < planned.samples:
        short = f"has poses for the first {plan.samples:,} of {planned.samples:,} samples"
        problems.append(Problem(path.name, f"{short}: shards that need more cannot be rendered"))
    if poses and without_path(poses) != without_path(source):
        problems.append(Problem(path.name, f"made with the poses {source}, not {poses}"))
    if release is not None and (changed := difference(plan.release, _with_poses_of(planned, release).to_json())):
        problems.append(Problem(path.name, f"not of this release file ({changed})"))
    return planned, problems


def _with_poses_of(planned: Release, release: Release) -> Release:
    """The release with the pose source of `planned`, which may have been given on the command line."""
    poses = replace(release.poses, source=planned.poses.source, options=planned.poses.options)
    return replace(release, poses=poses)
