"""What the adapters share: frames of a user's own files as samples, with labels and pictures as a release has them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from dataset_tools.format.schema import SAMPLE_FIELDS
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
HALF = np.array([[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]])  # px: calibrated cameras count from the first pixel's centre


@dataclass(frozen=True)
class Frame:
    """A moment seen by V cameras, as the files have it but for units, order and the first pixel's centre."""

    pictures: tuple[Path, ...]  # V
    joints_world: np.ndarray  # (21, 3) m, in our order, the wrist first; NaN without a label
    left: bool  # whether it shows a left hand
    K: np.ndarray  # (V, 3, 3) px, the first pixel's centre at (0.5, 0.5)
    world_to_cam: np.ndarray  # (V, 4, 4) m
    more: Arrays = field(default_factory=dict)  # other fields of the schema, each with the axis of views


@dataclass(frozen=True)
class Layout:
    """What a folder holds: its sequences, and how many cameras see each moment."""

    kind: str  # the data set's name
    sequences: tuple[str, ...]
    counts: tuple[int, ...]  # frames of each
    splits: tuple[str, ...]  # of each: "train" or "val"
    views: int = 1
    subjects: np.ndarray | None = None  # (frames,) int64, whom or what frames share; None: their sequence


class RealSource(ABC):
    """A `Source` (see baselines.data) of right hands: left ones are mirrored, pictures, cameras and labels together.

    Where the data set does not say who is seen, `subjects` numbers the sequences, which is what can be resampled.
    """

    def __init__(self, root: Path, layout: Layout, split: str, more: Iterable[str] = ()) -> None:
        self.name, self.root, self.layout = f"{root} ({layout.kind})", root, layout
        self.fields = FIELDS.union(more)
        self._sequence = np.repeat(np.arange(len(layout.sequences)), layout.counts)
        self._place = np.concatenate([np.arange(count) for count in layout.counts])
        splits = np.array(layout.splits)[self._sequence]
        self._rows = chosen_rows(splits, split, self.name)
        self.samples, self.views, self.numbers = len(self._rows), layout.views, self._rows
        subjects = self._sequence if layout.subjects is None else layout.subjects
        self.splits, self.subjects = splits[self._rows], subjects[self._rows]
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
        """See `baselines.data.source.Source`: the arrays that `fields` names, of those views."""
        sequence, place = self._where(sample)
        frame, chosen = self._frame(sequence, place), list(range(self.views) if views is None else views)
        K, world_to_cam = frame.K[chosen], frame.world_to_cam[chosen]
        arrays = {
            "rgb": np.stack([self._straightened(self._picture(frame.pictures[view])) for view in chosen]),
            "joints_cam": to_camera(frame.joints_world, world_to_cam).astype(np.float32),
            "joints_2d": project(frame.joints_world, K, world_to_cam).astype(np.float32),
            "K": K,
            "world_to_cam": world_to_cam,
        }
        arrays |= {name: value[chosen] for name, value in frame.more.items()}
        return mirrored(arrays) if frame.left else arrays

    def _picture(self, path: Path) -> np.ndarray:
        picture = read_picture(path)
        if picture.shape[:2] != tuple(self.image_size):
            got, wanted = (f"{w} x {h}" for h, w in (picture.shape[:2], self.image_size))
            raise InputError(f"{path}: {got} px, but the other pictures have {wanted}")
        return picture


def mirrored(arrays: Arrays) -> Arrays:
    """A sample with the axis of views as its other hand, see `dataset_tools.load.transforms.mirror`."""
    known = mirror({name: value for name, value in arrays.items() if name in SAMPLE_FIELDS})
    if "hand_box" in arrays:
        width = known["rgb"].shape[2]
        x0, y0, x1, y1 = np.moveaxis(arrays["hand_box"], -1, 0)
        known["hand_box"] = np.stack([width - x1, y0, width - x0, y1], -1)
    return arrays | known


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


def check_any_folder(root: Path, parts: Sequence[str], kind: str) -> tuple[str, ...]:
    """The folders among `parts` of a data set that are there. Raises FileNotFoundError; InputError where none is."""
    if not root.is_dir():
        raise FileNotFoundError(f"{root}: no such folder; the one that holds {kind}'s {' and '.join(parts)} is wanted")
    there = tuple(part for part in parts if (root / part).is_dir())
    if not there:
        raise InputError(f"{root}: neither {' nor '.join(parts)} in it; the folder of {kind} holds them")
    return there
