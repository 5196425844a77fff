"""Poses from .npz files: our own clips, or plain arrays from anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from ...files import file_sha256
from ..clip import PoseClip, PoseError, clip_from_arrays, load_arrays
from ..rejects import Reject
from .mirror import mirror_points, mirror_up
from .permutations import joint_order, to_canonical
from .units import unit_scale

PLAIN_KEYS = (
    "joints", "valid", "fps", "order", "unit", "hand", "subject", "licence", "frame_ids", "tip_def", "wrist_def",
    "up",
)  # fmt: skip


@dataclass(frozen=True)
class NpzSource:
    """A file, or all *.npz of a folder in order of name, one clip each.

    A file that `save_clip` wrote is taken as it is. Of a plain file, `joints` (T, K, 3) or (K, 3) is required
    and the other PLAIN_KEYS are optional; the options here stand in for the keys of the same name.

    Raises:
        FileNotFoundError, PoseError: from `clips`, naming the file.
    """

    path: Path
    order: str = "canonical"
    unit: Literal["auto", "m", "mm"] = "auto"
    hand: Literal["right", "left"] = "right"
    fps: float | None = None
    wrist_from: Literal["ring", "middle"] = "ring"  # for orders with a palm centre, see to_canonical
    rejects: list[Reject] = field(default_factory=list, init=False)

    def clips(self) -> Iterator[PoseClip]:
        """One clip per file."""
        path = Path(self.path)
        files = sorted(path.glob("*.npz")) if path.is_dir() else [path]
        if not files:
            raise FileNotFoundError(f"{path}: no *.npz in this folder")
        for file in files:
            arrays = load_arrays(file)
            yield clip_from_arrays(arrays, file) if "format" in arrays else self._plain(arrays, file)

    def _plain(self, arrays: Mapping[str, np.ndarray], file: Path) -> PoseClip:
        unknown = sorted(set(arrays) - set(PLAIN_KEYS))
        if unknown or "joints" not in arrays:
            got = f"unknown key {unknown[0]}" if unknown else "no key joints"
            raise PoseError(f"{file}: {got}, allowed are {', '.join(PLAIN_KEYS)}")
        text = {name: str(arrays[name]) for name in ("order", "unit", "hand") if name in arrays}
        order, hand = text.get("order", self.order), text.get("hand", self.hand)
        if hand not in ("right", "left"):
            raise PoseError(f"{file}: hand is {hand!r}, allowed are right, left")
        table = joint_order(order)
        extrapolated = table.wrist_def == "palm_centre"
        joints, valid = _joints(arrays, order, file, self.wrist_from if extrapolated else None)
        joints = joints * unit_scale(joints, text.get("unit", self.unit), str(file))
        up = tuple(arrays["up"].tolist()) if "up" in arrays else None
        return PoseClip(
            joints=mirror_points(joints) if hand == "left" else joints,
            valid=valid,
            name=file.stem,
            subject=str(arrays.get("subject", file.stem)),
            source="npz",
            licence=str(arrays.get("licence", "unknown")),
            mirrored=hand == "left",
            fps=float(arrays["fps"]) if "fps" in arrays else self.fps,
            frame_ids=tuple(arrays["frame_ids"].tolist()) if "frame_ids" in arrays else (),
            tip_def=str(arrays.get("tip_def", table.tip_def)),
            wrist_def=str(arrays.get("wrist_def", "extrapolated" if extrapolated else table.wrist_def)),
            up=mirror_up(up) if hand == "left" else up,
            sha256=file_sha256(file),
        )


def _joints(
    arrays: Mapping[str, np.ndarray], order: str, file: Path, wrist_from: Literal["ring", "middle"] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Canonical joints (T, 21, 3) in the file's unit and validity (T, 21)."""
    count = joint_order(order).count
    joints = arrays["joints"]
    joints = joints[None] if joints.ndim == 2 else joints
    if joints.ndim != 3 or joints.shape[1:] != (count, 3) or not len(joints) or joints.dtype.kind not in "fiu":
        raise PoseError(
            f"{file}: joints are {joints.dtype} {arrays['joints'].shape}, allowed for order {order} are "
            f"numbers of shape (T, {count}, 3)"
        )
    joints = to_canonical(order, joints.astype(np.float64), wrist_from)
    valid = np.isfinite(joints).all(-1)
    if "valid" in arrays:
        given = np.atleast_2d(arrays["valid"]).astype(bool)
        if given.shape != (len(joints), 21):
            raise PoseError(f"{file}: valid has shape {given.shape}, allowed is {(len(joints), 21)} in our order")
        valid &= given
    return joints, valid
