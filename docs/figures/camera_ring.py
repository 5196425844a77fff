"""Draw docs/images/camera_ring.png: hand, ring of eight cameras and world axes (Figure 4 of the MVHM paper), and views.

Run from the root of the repository: python -m docs.figures.camera_ring
"""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from mpl_toolkits.mplot3d.art3d import Line3DCollection, Poly3DCollection

from rigging.fingers.kinematics import forward, skeleton
from rigging.geometry.cameras import Cameras, CameraSettings, palm_frame, ring
from rigging.geometry.mesh import face_normals
from rigging.geometry.rotations import axis_angle, normalise
from rigging.hand.arm import arm_topology, build_arm
from rigging.hand.asset import load_asset
from rigging.hand.shape import RestHand
from rigging.poses.sampling.anchors import load_anchors
from rigging.spin.match import match
from rigging.spin.posed import pose_hand

from .shading import hand_colours, shade

OUT = Path(__file__).parents[1] / "images" / "camera_ring.png"
SIZE = 256
SUN = np.array([0.4, -0.7, 0.6])
ELEVATION, AZIMUTH = 24, -58


def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray, Cameras]:
    """Vertices, faces and face colours of hand and arm, in the world (fingers up), and the cameras."""
    asset = load_asset()
    rest = RestHand(asset.template, asset.joints)
    anchor = next(anchor for anchor in load_anchors() if anchor.name == "spread")
    joints = forward(skeleton(asset), anchor.angles)
    joints = (joints - palm_frame(joints)[0]) @ axis_angle(np.array([1.0, 0, 0]), np.pi / 2).T
    arm = build_arm(asset, rest, "bare", np.random.default_rng(0))
    posed = pose_hand(asset, rest, arm, match(rest.joints, joints[None])[0])
    settings = CameraSettings(image_size=SIZE, phase=False)
    cameras = ring(palm_frame(posed.joints), posed.vertices, settings, np.random.default_rng(2))
    vertices = np.concatenate([posed.vertices, posed.arm_vertices])
    arm_faces = arm_topology(asset)[0]
    faces = np.concatenate([asset.faces[~asset.face_cap], arm_faces + len(posed.vertices)])
    colours = hand_colours(asset)
    skin = np.repeat(colours[asset.face_nail == 0][:1], len(arm_faces), axis=0)
    colours = np.concatenate([colours[~asset.face_cap], skin])
    return vertices, faces.astype(np.int32), colours, cameras


def frustum(cameras: Cameras, view: int, depth: float) -> tuple[np.ndarray, np.ndarray]:
    """Camera centre (3,) and the world corners (4, 3) of its image at a depth in metres."""
    corners = np.array([[0, 0, 1], [SIZE, 0, 1], [SIZE, SIZE, 1], [0, SIZE, 1]], float)
    rays = corners @ np.linalg.inv(cameras.K[view]).T
    to_world = np.linalg.inv(cameras.world_to_cam[view])
    return to_world[:3, 3], (rays * depth) @ to_world[:3, :3].T + to_world[:3, 3]


def draw_scene(axis: plt.Axes, vertices: np.ndarray, faces: np.ndarray, colours: np.ndarray, cameras: Cameras) -> None:
    """Draw a mesh, vertices (N, 3) metres and faces (F, 3) with colours (F, 3), and the cameras."""
    light = 0.45 + 0.75 * np.clip(normalise(face_normals(vertices, faces)) @ SUN / np.linalg.norm(SUN), 0, 1)
    shown = np.clip(colours * light[:, None], 0, 1) ** (1 / 2.2)
    axis.add_collection3d(Poly3DCollection(vertices[faces], facecolors=shown, edgecolors=shown, linewidths=0.2))
    circle = cameras.centres[[*range(len(cameras)), 0]]
    radius = np.linalg.norm(circle[0])
    turn = np.linspace(0, 2 * np.pi, 200)[:, None]
    first, second = circle[0], circle[2]
    axis.plot(*(np.cos(turn) * first + np.sin(turn) * second).T, color="0.6", lw=1, ls="--")
    for view in range(len(cameras)):
        centre, corners = frustum(cameras, view, 0.22 * radius)
        lines = [(centre, corner) for corner in corners] + list(zip(corners, np.roll(corners, -1, axis=0)))
        axis.add_collection3d(Line3DCollection(lines, colors="#1f4e8c", linewidths=1.2))
        axis.add_collection3d(Poly3DCollection([corners], facecolors=(0.2, 0.45, 0.8, 0.25)))
        axis.plot(*np.stack([centre, 0 * centre]).T, color="0.8", lw=0.6)
        axis.text(*(1.13 * centre), str(view), ha="center", va="center", fontsize=12)
    for end, colour, name in zip(0.45 * radius * np.eye(3), ("#d62728", "#2ca02c", "#1f77b4"), "xyz"):
        axis.quiver(0, 0, 0, *end, color=colour, arrow_length_ratio=0.1, lw=2)
        axis.text(*(1.1 * end), name, color=colour, fontsize=13)
    reach = 0.72 * radius
    axis.set(xlim=(-reach, reach), ylim=(-reach, reach), zlim=(-0.62 * reach, 0.62 * reach))
    axis.set_box_aspect((1, 1, 0.62))
    axis.view_init(ELEVATION, AZIMUTH)
    axis.set_axis_off()


def main() -> None:
    """Draw the page's picture."""
    vertices, faces, colours, cameras = scene()
    figure = plt.figure(figsize=(13, 5), dpi=100)
    draw_scene(figure.add_axes((-0.06, -0.15, 0.60, 1.3), projection="3d"), vertices, faces, colours, cameras)
    for view in range(len(cameras)):
        place = (0.485 + 0.128 * (view % 4), 0.50 - 0.48 * (view // 4), 0.125, 0.46)
        axis = figure.add_axes(place)
        axis.imshow(np.ones((SIZE, SIZE, 3)))
        axis.imshow(shade(vertices, faces, colours, cameras.K[view], cameras.world_to_cam[view], SIZE))
        axis.set(xticks=[], yticks=[], title=f"view {view}")
    figure.savefig(OUT, metadata={"Software": None})


if __name__ == "__main__":
    main()
