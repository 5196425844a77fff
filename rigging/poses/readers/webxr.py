"""Reader of WebXR hand tracking: 25 joint poses per frame, right-handed metres with y up, from .npz or .json.

npz: `mat` (25, 4, 4) or (T, 25, 4, 4) joint-to-world matrices (position in the last column), optional `radius`
(25,) or (T, 25), `names` (25,), `handedness`, `fps`.
json: {"handedness", "fps", "frames": [{"time", "joints": {NAME: {"position": [3], "radius"}}}]}, NAME as in the WebXR
Hand Input specification.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ...files import file_sha256
from ..clip import PoseClip, PoseError, load_arrays
from ..rejects import Reject
from .files import numbers, read_json
from .mirror import mirror_points
from .permutations import to_canonical
from .units import unit_scale

_FINGER = ("metacarpal", "phalanx-proximal", "phalanx-intermediate", "phalanx-distal", "tip")
WEBXR_NAMES = (
    "wrist",
    *(f"thumb-{part}" for part in ("metacarpal", "phalanx-proximal", "phalanx-distal", "tip")),
    *(f"{finger}-finger-{part}" for finger in ("index", "middle", "ring", "pinky") for part in _FINGER),
)


@dataclass(frozen=True)
class WebxrSource:
    """A file, or all .npz and .json files of a folder in order of name, one clip each.

    Raises:
        PoseError, FileNotFoundError: from `clips`, naming the file.
    """

    path: Path
    hand: Literal["file", "right", "left"] = "file"  # "file": as the file says; needed where it does not
    licence: str = "unknown"
    rejects: list[Reject] = field(default_factory=list, init=False)

    def clips(self) -> Iterator[PoseClip]:
        """One clip per file; extra holds the 25 joints (T, 25, 3) and their radii (T, 25), mirrored if it was left."""
        path = Path(self.path)
        files = sorted(p for p in path.iterdir() if p.suffix in (".npz", ".json")) if path.is_dir() else [path]
        if not files:
            raise FileNotFoundError(f"{path}: no .npz or .json in this folder")
        for file in files:
            yield self._clip(file)

    def _clip(self, file: Path) -> PoseClip:
        points, radius, fields = _read_npz(file) if file.suffix == ".npz" else _read_json(file)
        hand = str(fields.get("handedness", "")) if self.hand == "file" else self.hand
        if hand not in ("right", "left"):
            raise PoseError(f"{file}: handedness is {hand or 'not in the file'}, allowed are right, left (option hand)")
        points = points * unit_scale(to_canonical("webxr25", points), "m", str(file))
        points = mirror_points(points) if hand == "left" else points
        return PoseClip(
            joints=to_canonical("webxr25", points),
            name=file.stem,
            subject="webxr",
            source="webxr",
            licence=self.licence,
            mirrored=hand == "left",
            fps=float(fields["fps"]) if "fps" in fields else None,
            up=(0.0, 1.0, 0.0),
            extra={"webxr25": points.astype(np.float32), "radius": radius.astype(np.float32)},
            sha256=file_sha256(file),
        )


def _read_npz(file: Path) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    arrays = load_arrays(file)
    if "mat" not in arrays:
        raise PoseError(f"{file}: no mat in it but {', '.join(sorted(arrays)) or 'nothing'}")
    if "names" in arrays and tuple(str(n) for n in arrays["names"]) != WEBXR_NAMES:
        raise PoseError(f"{file}: names are not the 25 WebXR joints in their order")
    matrices = arrays["mat"][None] if arrays["mat"].ndim == 3 else arrays["mat"]
    matrices = numbers(matrices, (-1, 25, 4, 4), f"{file} mat")
    radius = np.broadcast_to(arrays.get("radius", np.nan), matrices.shape[:2])
    return matrices[..., :3, 3], radius, {k: arrays[k].item() for k in ("fps", "handedness") if k in arrays}


def _read_json(file: Path) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    data = read_json(file)
    frames = data.get("frames") if isinstance(data, dict) else None
    if not isinstance(frames, list) or not frames:
        raise PoseError(f"{file}: no frames in it")
    points, radius = [], []
    for number, frame in enumerate(frames):
        joints = frame.get("joints", {}) if isinstance(frame, dict) else {}
        missing = [name for name in WEBXR_NAMES if "position" not in joints.get(name, {})]
        if missing:
            raise PoseError(f"{file}: frame {number} has no position of {missing[0]}")
        points.append([joints[name]["position"] for name in WEBXR_NAMES])
        radius.append([joints[name].get("radius", np.nan) for name in WEBXR_NAMES])
    where = f"{file} positions"
    return numbers(points, (-1, 25, 3), where), numbers(radius, (-1, 25), f"{file} radii"), data
