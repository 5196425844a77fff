"""Plots of a release's poses and cameras."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from rigging.joints import JOINT_PARENTS
from rigging.poses.sampling.diversity import palm_features

from .collect import Collected
from .directions import BANDS, SECTORS, cells
from .poses import BINS, PoseReference, all_angles, cluster, nearest, nearest_other

BLUE, ORANGE, GREY, RED = "#0072b2", "#d55e00", "#8a8f98", "#b3261e"
MOST_POINTS = 4000  # of a set, in a scatter plot


def new_figure(rows: int, columns: int, width: float, height: float, **options: Any) -> tuple[Figure, np.ndarray]:
    """A figure of `width` by `height` inches and its axes, an array (R, C) of `rows` by `columns`."""
    return plt.subplots(rows, columns, figsize=(width, height), dpi=100, layout="constrained", squeeze=False, **options)


def png(figure: Figure) -> bytes:
    """The figure's file, the same bytes for the same figure; the figure is closed."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    plt.close(figure)
    return buffer.getvalue()


def plain(axis: plt.Axes, title: str, across: str = "", up: str = "") -> None:
    """The look that all axes have."""
    axis.set_title(title, fontsize=10)
    axis.set_xlabel(across, fontsize=9)
    axis.set_ylabel(up, fontsize=9)
    axis.tick_params(labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)


def plot_angles(table: Mapping[str, Any]) -> bytes:
    """A histogram of each joint angle; the joint's limits are lines."""
    angles = table["poses"]["angles"]
    figure, axes = new_figure(6, 4, 11, 11, sharex=True)
    for axis, angle in zip(axes.flat, angles):
        axis.bar(BINS[:-1], angle["counts"], width=np.diff(BINS), align="edge", color=BLUE)
        for limit in angle["limits"]:
            axis.axvline(limit, color=ORANGE, lw=1)
        plain(axis, f"{angle['joint'].replace('_', ' ')} {angle['motion']}")
        axis.set_yticks([])
    for axis in axes.flat[len(angles) :]:
        axis.set_axis_off()
    for axis in axes[-1]:
        axis.set_xlabel("degrees", fontsize=9)
    figure.suptitle("Joint angles of the samples; lines: the joints' limits", fontsize=12)
    return png(figure)


def plot_poses(found: Collected, reference: PoseReference, seed: int = 0) -> bytes:
    """The map of pose space with the reference set behind it, distances, and the clusters' most typical poses."""
    features = palm_features(found.joints)
    label, typical = cluster(all_angles(found.joints, found.wrist), np.random.default_rng(seed))
    figure = plt.figure(figsize=(11, 8), dpi=100, layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=(1.35, 1))
    space, distance = top.subplots(1, 2)
    _map(space, features, reference, label)
    _distances(distance, features, reference, found.index["pair"])
    grid = bottom.subplots(2, 8)
    bottom.suptitle("The most typical pose of each cluster, and how many samples it has", fontsize=10)
    for axis in grid.flat:
        axis.set_axis_off()
    for k, (axis, pose) in enumerate(zip(grid.flat, typical)):
        _hand(axis, features[pose].reshape(20, 3), f"C{k % 10}")
        axis.set_title((label == k).sum(), fontsize=9)
    return png(figure)


def _map(axis: plt.Axes, features: np.ndarray, reference: PoseReference, label: np.ndarray) -> None:
    """Poses (S, 60) and the reference on the two principal axes of both, clusters (S,) in colours."""
    ours, others = features[:: -(-len(features) // MOST_POINTS)], reference.features
    others = others[:: -(-len(others) // MOST_POINTS)]
    middle = np.concatenate([ours, others]).mean(0)
    axes = np.linalg.svd(np.concatenate([ours, others]) - middle, full_matrices=False)[2][:2]
    axis.scatter(*((others - middle) @ axes.T).T, s=3, color="0.82", label=f"{reference.name} (reference)")
    colours = [f"C{k % 10}" for k in label[:: -(-len(features) // MOST_POINTS)]]
    axis.scatter(*((ours - middle) @ axes.T).T, s=8, c=colours, label="samples, by cluster")
    plain(axis, "Pose space, two principal axes", "palm lengths", "palm lengths")
    axis.set_aspect("equal")
    axis.legend(fontsize=8, frameon=False, loc="best")


def _distances(axis: plt.Axes, features: np.ndarray, reference: PoseReference, pair: np.ndarray) -> None:
    """Cumulative distances to the nearest neighbour, three ways."""
    apart = nearest_other(features, pair)
    lines = (
        (nearest(reference.features, features), f"{reference.name} to the nearest sample", ORANGE),
        (nearest(features, reference.features), f"sample to the nearest of {reference.name}", BLUE),
        (apart[np.isfinite(apart)], "sample to the nearest of another pair", GREY),
    )
    for values, name, colour in lines:
        if len(values):
            axis.plot(np.sort(values), np.linspace(0, 100, len(values)), color=colour, label=name)
    plain(axis, "Nearest neighbours", "distance, palm lengths (rms over joints)", "% of poses")
    axis.set_xlim(0)
    axis.legend(fontsize=8, frameon=False, loc="lower right")


def _hand(axis: plt.Axes, joints: np.ndarray, colour: str) -> None:
    """A hand of joints (20, 3) in the palm's axes, the wrist at the origin, seen from its back."""
    all_joints = np.concatenate([np.zeros((1, 3)), joints])
    for joint, parent in enumerate(JOINT_PARENTS):
        if parent >= 0:
            axis.plot(*all_joints[[parent, joint], :2].T, color=colour, lw=1.6, solid_capstyle="round")
    axis.set_aspect("equal")
    axis.set(xlim=(-0.24, 0.24), ylim=(-0.03, 0.44))


def plot_cameras(found: Collected) -> bytes:
    """Where cameras are on the sphere, in the palm's axes and in the world, in cells of equal area."""
    figure, axes = new_figure(1, 2, 11, 3.7, subplot_kw={"projection": "hammer"})
    along = np.linspace(-np.pi, np.pi, SECTORS + 1)
    edges = np.arcsin(np.linspace(-1, 1, BANDS + 1))
    sets = (
        (found.palm_directions, "around the hand", "top: over its back, bottom: before the palm\n"
         "middle: little finger's side, half way to the right: fingertips"),
        (found.world_directions, "in the world", "top: above the hand"),
    )  # fmt: skip
    for axis, (directions, name, about) in zip(axes[0], sets):
        counts = cells(directions.reshape(-1, 3)).astype(float)
        counts[counts == 0] = np.nan
        mesh = axis.pcolormesh(along, edges, counts, cmap="viridis", vmin=0)
        axis.set_title(f"Cameras {name}", fontsize=10, pad=10)
        axis.grid(color="0.85", lw=0.5)
        axis.set_xlabel(about, fontsize=9)
        axis.set_xticklabels([])
        axis.set_yticklabels([])
        figure.colorbar(mesh, ax=axis, shrink=0.6, label="views")
    return png(figure)
