"""STB, the Stereo Hand Pose Tracking Benchmark (Zhang et al., ICIP 2017), from the user's own folder.

images/B1Counting/SK_color_0.png ...        640 x 480; BB_left_0.png and BB_right_0.png of the stereo camera
labels/B1Counting_SK.mat, ..._BB.mat        handPara (3, 21, n) mm, palm's centre first

Twelve sequences: B1 to B6, Counting and Random. Cameras and label order are those of the data set's README.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from scipy.spatial.transform import Rotation

from rigging.errors import InputError
from rigging.poses.readers.permutations import to_canonical
from rigging.poses.readers.units import checked_unit_scale

from .files import read_mat
from .real import HALF, Frame, Hand, Layout, RealSource, WristFrom, check_folder, shows_left

SEQUENCES = tuple(f"B{number}{kind}" for number in range(1, 7) for kind in ("Counting", "Random"))
VALIDATION = ("B1Counting", "B1Random")  # 3,000 frames, as Zimmermann & Brox and Ge et al. count; 15,000 train
SK_COLOUR = np.array([[607.92271, 0, 314.78337], [0, 607.88192, 236.42484], [0, 0, 1]])
SK_TURN, SK_SHIFT = (
    np.array([0.00531, -0.01196, 0.00301]),
    np.array([-24.0381, -0.4563, -1.2326]),
)  # colour to depth, mm
BB = np.array([[822.79041, 0, 318.47345], [0, 822.79041, 250.31296], [0, 0, 1]])
BB_BASELINE = 120.054  # mm
PICTURES = {"sk": ("SK_color_{}.png",), "bb": ("BB_left_{}.png", "BB_right_{}.png")}


class StbSource(RealSource):
    """STB's colour camera ("sk", one view: MVHM's choice) or its stereo pair ("bb", two views).

    `split` is "train", "val" (the sequences `validation`) or "" for all. The world's axes are those of the colour
    camera, or of the left one. Sequences whose labels are not there are left out. See RealSource for the rest. Raises
    FileNotFoundError; InputError for a folder of another layout, damaged files, and a split without samples.
    """

    def __init__(
        self,
        root: Path | str,
        split: str = "",
        camera: Literal["sk", "bb"] = "sk",
        wrist_from: WristFrom = "ring",
        hand: Hand = "auto",
        validation: tuple[str, ...] = VALIDATION,
    ) -> None:
        root = Path(root)
        check_folder(root, ("images", "labels"), "STB")
        if camera not in PICTURES:
            raise InputError(f"camera {camera!r}: 'sk' or 'bb' is wanted")
        self.camera = camera
        paths = {name: root / "labels" / f"{name}_{camera.upper()}.mat" for name in SEQUENCES}
        sequences = tuple(name for name in SEQUENCES if paths[name].is_file())
        if not sequences:
            raise InputError(f"{root}: no labels/*_{camera.upper()}.mat of {SEQUENCES[0]} to {SEQUENCES[-1]}")
        self._joints = [_read_labels(paths[name], camera, wrist_from) for name in sequences]
        self.left = shows_left(np.concatenate(self._joints), hand)
        counts = tuple(len(joints) for joints in self._joints)
        splits = tuple("val" if name in validation else "train" for name in sequences)
        self._cameras = _cameras(camera)
        super().__init__(root, Layout(f"STB, {camera}", sequences, counts, splits, len(PICTURES[camera])), split)

    def _frame(self, sequence: int, place: int) -> Frame:
        folder = self.root / "images" / self.layout.sequences[sequence]
        pictures = tuple(folder / pattern.format(place) for pattern in PICTURES[self.camera])
        return Frame(pictures, self._joints[sequence][place], self.left, *self._cameras)


def _cameras(camera: str) -> tuple[np.ndarray, np.ndarray]:
    """K (V, 3, 3) px, the first pixel's centre at (0.5, 0.5), and world_to_cam (V, 4, 4) m."""
    if camera == "sk":
        return SK_COLOUR[None] + HALF, np.eye(4)[None]
    right = np.eye(4)
    right[0, 3] = -BB_BASELINE / 1000
    return np.stack([BB, BB]) + HALF, np.stack([np.eye(4), right])


def _read_labels(path: Path, camera: str, wrist_from: WristFrom) -> np.ndarray:
    """Joints (n, 21, 3) m of a sequence, in the axes of the camera whose pictures are read.

    Labels called SK are in the depth camera's axes: x_depth = R x_colour + T.
    """
    given = np.asarray(read_mat(path, "handPara"), float)
    if given.ndim != 3 or given.shape[:2] != (3, 21) or not given.shape[2]:
        raise InputError(f"{path}: handPara has the shape {given.shape}, (3, 21, frames) is wanted")
    points = given.transpose(2, 1, 0)
    if camera == "sk":
        points = (points - SK_SHIFT) @ Rotation.from_rotvec(SK_TURN).as_matrix()  # rows: R^T (x - T)
    joints = to_canonical("stb", points, wrist_from)
    if not np.isfinite(joints).all():
        raise InputError(
            f"{path}: frame {int(np.flatnonzero(~np.isfinite(joints).all((1, 2)))[0])} has no finite joints"
        )
    return joints * checked_unit_scale(joints, "mm", str(path))
