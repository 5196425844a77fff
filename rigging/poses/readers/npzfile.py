"""Poses from .npz and .npy files: our own clips, or plain arrays from anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from ...files import file_sha256
from ..clip import PoseClip, PoseError, clip_from_arrays, load_arrays
from ..rejects import Reject
from .columns import annotated, as_names, counts, one_text, one_value, texts
from .fields import rate, side
from .folders import find_files, person_of, read_each
from .orders import check_order
from .permutations import JOINT_ORDERS, joint_order
from .recordings import Origin, Recorded, clips_of

PLAIN_KEYS = (
    "joints", "valid", "confidence", "fps", "order", "unit", "hand", "subject", "licence", "frame_ids", "tip_def",
    "wrist_def", "up",
)  # fmt: skip
SUFFIXES = (".npz", ".npy")
ALONE = ("", "arr_0")  # what an array without a name is called, in an .npy and by numpy.savez
OTHERS = {"mat": "webxr", "joint_3d": "dexycb", "pred_keypoints_3d": "hamer"}  # keys by which files of others are known


@dataclass(frozen=True)
class NpzSource:
    """A file, or all .npz and .npy files of a folder in order of name.

    A file that `save_clip` wrote is taken as it is. Of a plain file, `joints` (K, 3), (T, K, 3) or, for H hands,
    (T, H, K, 3) is required, which an .npy holds alone; the other PLAIN_KEYS are optional. What an option says goes
    before the key of the same name.

    Raises:
        FileNotFoundError, PoseError: from `clips`, naming the file.
    """

    path: Path
    order: str = "file"  # "file": as its key says, else "canonical"
    unit: Literal["file", "auto", "m", "cm", "mm"] = "file"  # "file": as its key says, else "auto"
    hand: Literal["file", "right", "left"] = "file"  # "file": as its key says, else "right"
    fps: float | None = None
    wrist_from: Literal["ring", "middle"] = "ring"  # for orders with a palm centre, see to_canonical
    threshold: float | None = None  # from which confidence on a joint is valid
    subject: str = "file"  # where a file does not say: "file" (another person each), "folder", or a name for all
    licence: str = "unknown"  # where a file does not say
    sequences: tuple[str, ...] = ()  # names or patterns of the files to read
    rejects: list[Reject] = field(default_factory=list, init=False)

    def clips(self) -> Iterator[PoseClip]:
        """One clip per person, hand and uninterrupted run of frames."""
        self.rejects.clear()
        yield from read_each("npz", find_files(self.path, SUFFIXES, self.sequences), self._read, self.rejects)

    def _read(self, name: str, file: Path) -> list[PoseClip]:
        arrays = load_arrays(file)
        if "format" in arrays:
            return [clip_from_arrays(arrays, file)]
        alone = next((arrays[key] for key in ALONE if set(arrays) == {key}), None)
        return self._plain(arrays if alone is None else {"joints": alone}, name, file)

    def _plain(self, arrays: Mapping[str, np.ndarray], name: str, file: Path) -> list[PoseClip]:
        _check_keys(arrays, file)
        said = {key: one_text(arrays, key, str(file)) for key in _TEXTS}
        fps = one_value(arrays, "fps", str(file))
        order = said["order"] or "canonical" if self.order == "file" else self.order
        table = joint_order(order, f"{file}: " if self.order == "file" else "")
        points = _points(arrays["joints"], order, file)
        ids = _frame_ids(arrays, len(points), file)
        counted = counts(ids)
        origin = Origin(
            file,
            name,
            "npz",
            file_sha256(file),
            order,
            said["unit"] or "auto" if self.unit == "file" else self.unit,
            licence=said["licence"] or self.licence,
            fps=self.fps if fps is None else rate(fps, str(file)),
            up=_up(arrays, file),
            frame_ids=dict(zip(counted.tolist(), ids.tolist())),
            wrist_from=self.wrist_from if table.wrist_def == "palm_centre" else None,
            tip_def=said["tip_def"] or None,
            wrist_def=said["wrist_def"] or None,
        )
        recorded = self._recorded(arrays, points, counted, order, name, file)
        check_order(recorded.points, order, str(file))
        return clips_of(recorded, origin)

    def _sides(self, words: np.ndarray, file: Path) -> np.ndarray:
        """Right or left for each row, of what the file says, or as the option has it."""
        sides = np.array([_side(word, file) for word in words])
        if self.hand == "file":
            return sides
        if len(set(sides)) > 1:
            raise PoseError(f"{file}: both hands are in it, so the option hand={self.hand} is not for this file")
        return np.full(len(sides), self.hand)

    def _recorded(
        self, arrays: Mapping[str, np.ndarray], points: np.ndarray, counted: np.ndarray, order: str, name: str,
        file: Path,
    ) -> Recorded:  # fmt: skip
        """One row per frame and hand of points (T, H, K, 3); of several hands, those that a frame shows."""
        frames, hands, count = points.shape[:3]
        default = "right" if self.hand == "file" else self.hand
        words = texts(arrays, "hand", default, frames, hands, str(file))
        recorded = Recorded(
            points.reshape(-1, count, 3),
            np.repeat(counted, hands),
            self._sides(words, file),
            texts(arrays, "subject", person_of(name, self.subject), frames, hands, str(file)),
            np.tile(np.arange(hands), frames),
            annotated(arrays, points, order, self.threshold, str(file)),
        )
        shown = np.isfinite(recorded.points).all(-1).any(-1) & (recorded.points != 0).any((-2, -1))
        absent = ~shown & np.repeat(shown.reshape(frames, hands).any(1), hands)
        nobody = ~np.repeat(shown.reshape(frames, hands).any(1), hands) & (recorded.track > 0)
        return recorded.rows(~(absent | nobody)) if hands > 1 else recorded


_TEXTS = ("order", "unit", "licence", "tip_def", "wrist_def")


def _check_keys(arrays: Mapping[str, np.ndarray], file: Path) -> None:
    unknown = sorted(set(arrays) - set(PLAIN_KEYS))
    if unknown or "joints" not in arrays:
        got = f"unknown key {unknown[0]}" if unknown else "no key joints"
        source = next((f"; it looks like {source}:PATH" for key, source in OTHERS.items() if key in arrays), "")
        raise PoseError(f"{file}: {got}, allowed are {', '.join(PLAIN_KEYS)}{source}")


def _side(word: str, file: Path) -> str:
    if not side(word):
        raise PoseError(f"{file}: hand is {word!r}, allowed are right, left")
    return side(word)


def _points(joints: np.ndarray, order: str, file: Path) -> np.ndarray:
    """(T, H, K, 3) float64 in the file's unit."""
    count, shape = joint_order(order).count, joints.shape
    shaped = len(shape) in (2, 3, 4) and shape[-2:] == (count, 3)
    if not (shaped and joints.size and joints.dtype.kind in "fiu"):
        raise PoseError(
            f"{file}: joints are {joints.dtype} {shape}, allowed for order {order} are "
            f"numbers of shape (T, {count}, 3){'' if shaped else _hint(shape, count)}"
        )
    frames = 1 if joints.ndim == 2 else shape[0]
    return joints.astype(np.float64).reshape(frames, -1, count, 3)


def _hint(shape: tuple[int, ...], count: int) -> str:
    """What another shape of joints may be, as the end of a message."""
    known = [name for name, table in JOINT_ORDERS.items() if shape[-2:] == (table.count, 3)]
    if shape[-2:] == (3, count):
        return ": rows and columns are swapped"
    if shape[-2:] == (2 * count, 3):
        return f": two hands? They go as (T, 2, {count}, 3)"
    if shape[-2:] == (count, 4):
        return ": x, y, z alone; a fourth number that is a confidence goes under the key confidence"
    return f": order {' or '.join(known)}?" if known else ""


def _up(arrays: Mapping[str, np.ndarray], file: Path) -> tuple[float, float, float] | None:
    if "up" not in arrays:
        return None
    up = arrays["up"]
    if up.shape != (3,) or up.dtype.kind not in "fiu":
        raise PoseError(f"{file}: up has shape {up.shape}, allowed is (3,) for the whole file")
    return tuple(up.tolist())


def _frame_ids(arrays: Mapping[str, np.ndarray], frames: int, file: Path) -> np.ndarray:
    """(T,) numbers or names, those of the rows where the file has none."""
    ids = np.atleast_1d(arrays.get("frame_ids", np.arange(frames)))
    if ids.shape != (frames,):
        raise PoseError(f"{file}: frame_ids has shape {ids.shape}, allowed is ({frames},)")
    return as_names(ids, f"{file}: frame_ids")
