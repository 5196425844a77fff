"""Arrays that describe joints: one value for a file, or one per frame or hand; never taken for what they are not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from ..clip import PoseError
from .folders import OptionNeeded
from .permutations import NONE, joint_order

DESCRIBING = {
    "valid", "visible", "visibility", "tracked", "mask", "confidence", "confidences", "score", "scores", "subject",
    "subjects", "subject_id", "hand", "handedness", "is_right", "right", "unit", "units", "order",
}  # fmt: skip


def check_read(arrays: Mapping[str, np.ndarray], read: Collection[str], where: str) -> None:
    """Refuse, with a PoseError, what describes joints and is not among the keys `read`; other keys are let be."""
    if unread := sorted(set(arrays) & DESCRIBING - set(read)):
        raise PoseError(f"{where}: key {unread[0]} is not read here, allowed are {', '.join(read)}")


def one_value(arrays: Mapping[str, np.ndarray], key: str, where: str) -> Any:
    """The one value under `key`, None where there is no such key. Raises PoseError if it holds none or several."""
    if key not in arrays:
        return None
    values = np.unique(arrays[key])
    if len(values) != 1:
        raise PoseError(f"{where}: {key} holds {len(values)} values, allowed is one for the file")
    return values[0].item()


def one_text(arrays: Mapping[str, np.ndarray], key: str, where: str) -> str:
    """The one text under `key`, "" where there is none. Raises PoseError if it holds several, or no text."""
    value = one_value(arrays, key, where)
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str | None):
        raise PoseError(f"{where}: {key} is {value!r}, allowed is a text")
    return value or ""


def per_row(value: np.ndarray, frames: int, hands: int, what: str) -> np.ndarray:
    """One value for all, per hand (H,), per frame (T,) or for each (T, H), as one per row (T * H,): frame by frame.

    Raises:
        PoseError: another shape.
    """
    value = np.asarray(value)
    if value.size == 1:
        value = value.reshape(1, 1)
    elif hands > 1 and value.shape == (hands,):
        value = value[None]
    elif value.shape == (frames,):
        value = value[:, None]
    elif value.shape != (frames, hands):
        hint = f"one, one per hand ({hands},) or" if hands > 1 else "one or"
        raise PoseError(f"{what} has shape {value.shape}, allowed is {hint} one per frame ({frames},)")
    return np.broadcast_to(value, (frames, hands)).ravel()


def per_joint(value: np.ndarray, frames: int, hands: int, order: str, what: str) -> np.ndarray:
    """Per frame or per joint as (T * H, 21) in our order.

    Joints are those of our order, or of the file's where it has another number of them.

    Raises:
        PoseError: another shape.
    """
    value, count = np.asarray(value), joint_order(order).count
    joint_axis = bool(value.shape) and value.shape[-1] in (21, count) and value.shape != (frames,)
    if value.size < 2 or (value.ndim == 1 and not joint_axis) or (value.shape == (frames, hands) and hands > 1):
        return np.repeat(per_row(value, frames, hands, what)[:, None], 21, axis=1)
    joints = value.shape[-1]
    fits = value.shape in ((joints,), (frames, hands, joints)) or (value.shape == (frames, joints) and hands == 1)
    if not joint_axis or not fits:
        whole = (frames, hands, 21) if hands > 1 else (frames, 21)
        raise PoseError(f"{what} has shape {value.shape}, allowed is one per frame ({frames},) or per joint {whole}")
    rows = np.broadcast_to(value.reshape(-1, joints), (frames * hands, joints))
    if joints == 21:
        return rows
    indices = np.array(joint_order(order).indices)
    return np.where(indices == NONE, 1, rows[:, np.maximum(indices, 0)])


def as_valid(value: np.ndarray, threshold: float | None, what: str) -> np.ndarray:
    """(...) bool: truth values as they are; of confidences (...), those that reach `threshold` (NaN does not).

    Raises:
        OptionNeeded: values other than 0 and 1, and no threshold.
        PoseError: no numbers.
    """
    value = np.asarray(value)
    if value.dtype.kind not in "biuf":
        raise PoseError(f"{what} is {value.dtype}, allowed are true and false, or confidences")
    if threshold is not None:
        return value >= threshold
    odd = value[(value != 0) & (value != 1)]
    if len(odd):
        raise OptionNeeded(
            f"{what} holds {odd[0]:g}, allowed are true and false (1 and 0); of confidences say from which on a joint"
            " counts, as in threshold=0.5"
        )
    return value.astype(bool)


def annotated(
    arrays: Mapping[str, np.ndarray], points: np.ndarray, order: str, threshold: float | None, where: str
) -> np.ndarray:
    """Which joints of points (T, H, K, 3) are finite, and `valid` and sure enough where the file says so: (T * H, 21).

    Raises:
        OptionNeeded, PoseError: from `as_valid` and `per_joint`.
    """
    finite = np.isfinite(points).all(-1).reshape(-1, points.shape[2])
    valid = per_joint(finite, len(finite), 1, order, "joints")
    for key in ("valid", "confidence"):
        if key in arrays:
            given = as_valid(arrays[key], threshold, f"{where}: {key}")
            valid = valid & per_joint(given, *points.shape[:2], order, f"{where}: {key}").astype(bool)
    return valid


def texts(arrays: Mapping[str, np.ndarray], key: str, default: str, frames: int, hands: int, where: str) -> np.ndarray:
    """Text, or whole numbers as such, under `key` per row (T * H,), `default` where the file has no such key.

    Raises:
        PoseError: another shape, or what is neither.
    """
    value = np.asarray(arrays.get(key, default))
    return per_row(as_names(value, f"{where}: {key}"), frames, hands, f"{where}: {key}").astype(str)


def as_names(value: np.ndarray, what: str) -> np.ndarray:
    """Texts and whole numbers (...) as such: bytes decoded, floats that are whole as int64.

    Raises:
        PoseError: anything else, such as the NaN of a table's empty cell.
    """
    if value.dtype.kind == "S":
        return np.char.decode(value, "utf-8", "replace")
    if value.dtype.kind not in "Uiuf":
        raise PoseError(f"{what} is {value.dtype}, allowed are texts and whole numbers")
    if value.dtype.kind != "f":
        return value
    odd = value[~(np.abs(value) < 2.0**53) | (value != np.round(value))]
    if odd.size:
        raise PoseError(f"{what} holds {odd[0]:g}, allowed are texts and whole numbers")
    return value.astype(np.int64)


def counts(ids: np.ndarray) -> np.ndarray:
    """Count (T,) of each frame in time, one apart for frames that follow each other, from what frames are called (T,).

    Numbers that mostly have the same distance count frames: where another distance is, frames are missing. Others,
    such as times, and names, tell nothing but that the rows are in order.
    """
    known, place = np.unique(ids, return_inverse=True)
    steps = np.diff(known) if known.dtype.kind in "iu" else np.zeros(0, int)
    sizes, times = np.unique(steps, return_counts=True)
    if not len(steps) or times.max() < len(steps) / 2:
        return np.arange(len(ids))
    usual = sizes[times.argmax()]
    return np.concatenate([[0], np.cumsum(np.where(steps == usual, 1, 2))])[place]
