"""What the adapters share: frames of a user's own files as samples, with labels and pictures as a release has them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from dataset_tools.load.transforms import mirror
from rigging.errors import InputError
from rigging.geometry.projection import project, to_camera
from rigging.poses.gate.checks import chirality

from ..data.source import Arrays, chosen_rows
from .files import read_picture

Hand = Literal["auto", "left", "right"]
WristFrom = Literal["ring", "middle"]

FIELDS = frozenset({"rgb", "joints_cam", "joints_2d", "K", "world_to_cam"})
TELLING = 0.005  # m; less says nothing about which hand it is
JUDGED = 200  # frames of a sequence that say which hand it shows
HALF = np.array([[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]])  # px: published cameras count from the first pixel's centre


@dataclass(frozen=True)
class Frame:
    """A moment seen by V cameras, in the files' own terms but for units."""

    pictures: tuple[Path, ...]  # V
    joints_world: np.ndarray  # (21, 3) m, in our order, the wrist first
    left: bool  # whether it shows a left hand


@dataclass(frozen=True)
class Layout:
    """What a folder holds: its sequences, and the V cameras that all of them share."""

    kind: str  # the data set's name
    sequences: tuple[str, ...]
    counts: tuple[int, ...]  # frames of each
    splits: tuple[str, ...]  # of each: "train" or "val"
    K: np.ndarray  # (V, 3, 3) px, the first pixel's centre at (0, 0) as published
    world_to_cam: np.ndarray  # (sequences, V, 4, 4) m


class RealSource(ABC):
    """A `Source` (see baselines.data) of right hands: left ones are mirrored, pictures, cameras and labels together.

    Joint 0 is the wrist, extrapolated from the palm's centre. The data sets do not say who is seen: `subjects` numbers
    the sequences, which is what can be resampled.
    """

    def __init__(self, root: Path, layout: Layout, split: str) -> None:
        self.name, self.root, self.layout, self.fields = f"{root} ({layout.kind})", root, layout, FIELDS
        self._sequence = np.repeat(np.arange(len(layout.sequences)), layout.counts)
        self._place = np.concatenate([np.arange(count) for count in layout.counts])
        splits = np.array(layout.splits)[self._sequence]
        self._rows = chosen_rows(splits, split, self.name)
        self.samples, self.views, self.numbers = len(self._rows), len(layout.K), self._rows
        self.splits, self.subjects = splits[self._rows], self._sequence[self._rows]
        self.image_size: tuple[int, int] = read_picture(self._frame(*self._where(0)).pictures[0]).shape[:2]

    @abstractmethod
    def _frame(self, sequence: int, place: int) -> Frame:
        """The frame at `place` in a sequence."""

    def _straightened(self, picture: np.ndarray) -> np.ndarray:
        """The picture (H, W, 3) as a camera without distortion sees it."""
        return picture

    def _where(self, sample: int) -> tuple[int, int]:
        row = self._rows[sample]
        return int(self._sequence[row]), int(self._place[row])

    def label(self, sample: int) -> str:
        """Sequence and first picture of a sample, as the files name them."""
        sequence, place = self._where(sample)
        return f"{self.layout.sequences[sequence]}/{self._frame(sequence, place).pictures[0].name}"

    def read(self, sample: int, views: Sequence[int] | None = None) -> Arrays:
        """See `baselines.data.source.Source`: `rgb`, `joints_cam`, `joints_2d`, `K`, `world_to_cam` of those views."""
        sequence, place = self._where(sample)
        frame, chosen = self._frame(sequence, place), list(range(self.views) if views is None else views)
        K, world_to_cam = self.layout.K[chosen] + HALF, self.layout.world_to_cam[sequence, chosen]
        arrays = {
            "rgb": np.stack([self._straightened(self._picture(frame.pictures[view])) for view in chosen]),
            "joints_cam": to_camera(frame.joints_world, world_to_cam).astype(np.float32),
            "joints_2d": project(frame.joints_world, K, world_to_cam).astype(np.float32),
            "K": K,
            "world_to_cam": world_to_cam,
        }
        return mirror(arrays) if frame.left else arrays

    def _picture(self, path: Path) -> np.ndarray:
        picture = read_picture(path)
        if picture.shape[:2] != tuple(self.image_size):
            got, wanted = (f"{w} x {h}" for h, w in (picture.shape[:2], self.image_size))
            raise InputError(f"{path}: {got} px, but the other pictures have {wanted}")
        return picture


def shows_left(joints: np.ndarray, hand: Hand) -> bool:
    """Whether frames (n, 21, 3) m of one sequence show a left hand: as `hand` says or, for "auto", as fingers bend.

    "auto" takes the median of the evidence of up to JUDGED frames; what says nothing is taken for a right hand.
    """
    if hand not in ("auto", "left", "right"):
        raise InputError(f"hand {hand!r}: 'auto', 'left' or 'right' is wanted")
    if hand != "auto":
        return hand == "left"
    evidence = chirality(joints[:: max(len(joints) // JUDGED, 1)])
    evidence = evidence[np.abs(evidence) > TELLING]
    return bool(len(evidence) and np.median(evidence) < 0)


def check_folder(root: Path, parts: Sequence[str], kind: str) -> None:
    """Raise FileNotFoundError or InputError unless `root` has the folders `parts` of a data set."""
    if not root.is_dir():
        raise FileNotFoundError(f"{root}: no such folder; the one that holds {kind}'s {' and '.join(parts)} is wanted")
    if missing := [part for part in parts if not (root / part).is_dir()]:
        raise InputError(
            f"{root}: no {' and no '.join(missing)} in it; the folder of {kind} holds {' and '.join(parts)}"
        )
