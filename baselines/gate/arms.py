"""Arms of tier 2: the errors of predictions on the test subjects, by how a pose is made of what the views see.

An arm's error is that of 21 joints relative to the wrist, in camera axes, without an oracle (neither the root's depth
nor the hand's scale is given), in mm; of a single-view estimator the mean over the views of a sample. The two arms of
simulated detections are triangulated, and their error is that of the joints' places in the world.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from ..evaluate.predict import Predictions
from ..geometry import fuse
from ..geometry.camera import project, to_world
from ..geometry.simulate import simulate_detections
from ..geometry.triangulate import ransac, triangulate
from ..metrics.align import root_relative
from ..metrics.curves import pck
from ..metrics.errors import joint_errors, sample_errors
from .claims import COVARIANCE, DLT, MEAN, MEDIAN, OWN_DLT, OWN_RANSAC, RANSAC, Arm, network
from .settings import GateSettings

Way = Callable[[Predictions, Predictions], Tensor]  # from single views to poses (S, 21, 3) m, but for a shift
THRESHOLDS = np.arange(51.0)  # mm, of the PCK curves
FULL = 256  # px, the crops that noise and thresholds are stated for
REACH = 10.0  # px of those: RANSAC's threshold


def single_arm(runs: Sequence[Predictions], made: str) -> Arm:
    """Each view's own pose; one `Predictions` a seed."""
    return arm_of_rows(
        [relative_errors(run.joints_cam, run.true_joints_cam) for run in runs], [_views(run) for run in runs], made
    )


def network_arms(runs: Mapping[int, Sequence[Sequence[Predictions]]]) -> dict[str, Arm]:
    """The fusion network by its number of views: for each, the groups of views of every seed."""
    return {network(views): _grouped_arm(seeds, views) for views, seeds in runs.items()}


def _grouped_arm(seeds: Sequence[Sequence[Predictions]], views: int) -> Arm:
    """All groups of `views` views, each with its own pose; their errors are averaged."""
    errors = [np.concatenate([_by_sample(group) for group in groups], axis=1) for groups in seeds]
    many = f"{len(seeds[0])} groups of {views} views, evenly spread" if len(seeds[0]) > 1 else f"all {views} views"
    return arm_of_rows([one.reshape(-1, one.shape[-1]) for one in errors], [one.shape[1] for one in errors], many)


def _by_sample(run: Predictions) -> np.ndarray:
    """Errors (S, V, 21) mm."""
    return relative_errors(run.joints_cam, run.true_joints_cam).reshape(-1, _views(run), 21)


def fused_arms(runs: Sequence[Predictions], apart: Sequence[Predictions], size: int) -> dict[str, Arm]:
    """What needs no training beyond the single views': averages of their poses, and triangulation of their joints.

    `apart` are predictions of the same seeds on samples that are not tested: covariances are measured there. Crops are
    of `size` px.
    """
    ways = {
        MEAN: (lambda run, _: fuse.mean(poses(run)), "mean of the single views' poses, in world axes"),
        MEDIAN: (lambda run, _: fuse.median(poses(run)), "their median, coordinate by coordinate"),
        COVARIANCE: (weighted, "their mean, weighted by covariances measured on the validation split"),
        OWN_DLT: (lambda run, _: own_points(run), "DLT of the joints that mvhm_sv finds in all views, by confidence"),
        OWN_RANSAC: (lambda run, _: own_points(run, REACH * size / FULL), "RANSAC of the same"),
    }
    return {name: _fused_arm(runs, apart, way, made) for name, (way, made) in ways.items()}


def _fused_arm(runs: Sequence[Predictions], apart: Sequence[Predictions], way: Way, made: str) -> Arm:
    errors = [
        relative_errors(way(run, other).numpy(), in_world(run, "true_joints_cam")[:, 0].numpy())
        for run, other in zip(runs, apart, strict=True)
    ]
    return arm_of_rows(errors, [1] * len(errors), made)


def simulated_arms(run: Predictions, size: int, settings: GateSettings) -> dict[str, Arm]:
    """DLT and RANSAC on true joints in the crops of `size` px, with noise and outliers.

    Of `run` only labels and cameras are used.
    """
    scale, noise = size / FULL, settings.detections
    noise = dataclasses.replace(noise, sigma=noise.sigma * scale, outlier=noise.outlier * scale)
    K, pose = tensor(run, "K"), tensor(run, "world_to_cam")
    places = true_places(run)[:, 0].numpy()
    found: dict[str, list[np.ndarray]] = {DLT: [], RANSAC: []}
    for seed in range(settings.noises):
        generator = torch.Generator().manual_seed(1000 * settings.seed + seed)
        seen, _ = simulate_detections(true_pixels(run), noise, generator)
        points = {DLT: triangulate(seen, K, pose), RANSAC: ransac(seen, K, pose, threshold=REACH * scale)[0]}
        for name, value in points.items():
            found[name].append(joint_errors(value.numpy(), places))
    made = f"true joints in {K.shape[1]} views, {noise.outliers:.0%} of them thrown off"
    return {name: arm_of_rows(errors, [1] * len(errors), made) for name, errors in found.items()}


# from predictions to poses


def relative_errors(pred: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Errors (n, 21) mm of joints (n, 21, 3) m relative to the wrist."""
    return joint_errors(root_relative(pred, true), true)


def tensor(run: Predictions, name: str) -> Tensor:
    """An array of predictions (S V, ...) as (S, V, ...)."""
    value = torch.as_tensor(getattr(run, name))
    return value.reshape(-1, _views(run), *value.shape[1:])


def in_world(run: Predictions, name: str) -> Tensor:
    """Joints (S, V, 21, 3) m in world axes, relative to the wrist."""
    return fuse.in_world_axes(tensor(run, name), tensor(run, "world_to_cam"))


def poses(run: Predictions) -> Tensor:
    """The single views' poses (S, V, 21, 3) m in world axes, relative to the wrist."""
    return in_world(run, "joints_cam")


def weighted(run: Predictions, apart: Predictions) -> Tensor:
    """The mean (S, 21, 3) of the views' poses, weighted by covariances measured on predictions `apart`."""
    off = [torch.as_tensor(value - value[:, :1]) for value in (apart.joints_cam, apart.true_joints_cam)]
    covariance = fuse.view_covariance(off[0] - off[1])
    return fuse.covariance_weighted(poses(run), fuse.covariances_in_world(covariance, tensor(run, "world_to_cam")))


def own_points(run: Predictions, reach: float = 0.0) -> Tensor:
    """Points (S, 21, 3) m of the joints found in the views' images: DLT, or RANSAC with a threshold of `reach` px."""
    pixels, K, pose = (tensor(run, name) for name in ("joints_2d", "K", "world_to_cam"))
    weights = tensor(run, "confidence").clamp_min(1e-3)
    if reach:
        return ransac(pixels, K, pose, weights, threshold=reach)[0]
    return triangulate(pixels, K, pose, weights)


def true_pixels(run: Predictions) -> Tensor:
    """Where the true joints are in the crops, (S, V, 21, 2) px."""
    return project(tensor(run, "true_joints_cam"), tensor(run, "K"))


def true_places(run: Predictions) -> Tensor:
    """The true joints in the world, (S, V, 21, 3) m, as each view has them."""
    return to_world(tensor(run, "true_joints_cam"), tensor(run, "world_to_cam"))


def _views(run: Predictions) -> int:
    """V: rows of a sample."""
    return len(run.sample) // len(np.unique(run.sample))


def arm_of_rows(errors: Sequence[np.ndarray], rows: Sequence[int], made: str) -> Arm:
    """An arm of errors (n, 21) mm of each seed, `rows` of a sample: their means, and the curve over all joints."""
    samples = [sample_errors(one).reshape(-1, many).mean(axis=1) for one, many in zip(errors, rows)]
    curve = pck(np.concatenate([one[:, 1:].ravel() for one in errors]), THRESHOLDS)
    return Arm(np.stack(samples), made, tuple(float(f"{share:.4f}") for share in curve))
