"""MHP, the Large-scale Multiview 3D Hand Pose Dataset (Gomez-Donoso et al., 2017), from the user's own folder.

annotated_frames/data_1/0_webcam_1.jpg ... 0_webcam_4.jpg    640 x 480, distorted
annotated_frames/data_1/0_joints.txt                         21 lines `NAME x y z` mm, and the palm's normal
calibrations/data_1/webcam_1/rvec.pkl, tvec.pkl              world to camera, pickled by Python 2; mm

21 sequences. Intrinsics, distortion and the projection are those of the authors' script.
"""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from rigging.errors import InputError
from rigging.poses.readers.permutations import to_canonical
from rigging.poses.readers.units import checked_unit_scale

from .files import read_points, read_vector
from .real import HALF, JUDGED, Frame, Hand, Layout, RealSource, WristFrom, check_folder, shows_left

SEQUENCES = tuple(range(1, 22))
VALIDATION = (1, 2)
CAMERAS = (1, 2, 3, 4)
K = np.array([[614.878, 0, 313.219], [0, 615.479, 231.288], [0, 0, 1]])
DISTORTION = np.array([0.092701, -0.175877, -0.0035687, -0.00302299, 0])  # k1, k2, p1, p2, k3
# F4 is the index finger, F1 the little one; KNU1_B is the MCP, KNU1_A the PIP, KNU2_A the DIP and KNU3_A the tip.
POINTS = ("KNU1_A", "KNU1_B", "KNU2_A", "KNU3_A")
NAMES = (*(f"{finger}_{point}" for finger in ("F4", "F3", "F1", "F2", "TH") for point in POINTS), "PALM_POSITION")


class MhpSource(RealSource):
    """Four views of every frame whose joints and four pictures are there; `skipped` counts the others.

    `split` is "train", "val" (the sequences `validation`) or "" for all. Pictures are freed of the lens's distortion,
    so that K alone says where a joint is seen. See RealSource for the rest. Raises FileNotFoundError; InputError for a
    folder of another layout, damaged files, and a split without samples.
    """

    def __init__(
        self,
        root: Path | str,
        split: str = "",
        wrist_from: WristFrom = "ring",
        hand: Hand = "auto",
        validation: tuple[int, ...] = VALIDATION,
    ) -> None:
        root = Path(root)
        check_folder(root, ("annotated_frames", "calibrations"), "MHP")
        self.wrist_from = wrist_from
        numbers = [n for n in SEQUENCES if (root / "annotated_frames" / f"data_{n}").is_dir()]
        if not numbers:
            raise InputError(f"{root}: no annotated_frames/data_1 to data_{SEQUENCES[-1]}")
        self._folders = [root / "annotated_frames" / f"data_{n}" for n in numbers]
        found = [_frames(folder) for folder in self._folders]
        self._names, self.skipped = [names for names, _ in found], sum(skipped for _, skipped in found)
        if not any(self._names):
            raise InputError(f"{root}: no frame has its joints and {len(CAMERAS)} pictures")
        self._left = [self._judge(sequence, hand) for sequence in range(len(numbers))]
        names, counts = tuple(f.name for f in self._folders), tuple(map(len, self._names))
        splits = tuple("val" if n in validation else "train" for n in numbers)
        self._poses = np.array([[_read_pose(root, name, camera) for camera in CAMERAS] for name in names])
        super().__init__(root, Layout("MHP", names, counts, splits, len(CAMERAS)), split)
        self._map = _straightening(self.image_size)

    def _judge(self, sequence: int, hand: Hand) -> bool:
        """Whether a sequence shows a left hand."""
        count = len(self._names[sequence]) if hand == "auto" else 0
        places = range(0, count, max(count // JUDGED, 1))
        joints = [self._joints(sequence, place) for place in places]
        return shows_left(np.array(joints).reshape(-1, 21, 3), hand)

    def _joints(self, sequence: int, place: int) -> np.ndarray:
        """(21, 3) m in the world."""
        path = self._folders[sequence] / f"{self._names[sequence][place]}_joints.txt"
        joints = to_canonical("mhp", read_points(path, NAMES), self.wrist_from)
        if not np.isfinite(joints).all():
            raise InputError(f"{path}: a joint is not finite")
        return joints * checked_unit_scale(joints[None], "mm", str(path))

    def _frame(self, sequence: int, place: int) -> Frame:
        stem = self._folders[sequence] / self._names[sequence][place]
        pictures = tuple(stem.with_name(f"{stem.name}_webcam_{camera}.jpg") for camera in CAMERAS)
        cameras = np.repeat(K[None] + HALF, len(CAMERAS), 0), self._poses[sequence]
        return Frame(pictures, self._joints(sequence, place), self._left[sequence], *cameras)

    def _straightened(self, picture: np.ndarray) -> np.ndarray:
        return cv2.remap(picture, *self._map, cv2.INTER_LINEAR)


def _frames(folder: Path) -> tuple[list[str], int]:
    """Numbers, as text and in their order, of frames that are whole, and how many are not."""
    files = {path.name for path in folder.iterdir()}
    numbers = [match[1] for name in files if (match := re.fullmatch(r"(\d+)_joints\.txt", name))]
    whole = [n for n in numbers if all(f"{n}_webcam_{camera}.jpg" in files for camera in CAMERAS)]
    return sorted(whole, key=int), len(numbers) - len(whole)


def _read_pose(root: Path, sequence: str, camera: int) -> np.ndarray:
    """world_to_cam (4, 4) m."""
    folder = root / "calibrations" / sequence / f"webcam_{camera}"
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_rotvec(read_vector(folder / "rvec.pkl")).as_matrix()
    pose[:3, 3] = read_vector(folder / "tvec.pkl") / 1000
    return pose


def _straightening(size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel of a picture (H, W) without distortion comes from: x and y (H, W)."""
    return cv2.initUndistortRectifyMap(K, DISTORTION, None, K, (size[1], size[0]), cv2.CV_32FC1)
