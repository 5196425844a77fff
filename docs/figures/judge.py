"""Fit the judge's fixed joint map (`OFFSETS` of dataset_tools/judge/joint_map.py) to what the detector found, and say
what it does for subjects that it was not fitted on. The judge's plot becomes docs/images/judge.png.

Run: python -m docs.figures.judge DATA [FOLDER of what mvhm judge wrote, if it is not DATA/judge]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from dataset_tools import HandDataset
from dataset_tools.judge.joint_map import MAPPED, palm_length
from dataset_tools.judge.run import VIEWS
from dataset_tools.statistics.directions import palm_axes
from dataset_tools.store.layout import ReleaseFolder
from rigging.files import write_atomic
from rigging.geometry.projection import project, to_camera
from rigging.joints import JOINT_NAMES

OUT = Path(__file__).parents[1] / "images" / "judge.png"
ROUNDS = 50  # of reweighting; it stands still after about 20


def slopes(joint: np.ndarray, axes: np.ndarray, K: np.ndarray, world_to_cam: np.ndarray) -> np.ndarray:
    """Pixels (V, 2, 3) by which a point (3,) m of the world moves in views per metre along axes (3, 3)."""
    x, y, z = to_camera(joint[None], world_to_cam)[:, 0].T
    nothing = np.zeros_like(z)
    pinhole = np.array([[1 / z, nothing, -x / z**2], [nothing, 1 / z, -y / z**2]]).transpose(2, 0, 1)
    return K[:, :2, :2] @ pinhole @ world_to_cam[:, :3, :3] @ axes


def rows_of(data: Path, judged: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slopes (n, 6, 2, 3) and gaps (n, 6, 2) of the mapped joints, in shares of the hand's box, and subject (n,)."""
    stored = np.load(judged / VIEWS)
    dataset = HandDataset(data, fields=("joints_world", "K", "world_to_cam", "hand"))
    slope, gap, subject = [], [], []
    for i, points in enumerate(stored["points"].astype(float)):
        sample = dataset[i]
        joints, cameras = sample["joints_world"].astype(float), (sample["K"], sample["world_to_cam"])
        axes = palm_axes(joints, sample["meta"]["hand"]) * palm_length(joints)
        found = np.isfinite(points[:, 0, 0]) & (stored["box_px"][i] > 0)
        box = stored["box_px"][i][found, None, None]
        slope.append(np.stack([slopes(joints[j], axes, *cameras)[found] / box for j in MAPPED], 1))
        gap.append((points - project(joints, *cameras))[found][:, list(MAPPED)] / box)
        subject += [dataset.index["subject"][i]] * int(found.sum())
    return np.concatenate(slope), np.concatenate(gap), np.array(subject)


def least_absolute(slope: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """The offset (3,) of least sum of |gap (n, 2) - slope (n, 2, 3) offset|, by reweighted least squares."""
    offset = np.zeros(3)
    for _ in range(ROUNDS):
        weight = 1 / np.maximum(np.linalg.norm(gap - slope @ offset, axis=1), 1e-3)
        square = np.einsum("n,nij,nik->jk", weight, slope, slope)
        offset = np.linalg.solve(square, np.einsum("n,nij,ni->j", weight, slope, gap))
    return offset


def main() -> None:
    """Print the offsets of one half of the subjects, of the other, and the median errors of the other."""
    data = Path(sys.argv[1])
    judged = Path(sys.argv[2]) if len(sys.argv) > 2 else ReleaseFolder(data).judge
    write_atomic(OUT, (judged / "groups.png").read_bytes())
    slope, gap, subject = rows_of(data, judged)
    _, rank = np.unique(subject, return_inverse=True)
    half = rank % 2 == 0
    print(f"{half.sum()} views to fit, {(~half).sum()} to try, {rank.max() + 1} subjects")
    for k, joint in enumerate(MAPPED):
        fitted, other = (least_absolute(slope[of, k], gap[of, k]) for of in (half, ~half))
        before = np.median(np.linalg.norm(gap[~half, k], axis=1))
        after = np.median(np.linalg.norm(gap[~half, k] - slope[~half, k] @ fitted, axis=1))
        print(f"{JOINT_NAMES[joint]:10} {fitted.round(3).tolist()}, other half {other.round(3).tolist()}, "
              f"median of the other {before:.3f} -> {after:.3f}")  # fmt: skip


if __name__ == "__main__":
    main()
