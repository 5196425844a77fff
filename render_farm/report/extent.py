"""How large the release in a folder is: from its plan, without planning, else from the release file."""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dataset_tools.store.layout import ReleaseFolder

from ..planning.configuration import difference
from ..planning.release import Release, without_path

UNREADABLE = (OSError, ValueError, TypeError, KeyError, AttributeError, EOFError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class Problem:
    """Something in the folder that needs a look; `file` is relative to the folder."""

    file: str
    what: str


@dataclass(frozen=True)
class Extent:
    """Numbers of a release; None is not known."""

    samples: int | None = None
    shard_size: int | None = None
    views: int | None = None
    poses: str = ""  # their source
    problems: tuple[Problem, ...] = ()

    @property
    def shards(self) -> int | None:
        """Number of shards; the last may be shorter."""
        return -(-self.samples // self.shard_size) if self.samples and self.shard_size else None

    def samples_of(self, shard: int) -> int | None:
        """Number of samples of `shard`; None also for one that the release does not have."""
        if self.shards is None or not 0 <= shard < self.shards:
            return None
        return min(self.shard_size, self.samples - shard * self.shard_size)


def read_extent(folder: Path, release: Release | None, poses: str | None = None) -> Extent:
    """What the plan in `folder` says; before there is one, what `release` does, if it is known.

    A damaged plan, or one that is not of `release` or of the pose source `poses`, is a problem in the answer.
    """
    path, problems = ReleaseFolder(folder).plan, ()
    if path.exists():
        try:
            return _planned(path, release, poses)
        except UNREADABLE as error:
            problems = (Problem(path.name, f"not a whole plan ({error}): remove it to plan again"),)
    if release is None:
        return Extent(problems=problems)
    source = poses or release.poses.source
    return Extent(release.samples, release.shard_size, release.cameras.views, source, problems)


def _planned(path: Path, release: Release | None, poses: str | None) -> Extent:
    with np.load(path, allow_pickle=False) as data:
        text, pairs = str(data["release"]), data["wrist"].shape[:2]
    told = json.loads(text)
    source = str(told["poses"]["source"])
    problems = []
    usable, wanted = pairs[0] * pairs[1], int(told["samples"])
    if usable < wanted:
        what = f"has poses for the first {usable:,} of {wanted:,} samples: shards that need more cannot be rendered"
        problems.append(Problem(path.name, what))
    if poses and without_path(poses) != without_path(source):
        problems.append(Problem(path.name, f"made with the poses {source}, not {poses}"))
    if release is not None and (changed := difference(_without_poses(text), _without_poses(release.to_json()))):
        problems.append(Problem(path.name, f"not of this release file ({changed})"))
    return Extent(wanted, int(told["shard_size"]), int(told["cameras"]["views"]), source, tuple(problems))


def _without_poses(text: str) -> str:
    """The settings without the pose source, which may have been given on the command line."""
    values: dict[str, Any] = json.loads(text)
    return json.dumps(values | {"poses": {"candidates": values["poses"]["candidates"]}})
