"""Arrays that describe joints: one value for a file, or one per frame or hand; never taken for what they are not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..clip import PoseError
from .folders import OptionNeeded
from .permutations import NONE, joint_order


def one_value(arrays: Mapping[str, np.ndarray], key: str, where: str) -> Any:
    """The one value under `key`, None where there is none. Raises PoseError if it holds several."""
    values = np.unique(arrays[key]) if key in arrays else np.zeros(0)
    if len(values) > 1:
        raise PoseError(f"{where}: {key} holds {len(values)} values, allowed is one for the file")
    return values[0].item() if len(values) else None


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
    if not value.size or value.shape[-1] not in (21, count) or (value.ndim == 1 and len(value) == frames > 1):
        return np.repeat(per_row(value, frames, hands, what)[:, None], 21, axis=1)
    joints = value.shape[-1]
    if value.shape not in ((joints,), (frames, joints), (frames, hands, joints)) or (value.ndim == 2 and hands > 1):
        raise PoseError(f"{what} has shape {value.shape}, allowed is one per frame or {(frames, 21)}")
    rows = np.broadcast_to(value.reshape(-1, joints), (frames * hands, joints))
    if joints == 21:
        return rows
    indices = np.array(joint_order(order).indices)
    return np.where(indices == NONE, 1, rows[:, np.maximum(indices, 0)])


def as_valid(value: np.ndarray, threshold: float | None, what: str) -> np.ndarray:
    """Truth values as they are; of confidences, those that reach `threshold` (NaN does not).

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


def texts(arrays: Mapping[str, np.ndarray], key: str, default: str, frames: int, hands: int, where: str) -> np.ndarray:
    """Text under `key` per row (T * H,), `default` where the file has no such key."""
    value = np.asarray(arrays.get(key, default))
    if value.dtype.kind == "S":
        value = np.char.decode(value, "utf-8", "replace")
    return per_row(value, frames, hands, f"{where}: {key}").astype(str)
