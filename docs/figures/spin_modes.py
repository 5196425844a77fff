"""Draw docs/images/spin_modes.png: the same poses matched in every mode, as in Figure 2 of the MVHM paper.

Run from the root of the repository: python -m docs.figures.spin_modes
"""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from rigging.fingers.hinges import hinge_axes
from rigging.fingers.kinematics import forward, skeleton
from rigging.geometry.cameras import CameraSettings, palm_frame, ring
from rigging.geometry.projection import project
from rigging.geometry.rotations import axis_angle, normalise
from rigging.hand.asset import load_asset
from rigging.hand.shape import RestHand
from rigging.joints import JOINT_PARENTS
from rigging.poses.sampling.anchors import load_anchors
from rigging.spin.match import MODES, match
from rigging.spin.posed import pose_hand

from .shading import hand_colours, shade

OUT = Path(__file__).parents[1] / "images" / "spin_modes.png"
SIZE, CROP = 480, 300  # pixels of a rendered square, and of its middle columns that are shown
# anchor, how the hand is turned in the world (axis, degrees), noise of the joints in metres, which of the eight cameras
ROWS = (
    ("victory", (1.0, 2.0, 1.0), 110.0, 0.0, 4),
    ("ok", (1.0, -1.0, 1.0), 140.0, 0.0, 6),
    ("relaxed", (-1.0, 0.5, 2.0), 80.0, 0.004, 1),
)
FINGER_COLOURS = ("#e6550d", "#31a354", "#3182bd", "#756bb1", "#d62f7f")


def target_joints(name: str, axis: tuple[float, float, float], degrees: float, noise: float) -> np.ndarray:
    """Joints (21, 3) of a built-in pose, turned in the world, with noise."""
    anchor = next(anchor for anchor in load_anchors() if anchor.name == name)
    joints = forward(skeleton(load_asset()), anchor.angles)
    joints = joints @ axis_angle(normalise(np.array(axis)), np.deg2rad(degrees)).T
    return joints + noise * np.random.default_rng(1).normal(size=joints.shape)


def draw_row(axes: np.ndarray, joints: np.ndarray, view: int) -> None:
    """Draw the pose of joints (21, 3) metres in every mode."""
    asset = load_asset()
    rest = RestHand(asset.template, asset.joints)
    _, dorsal = hinge_axes(asset)
    hands = {}
    for mode in MODES:
        frame = match(rest.joints, joints[None], mode, dorsal=dorsal)[0]
        hands[mode] = pose_hand(asset, rest, np.zeros((0, 3)), frame).vertices
    palm, settings = palm_frame(joints), CameraSettings(aim="box", phase=False, image_size=SIZE, tilt=0.0)
    cameras = ring(palm, hands["palm"], settings, np.random.default_rng(0))
    K, world_to_cam = cameras.K[view], cameras.world_to_cam[view]
    draw_skeleton(axes[0], project(joints, K[None], world_to_cam[None])[0])
    for axis, vertices in zip(axes[1:], hands.values()):
        axis.imshow(shade(vertices, asset.faces, hand_colours(asset), K, world_to_cam, SIZE))


def draw_skeleton(axis: plt.Axes, pixels: np.ndarray) -> None:
    """Draw joints (21, 2) pixels and the bones between them."""
    for bone in range(1, 21):
        ends = pixels[[JOINT_PARENTS[bone], bone]]
        axis.plot(*ends.T, color=FINGER_COLOURS[(bone - 1) // 4], lw=3, solid_capstyle="round")
    axis.scatter(*pixels.T, s=18, c="k", zorder=3)


def main() -> None:
    """Draw the page's picture."""
    figure, axes = plt.subplots(len(ROWS), 6, figsize=(6 * CROP / 100, len(ROWS) * SIZE / 100 * 1.03), dpi=100)
    for row, (name, axis, degrees, noise, view) in zip(axes, ROWS):
        draw_row(row, target_joints(name, axis, degrees, noise), view)
        if noise:
            row[0].text(SIZE / 2, SIZE - 20, f"with {1000 * noise:.0f} mm noise", ha="center", fontsize=14)
    for axis, title in zip(axes[0], ("recorded joints", *MODES)):
        axis.set_title(title, fontsize=20)
    for axis in axes.ravel():
        axis.set(xlim=((SIZE - CROP) / 2, (SIZE + CROP) / 2), ylim=(SIZE, 0), aspect="equal")
        axis.axis("off")
    figure.subplots_adjust(0, 0, 1, 0.965, 0, 0)
    figure.savefig(OUT, metadata={"Software": None})


if __name__ == "__main__":
    main()
