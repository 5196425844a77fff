"""Writes samples of ours as STB and MHP are published: pictures through their cameras, labels in their terms.

Cameras stay where they are, so a change of intrinsics is a map of pixels and every label stays exact. Written from the
data sets' own documents, apart from the readers: other formulas, and OpenCV's.
"""

from __future__ import annotations

import pickle
from pathlib import Path

import cv2
import numpy as np
from scipy.io import savemat

from dataset_tools.load.transforms import mirror

WIDTH, HEIGHT = 640, 480
SK = np.array([[607.92271, 0, 314.78337], [0, 607.88192, 236.42484], [0, 0, 1]])
BB = np.array([[822.79041, 0, 318.47345], [0, 822.79041, 250.31296], [0, 0, 1]])
WEBCAM = np.array([[614.878, 0, 313.219], [0, 615.479, 231.288], [0, 0, 1]])
LENS = np.array([0.092701, -0.175877, -0.0035687, -0.00302299, 0])
# Points as their order is published, by ours: 0 is the wrist, of which they have the palm's centre instead.
STB_ORDER = [0, 17, 18, 19, 20, 13, 14, 15, 16, 9, 10, 11, 12, 5, 6, 7, 8, 1, 2, 3, 4]
MHP_LINES = {
    "F4_KNU1_A": 6, "F4_KNU1_B": 5, "F4_KNU2_A": 7, "F4_KNU3_A": 8,
    "F3_KNU1_A": 10, "F3_KNU1_B": 9, "F3_KNU2_A": 11, "F3_KNU3_A": 12,
    "F1_KNU1_A": 18, "F1_KNU1_B": 17, "F1_KNU2_A": 19, "F1_KNU3_A": 20,
    "F2_KNU1_A": 14, "F2_KNU1_B": 13, "F2_KNU2_A": 15, "F2_KNU3_A": 16,
    "TH_KNU1_A": 2, "TH_KNU1_B": 1, "TH_KNU2_A": 3, "TH_KNU3_A": 4, "PALM_POSITION": 0,
}  # fmt: skip


def write_stb(root: Path, sequences: dict[str, list[dict]], view: int = 0, left: bool = True) -> None:
    """Samples of right hands as STB's, which are left ones: the colour camera's picture is that of `view`."""
    for name, samples in sequences.items():
        folder = root / "images" / name
        folder.mkdir(parents=True)
        labels = {"SK": [], "BB": []}
        for number, given in enumerate(samples):
            sample = mirror(given) if left else given
            rgb, K, joints = sample["rgb"][view], sample["K"][view], sample["joints_cam"][view].astype(float)
            write_picture(folder / f"SK_color_{number}.png", retaken(rgb, K, SK))
            write_picture(folder / f"BB_left_{number}.png", retaken(rgb, K, BB))
            write_picture(folder / f"BB_right_{number}.png", np.zeros((HEIGHT, WIDTH, 3), np.uint8))
            points = 1000 * with_palm(joints)[STB_ORDER]
            turn = cv2.Rodrigues(np.array([0.00531, -0.01196, 0.00301]))[0]
            labels["SK"].append((turn @ points.T).T + [-24.0381, -0.4563, -1.2326])  # colour to depth camera
            labels["BB"].append(points)
        (root / "labels").mkdir(exist_ok=True)
        for camera, points in labels.items():
            savemat(root / "labels" / f"{name}_{camera}.mat", {"handPara": np.array(points).transpose(2, 1, 0)})


def write_mhp(root: Path, sequences: dict[int, list[dict]], left: bool = False) -> None:
    """Samples of 4 views, one ring of cameras for all of a sequence, as MHP's."""
    for number, samples in sequences.items():
        folder = root / "annotated_frames" / f"data_{number}"
        folder.mkdir(parents=True)
        for frame, given in enumerate(samples):
            sample = mirror(given) if left else given
            for camera in range(4):
                picture = retaken(sample["rgb"][camera], sample["K"][camera], WEBCAM, LENS)
                write_picture(folder / f"{10 * frame}_webcam_{camera + 1}.jpg", picture)
                write_calibration(root, number, camera + 1, sample["world_to_cam"][camera])
            points = 1000 * with_palm(sample["joints_world"].astype(float))
            lines = [f"{name} {' '.join(f'{x:.9f}' for x in points[joint])}" for name, joint in MHP_LINES.items()]
            (folder / f"{10 * frame}_joints.txt").write_text("\n".join([*lines, "PALM_NORMAL 0.0 1.0 0.0"]) + "\n")


def with_palm(joints: np.ndarray) -> np.ndarray:
    """Joints (21, 3) with the palm's centre, half way to the ring finger's MCP, for the wrist."""
    return np.concatenate([(joints[:1] + joints[13:14]) / 2, joints[1:]])


def write_calibration(root: Path, sequence: int, camera: int, world_to_cam: np.ndarray) -> None:
    """A Python 2 pickle (protocol 2) of columns, mm."""
    folder = root / "calibrations" / f"data_{sequence}" / f"webcam_{camera}"
    folder.mkdir(parents=True, exist_ok=True)
    columns = {"rvec": cv2.Rodrigues(world_to_cam[:3, :3])[0], "tvec": 1000 * world_to_cam[:3, 3:]}
    for name, column in columns.items():
        (folder / f"{name}.pkl").write_bytes(pickle.dumps(column, protocol=2))


def retaken(
    rgb: np.ndarray,
    K: np.ndarray,
    new: np.ndarray,
    lens: np.ndarray | None = None,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    border: int = 110,
) -> np.ndarray:
    """A picture taken with K (first pixel's centre at 0.5) as a camera `new` (at 0), perhaps distorting, sees it."""
    v, u = np.mgrid[: size[1], : size[0]].astype(float)
    rays = cv2.undistortPoints(np.stack([u, v], -1).reshape(-1, 1, 2), new, lens)[:, 0]
    pixels = rays * K[[0, 1], [0, 1]] + K[:2, 2] - 0.5
    maps = pixels.astype(np.float32).reshape(size[1], size[0], 2)
    return cv2.remap(rgb, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(border,) * 3)


def write_picture(path: Path, rgb: np.ndarray) -> None:
    """PNG, or a good JPEG."""
    assert cv2.imwrite(str(path), rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 97])


def dot_at(sample: dict, joint: int) -> dict:
    """The sample with, instead of its pictures, a soft white dot where a joint is seen."""
    v, u = np.mgrid[: sample["rgb"].shape[1], : sample["rgb"].shape[2]] + 0.5
    at = sample["joints_2d"][:, joint, :, None, None]
    dots = 255 * np.exp(-((u - at[:, 0]) ** 2 + (v - at[:, 1]) ** 2) / (2 * 3.0**2))
    return sample | {"rgb": np.repeat(dots[..., None], 3, -1).round().astype(np.uint8)}


def centroid(rgb: np.ndarray, near: np.ndarray, radius: int = 40) -> np.ndarray:
    """(x, y) px of the brightness within a window of a picture."""
    x, y = np.floor(near).astype(int)
    window = rgb[y - radius : y + radius, x - radius : x + radius, 0].astype(float)
    v, u = np.mgrid[y - radius : y + radius, x - radius : x + radius] + 0.5
    return np.array([(window * u).sum(), (window * v).sum()]) / window.sum()
