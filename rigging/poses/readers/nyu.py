"""Reader of NYU Hand Pose (Tompson, Stein, LeCun & Perlin, ACM TOG 2014).

`joint_data.mat` holds `joint_xyz` (3 cameras, N, 36, 3) in millimetres, x right, y UP, z forward: a left-handed
frame, made right-handed by negating y. All three cameras see the same rigid hand. All hands are right hands.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import scipy.io

from ...files import file_sha256
from ...npz import DAMAGED
from ..clip import PoseClip, PoseError, load_arrays
from ..rejects import Reject
from .nyu_complete import complete
from .nyu_rig import PALM_SIDES_MM, REFERENCE_SCALE, SUBSET_14, anatomical_joints, palm_sides, rig_scale

SCALES_ALLOWED = (30.0, 90.0)  # millimetres per rig unit: hands of 13 to 39 cm of rig, people have 48 to 58
PALM_SHAPE_TOLERANCE = 0.1
NEW_SUBJECT = 0.1  # relative change of scale that means another person
COMPLETION_ERROR_MM = 8.0  # a 14-point frame further than this from the rig is rejected
LICENCE = "NYU Hand Pose: academic use, terms unclear"


@dataclass(frozen=True)
class NyuSource:
    """A `joint_data.mat` (or .npz with `joint_xyz`), or a folder with it, {train,test}/ or dataset/{train,test}/.

    `joint_xyz` may be (3, N, 36, 3), (N, 36, 3), or the same with the 14 points of the usual evaluation subset, which
    are completed with the rig as prior. Frame ids are row numbers from 0 (the images count from 1). A person is told
    from another by the scale of the rig.

    Raises:
        PoseError, FileNotFoundError: from `clips`, naming the file.
    """

    path: Path
    views: tuple[int, ...] = (0,)  # the same hand in other cameras' frames: other global orientations
    tip: Literal["skin", "centre"] = "skin"  # on the skin, or the centre of the tip's sphere
    rejects: list[Reject] = field(default_factory=list, init=False)

    def clips(self) -> Iterator[PoseClip]:
        """Clips of consecutive frames, view by view."""
        self.rejects.clear()
        for file in _find(Path(self.path)):
            yield from self._file_clips(file)

    def _file_clips(self, file: Path) -> Iterator[PoseClip]:
        points = _load(file)
        for view in self.views:
            if not 0 <= view < len(points):
                raise PoseError(f"{file}: view {view} does not exist, allowed are 0 to {len(points) - 1}")
        digest, stem = file_sha256(file), file.parent.name if file.name == "joint_data.mat" else file.stem
        for view in self.views:
            yield from self._view_clips(points[view], f"{stem}/view{view}", digest, stem)

    def _view_clips(self, points: np.ndarray, name: str, digest: str, stem: str) -> Iterator[PoseClip]:
        frames = np.flatnonzero(self._usable(points, name))
        points = points[frames]
        joints = self._joints(points, frames, name)
        frames, points, joints = (a[np.isfinite(joints[:, 0, 0])] for a in (frames, points, joints))
        subject = subjects_by_scale(rig_scale(_palm(points)))
        cuts = np.flatnonzero((np.diff(frames) != 1) | (np.diff(subject) != 0)) + 1
        for rows in np.split(np.arange(len(frames)), cuts):
            if not len(rows):
                continue
            yield PoseClip(
                joints=joints[rows] * 1e-3,
                name=f"{name}/{frames[rows[0]]:07d}",
                subject=f"{stem}_{subject[rows[0]] + 1}",
                source="nyu",
                licence=LICENCE,
                frame_ids=tuple(frames[rows].tolist()),
                tip_def="skin" if self.tip == "skin" else "pulp_centre",
                wrist_def="nyu_root",
                extra={f"nyu{points.shape[1]}": (points[rows] * 1e-3).astype(np.float32)},
                sha256=digest,
            )

    def _usable(self, points: np.ndarray, name: str) -> np.ndarray:
        """Frames (N,) whose points are all finite and not all zero; the others are rejected as missing."""
        usable = np.isfinite(points).all((1, 2)) & (points != 0).any((1, 2))
        self._reject(name, np.flatnonzero(~usable), "missing", ["not finite or all zero"] * int((~usable).sum()))
        return usable

    def _joints(self, points: np.ndarray, frames: np.ndarray, name: str) -> np.ndarray:
        """Canonical joints (N, 21, 3) in mm; frames that the rig cannot explain are rejected and NaN."""
        if points.shape[1] == 36:
            return anatomical_joints(points, self.tip)
        joints, error = complete(points, self.tip)
        bad = error > COMPLETION_ERROR_MM
        joints[bad] = np.nan
        self._reject(name, frames[bad], "completion", [f"{e:.1f} mm from the rig" for e in error[bad]])
        return joints

    def _reject(self, name: str, frames: np.ndarray, reason: str, details: list[str]) -> None:
        self.rejects.extend(Reject("nyu", name, int(f), reason, d) for f, d in zip(frames, details))


def subjects_by_scale(scale: np.ndarray) -> np.ndarray:
    """Person (N,) of each frame, counted from 0: a new one where the scale leaves that of all before by 10 %."""
    people: list[float] = []
    result = np.zeros(len(scale), dtype=np.int64)
    left = np.ones(len(scale), dtype=bool)
    while left.any():
        people.append(float(scale[np.argmax(left)]))
        same = left & (np.abs(scale / people[-1] - 1) < NEW_SUBJECT)
        result[same], left = len(people) - 1, left & ~same
    return result


def _find(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    folders = [path, *(path / top / split for top in ("", "dataset") for split in ("train", "test"))]
    files = [folder / "joint_data.mat" for folder in folders if (folder / "joint_data.mat").is_file()]
    if not files:
        raise FileNotFoundError(f"{path}: no joint_data.mat here, nor in train/, test/, dataset/train/, dataset/test/")
    return files


def _load(file: Path) -> np.ndarray:
    """Points (views, N, 36 or 14, 3) in mm, right-handed (y negated)."""
    arrays = load_arrays(file) if file.suffix == ".npz" else _load_mat(file)
    if "joint_xyz" not in arrays:
        got = ", ".join(arrays if file.suffix == ".npz" else (name for name, *_ in scipy.io.whosmat(file))) or "nothing"
        raise PoseError(f"{file}: no joint_xyz in it but {got}")
    points = arrays["joint_xyz"]
    shape = points.shape
    points = points[None] if points.ndim == 3 else points
    if points.ndim != 4 or points.shape[2] not in (36, 14) or points.shape[3] != 3 or points.dtype.kind not in "fiu":
        raise PoseError(
            f"{file}: joint_xyz is {points.dtype} {shape}, allowed are numbers of shape (3, N, 36, 3), "
            "(N, 36, 3), (3, N, 14, 3) or (N, 14, 3)"
        )
    if not points.shape[1]:
        raise PoseError(f"{file}: joint_xyz has no frames")
    points = points.astype(np.float64) * (1, -1, 1)
    _check_unit(points[0], file)
    return points


def _check_unit(points: np.ndarray, file: Path) -> None:
    """PALM_1..3 must form the rig's triangle at the size of a hand, in millimetres."""
    palm = _palm(points[np.isfinite(points).all((1, 2)) & (points != 0).any((1, 2))])
    if not len(palm):
        return  # every frame is rejected as missing
    sides = np.median(palm_sides(palm), axis=0)
    scale = REFERENCE_SCALE * sides.sum() / sum(PALM_SIDES_MM)
    low, high = SCALES_ALLOWED
    if not low <= scale <= high:
        hint = ", it looks like metres" if low <= scale * 1e3 <= high else ""
        raise PoseError(f"{file}: PALM_1 to PALM_3 measures {sides[1]:.4g}{hint}; allowed are 42 to 126 (millimetres)")
    if np.abs(sides / scale * REFERENCE_SCALE / PALM_SIDES_MM - 1).max() > PALM_SHAPE_TOLERANCE:
        order = " ".join(map(str, SUBSET_14 if points.shape[1] == 14 else range(36)))
        raise PoseError(f"{file}: PALM_1..3 do not form the rig's triangle; allowed is the order of points {order}")


def _palm(points: np.ndarray) -> np.ndarray:
    """PALM_1..3 (N, 3, 3) of 36 or 14 points (N, K, 3)."""
    return points[:, 30:33] if points.shape[1] == 36 else points[:, -3:]


def _load_mat(file: Path) -> dict[str, np.ndarray]:
    try:
        _check_whole(file)
        return scipy.io.loadmat(file, variable_names=["joint_xyz"])
    except FileNotFoundError:
        raise FileNotFoundError(f"{file}: no such file") from None
    except NotImplementedError:
        raise PoseError(f"{file}: a MATLAB 7.3 (HDF5) file, allowed is version 7 or older: save(..., '-v7')") from None
    except OSError as error:
        if error.errno:
            raise PoseError(f"{file}: cannot be read ({error.strerror})") from None
        raise PoseError(f"{file}: not a whole MATLAB file ({error})") from None
    except (*DAMAGED, AssertionError, scipy.io.matlab.MatReadError) as error:
        raise PoseError(f"{file}: not a whole MATLAB file ({error})") from None


def _check_whole(file: Path) -> None:
    """A version 5 to 7 file is a header of 128 bytes and elements that state their size; they must fill it."""
    size = file.stat().st_size
    with open(file, "rb") as data:
        header = data.read(128)
        order = {b"IM": "<", b"MI": ">"}.get(header[126:128])
        if order is None or header[124:126] in (b"\x00\x02", b"\x02\x00"):
            return  # version 4 or 7.3: scipy's to judge
        end = 128
        while end < size:
            data.seek(end)
            tag = data.read(8)
            end += 8 + (struct.unpack(f"{order}II", tag)[1] if len(tag) == 8 else 0)
    if end != size:
        raise PoseError(f"it has {size} bytes and should have {end}")
