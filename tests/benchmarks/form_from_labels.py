"""What 2D labels of several views say of a hand's form: by extrinsics, by factorisation, by essential matrices.

    python -m tests.benchmarks.form_from_labels out/gate noise.npz

Two tables: millimetres of EpipolarPose's pseudo truth of a file of labels; and true labels with noise added, each view
with the next one by OpenCV's five-point RANSAC as Kocabas et al. (CVPR 2019) do without extrinsics, or all at once.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from statistics import median

import cv2
import numpy as np
import torch
from torch import Tensor

from baselines import create_estimator
from baselines.batch import Batch
from baselines.config import Data
from baselines.data.batches import Batches
from baselines.data.label_file import load_labels
from baselines.data.labels import PseudoLabelled
from baselines.data.opening import open_source
from baselines.data.source import Source
from baselines.evaluate.markdown import table
from baselines.geometry.camera import rays
from baselines.geometry.factorise import factorise
from baselines.geometry.procrustes import aligned
from baselines.models.hamuco_hand import UNIT

SIZE, ROOT, MM = 64, 9, 1000.0
NOISE = (0.0, 0.25, 0.5, 1.0, 2.0)  # px of a crop of SIZE
PAIRS = 20  # samples whose pairs of views are solved one by one


def whole(source: Source, *needed: str) -> Batch:
    """All crops of a source at once."""
    data = Data(size=SIZE, batch=source.samples * source.views, views=source.views, workers=0)
    return next(Batches(source, data, needed=needed, multi_view=True).ordered())


def of_labels(truth: Batch, labelled: Batch) -> Iterator[list[str]]:
    """Rows: medians over the crops, relative to joint 9 and after Procrustes, mm."""
    true = truth.joints_cam - truth.joints_cam[:, ROOT : ROOT + 1]
    for extrinsics in (True, False):
        estimator = create_estimator("epipolar_pose", size=SIZE, width=8, extrinsics=extrinsics)
        pseudo, _, known = estimator.pseudo_truth(labelled)
        found = UNIT * torch.where(known[..., None], pseudo, 0.0)
        off = (found - true).norm(dim=-1).mean(1), (aligned(found, true, known.float()) - true).norm(dim=-1).mean(1)
        yield ["with" if extrinsics else "without", *(f"{MM * float(one.median()):.1f}" for one in off)]


def of_noise(truth: Batch) -> Iterator[list[str]]:
    """Rows: degrees by which the turn from a view to the next is off, and mm after Procrustes; medians."""
    first = truth.map(lambda tensor: tensor[: PAIRS * truth.views])
    for noise in NOISE:
        generator = torch.Generator().manual_seed(0)
        labels = first.joints_2d + noise * torch.randn(first.joints_2d.shape, generator=generator)
        seen = rays(labels, first.K)[..., :2].double()
        views, cameras, true = (
            one.unflatten(0, (-1, truth.views)) for one in (seen, first.world_to_cam, first.joints_cam)
        )
        pairs = [one for sample in zip(views, cameras, true) for one in two_by_two(*sample, 3 * max(noise, 0.1) / SIZE)]
        found = factorise(views)
        turns, forms = degrees(found.rotations, cameras.double()), off(found.in_cameras(), true)
        told = [median(column) for column in zip(*pairs)]
        yield [f"{noise:g}", *(f"{one:.1f}" for one in (*told, float(turns.median()), float(forms.median())))]


def two_by_two(views: Tensor, cameras: Tensor, true: Tensor, share: float) -> Iterator[tuple[float, float]]:
    """Degrees and mm of each view (V, 21, 2) with the next one, by RANSAC with a threshold of `share` of the hand."""
    for view in range(len(views)):
        pair = [view, (view + 1) % len(views)]
        a, b = views[pair].numpy()
        threshold = share * float(np.ptp(a, axis=0).max())
        essential, _ = cv2.findEssentialMat(a, b, np.eye(3), cv2.RANSAC, 0.9999, threshold)
        _, turn, direction, _ = cv2.recoverPose(essential[:3], a, b, np.eye(3))
        points = cv2.triangulatePoints(np.eye(3, 4), np.hstack([turn, direction]), a.T, b.T)
        form = torch.from_numpy((points[:3] / points[3]).T)
        turns = torch.stack([torch.eye(3).double(), torch.from_numpy(turn)])
        yield float(degrees(turns[None], cameras[None, pair].double())[0, 0]), float(off(form, true[view]))


def degrees(turns: Tensor, cameras: Tensor) -> Tensor:
    """(..., V) by which the turn (..., V, 3, 3) from a view to the next is off that of world_to_cam (..., V, 4, 4)."""
    ours, true = (one.roll(-1, -3) @ one.mT for one in (turns, cameras[..., :3, :3]))
    cosine = ((ours * true).sum((-2, -1)) - 1) / 2
    return torch.rad2deg(cosine.clamp(-1, 1).acos())


def off(found: Tensor, true: Tensor) -> Tensor:
    """(...) mm after Procrustes of joints (..., 21, 3) m."""
    return MM * (aligned(found, true.double()) - true).norm(dim=-1).mean(-1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a release, as a folder of shards, a shard or a pack")
    parser.add_argument("labels", help="what `mvhm label` made of its split")
    parser.add_argument("--split", default="train")
    options = parser.parse_args()
    source = open_source(options.data, options.split)
    truth = whole(source, "joints_cam")
    labelled = whole(PseudoLabelled(source, load_labels(options.labels)))
    head = ["extrinsics", "from joint 9, mm", "Procrustes, mm"]
    noise = ["noise, px of 64", "two views: degrees", "mm", "all views: degrees", "mm"]
    print("\n".join([*table(head, of_labels(truth, labelled)), "", *table(noise, of_noise(truth))]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
