"""How far pseudo labels are from the truth, by visibility, and what triangulation makes of them: a table.

Run from the root of the repository: python -m tests.benchmarks.label_errors DATA LABELS.npz ... [--split NAME]
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from scipy.stats import spearmanr

from baselines.data.label_file import Labels, load_labels
from baselines.data.label_noise import CROP, NEEDED, Truth, read_truth, scale
from baselines.data.labels import rows_of
from baselines.data.opening import open_source
from baselines.data.source import Source
from baselines.geometry.camera import to_world
from baselines.geometry.triangulate import ransac, triangulate
from baselines.metrics.align import bone_scaled, procrustes_aligned
from baselines.metrics.errors import joint_errors

RANSAC_SHARE = 15 / 384  # of the picture's side: Iskakov et al.'s threshold
HEAD = (
    f"| labels | px of {CROP:g}: seen, median | hidden | more than 30 px: seen | hidden | confidence: seen | hidden "
    "| its rank correlation with the error | DLT: n_mpjpe_bone / PA mm | weighed by confidence | RANSAC |"
)


def row(labels: Labels, truth: Truth, joints: np.ndarray, data: Source) -> list[str]:
    """The cells of a line; joints (n, 21, 3) m are the true ones in the world."""
    rows = rows_of(data, labels)
    pixels, sure, seen = labels.joints_2d[rows], labels.confidence[rows], truth.joint_visible
    off = np.linalg.norm(pixels - truth.joints_2d, axis=-1) / scale(truth.joints_2d)[..., 0]
    cells = [f"{np.median(off[part]):.1f}" for part in (seen, ~seen)]
    cells += [f"{100 * np.mean(off[part] > 30):.1f} %" for part in (seen, ~seen)]
    cells += [f"{np.mean(sure[part]):.2f}" for part in (seen, ~seen)]
    cells.append(f"{-spearmanr(sure.ravel(), off.ravel())[0]:.2f}")
    given = [torch.from_numpy(np.asarray(one, float)) for one in (pixels, truth.K, truth.world_to_cam)]
    threshold = RANSAC_SHARE * max(data.image_size)
    found = (
        triangulate(*given),
        triangulate(*given, torch.from_numpy(sure.astype(float))),
        ransac(*given, threshold=threshold)[0],
    )
    return cells + [errors(one.numpy(), joints) for one in found]


def errors(points: np.ndarray, true: np.ndarray) -> str:
    """Mean errors in mm of points (n, 21, 3) m, scaled by HaMuCo's bone, and after Procrustes."""
    scaled, aligned = bone_scaled(points, true), procrustes_aligned(points, true)
    return " / ".join(f"{joint_errors(one, true).mean():.1f}" for one in (scaled, aligned))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("labels", nargs="+")
    parser.add_argument("--split", default="train")
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = open_source(options.data, options.split, NEEDED)
    truth = read_truth(data, range(data.samples))
    world = to_world(torch.from_numpy(truth.joints_cam[:, 0]).double(), torch.from_numpy(truth.world_to_cam[:, 0]))
    print(HEAD)
    print("|" + "---|" * (HEAD.count("|") - 1))
    for path in options.labels:
        print(f"| {path} | {' | '.join(row(load_labels(path), truth, world.numpy(), data))} |")


if __name__ == "__main__":
    main()
