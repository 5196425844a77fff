"""Pictures of a sample in space: the mesh as clay and the joints over a floor, in parallel projection."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rigging.geometry.mesh import vertex_normals
from rigging.joints import JOINT_PARENTS

from .drawing import INK, SHIFT, joint_colours

CLAY, ARM_CLAY = np.array([206, 184, 170.0]), np.array([178, 184, 194.0])
KEY, FILL = np.array([-0.45, -0.65, -0.62]), np.array([0.75, 0.1, -0.35])  # towards the lights, camera axes
OVERSAMPLE = 3


@dataclass(frozen=True)
class Eye:
    """A parallel projection: the rows of `axes` (3, 3) are right, down and forward; `centre` (3,) m is in the middle
    of a square picture of `size` px that shows `extent` m."""

    axes: np.ndarray
    centre: np.ndarray
    extent: float
    size: int

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 3) m in the picture: x, y in px and depth in m, (N, 3)."""
        seen = (points - self.centre) @ self.axes.T
        return np.column_stack([seen[:, :2] * (self.size / self.extent) + self.size / 2, seen[:, 2]])


def upright(world_to_cam: np.ndarray) -> np.ndarray:
    """Rotation (3, 3) that turns the world so that the camera (4, 4) looks along +y with +z up in its picture."""
    right, down, forward = world_to_cam[:3, :3]
    return np.stack([right, forward, -down])


def look_from(turn: float, rise: float) -> np.ndarray:
    """Axes (3, 3) of an eye that looked along +y, carried `turn` rad around +z, then `rise` rad above the horizon."""
    level = np.array([-np.sin(turn), np.cos(turn), 0])
    ahead = np.cos(rise) * level - np.sin(rise) * np.array([0, 0, 1.0])
    right = np.array([np.cos(turn), np.sin(turn), 0])
    return np.stack([right, np.cross(ahead, right), ahead])


def frame(points: np.ndarray, axes: np.ndarray, size: int, margin: float = 1.12) -> Eye:
    """The eye that shows all `points` (N, 3) m."""
    seen = points @ axes.T
    low, high = seen.min(0), seen.max(0)
    return Eye(axes, (low + high) / 2 @ axes, float((high - low)[:2].max() * margin), size)


def draw_clay(
    eye: Eye,
    hand: np.ndarray,
    faces: np.ndarray,
    arm: np.ndarray,
    arm_faces: np.ndarray,
    paper: tuple,
    bare: bool = False,
) -> np.ndarray:
    """The smoothly shaded meshes (size, size, 3) uint8, drawn OVERSAMPLE times too large and then reduced.

    A `bare` arm has the hand's colour, and its normals are one with the hand's along the cut.
    """
    big = Eye(eye.axes, eye.centre, eye.extent, eye.size * OVERSAMPLE)
    vertices = np.concatenate([hand, arm]).astype(float)
    triangles = np.concatenate([faces, arm_faces + len(hand)])
    normals = _normals(vertices, faces, arm_faces + len(hand), bare)
    triangle, weights = nearest_triangles(big.pixels(vertices), triangles, (big.size, big.size))
    covered = triangle >= 0
    which = triangle[covered]
    seen = (normals @ eye.axes.T).astype(np.float32)
    corners = zip(triangles[which].T, weights[covered].T)
    facing = sum(seen[corner] * weight[:, None] for corner, weight in corners)
    canvas = np.full((big.size, big.size, 3), paper, np.uint8)
    canvas[covered] = shade(facing, np.where(which[:, None] < len(faces), CLAY, CLAY if bare else ARM_CLAY))
    return cv2.resize(canvas, (eye.size, eye.size), interpolation=cv2.INTER_AREA)


def _normals(vertices: np.ndarray, faces: np.ndarray, arm_faces: np.ndarray, bare: bool) -> np.ndarray:
    """Unit normals (N, 3) of hand and arm; those of a bare arm hold for the hand too where both lie together."""
    normals = vertex_normals(vertices, faces) + vertex_normals(vertices, arm_faces)
    if bare:
        place = np.unique(vertices, axis=0, return_inverse=True)[1].reshape(-1)
        of_arm = np.full(len(vertices), -1)
        arm = np.unique(arm_faces)
        of_arm[place[arm]] = arm
        shared = of_arm[place]
        normals[shared >= 0] = normals[shared[shared >= 0]]
    return normals


def nearest_triangles(
    seen: np.ndarray, faces: np.ndarray, shape: tuple[int, int], two_sided: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """The nearest front face (or any, if `two_sided`) at every pixel centre (H, W), -1 for none, and its barycentric
    weights (H, W, 3).

    `seen` (N, 3) are vertices in the picture: x, y in px and a depth that is linear in the picture.
    For pictures and checks only: labels come from elsewhere.
    """
    nearest, triangle = np.full(shape, np.inf), np.full(shape, -1, np.int32)
    weights = np.zeros((*shape, 3), np.float32)
    corners = seen[faces]
    (ax, ay), (bx, by), (cx, cy) = np.moveaxis(corners[..., :2], 0, -1)
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    low = np.clip(np.floor(corners.min(1)[:, :2]), 0, shape[::-1]).astype(int)
    high = np.clip(np.ceil(corners.max(1)[:, :2]), 0, shape[::-1]).astype(int)
    facing = area != 0 if two_sided else area < 0  # y points down: a front face turns the other way
    for i in np.flatnonzero(facing & (high > low).all(1)):
        x, y = np.arange(low[i, 0], high[i, 0]) + 0.5, np.arange(low[i, 1], high[i, 1])[:, None] + 0.5
        u = ((bx[i] - x) * (cy[i] - y) - (by[i] - y) * (cx[i] - x)) / area[i]
        v = ((cx[i] - x) * (ay[i] - y) - (cy[i] - y) * (ax[i] - x)) / area[i]
        w = 1 - u - v
        depth = u * corners[i, 0, 2] + v * corners[i, 1, 2] + w * corners[i, 2, 2]
        box = np.s_[low[i, 1] : high[i, 1], low[i, 0] : high[i, 0]]
        here = (u >= 0) & (v >= 0) & (w >= 0) & (depth < nearest[box])
        nearest[box][here], triangle[box][here] = depth[here], i
        weights[box][here] = np.stack([u[here], v[here], w[here]], -1)
    return triangle, weights


def shade(normals: np.ndarray, clay: np.ndarray) -> np.ndarray:
    """Colours (P, 3) of normals (P, 3) in camera axes: a key and a fill light on clay of colours (P, 3)."""
    n = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    key = np.clip(n @ (KEY / np.linalg.norm(KEY)), 0, 1)
    fill = np.clip(n @ (FILL / np.linalg.norm(FILL)), 0, 1)
    facing = np.clip(-n[:, 2], 0, 1)
    light = 0.3 + 0.62 * key + 0.16 * fill + 0.08 * facing**2
    highlight = 40 * key**24
    return (clay * light[:, None] + highlight[:, None]).clip(0, 255)


def draw_joints_3d(eye: Eye, joints: np.ndarray, paper: tuple) -> np.ndarray:
    """Joints and bones in space (size, size, 3) uint8, from far to near, with their shadow on a floor grid."""
    big = Eye(eye.axes, eye.centre, eye.extent, eye.size * OVERSAMPLE)
    canvas = np.full((big.size, big.size, 3), paper, np.uint8)
    joints = joints.astype(float)
    floor = joints[:, 2].min() - 0.025
    _grid(canvas, big, joints, floor)
    _shadow(canvas, big, np.column_stack([joints[:, :2], np.full(len(joints), floor)]))
    seen, colours, unit = big.pixels(joints), joint_colours().tolist(), big.size / 256
    colours[0] = (150, 154, 162)
    bones = [(j, p) for j, p in enumerate(JOINT_PARENTS) if p >= 0]
    for joint, parent in sorted(bones, key=lambda bone: -seen[list(bone), 2].sum()):
        ends = [_fixed(seen[parent]), _fixed(seen[joint])]
        cv2.line(canvas, *ends, INK, round(6.4 * unit), cv2.LINE_AA, SHIFT)
        cv2.line(canvas, *ends, colours[joint], round(4.4 * unit), cv2.LINE_AA, SHIFT)
        for end in (parent, joint):
            cv2.circle(canvas, _fixed(seen[end]), round(5.2 * unit * 2**SHIFT), INK, -1, cv2.LINE_AA, SHIFT)
            cv2.circle(canvas, _fixed(seen[end]), round(4.2 * unit * 2**SHIFT), colours[end], -1, cv2.LINE_AA, SHIFT)
    return cv2.resize(canvas, (eye.size, eye.size), interpolation=cv2.INTER_AREA)


def _fixed(point: np.ndarray) -> tuple[int, int]:
    x, y = np.rint((point[:2] - 0.5) * 2**SHIFT).astype(int)
    return int(x), int(y)


def _grid(canvas: np.ndarray, eye: Eye, joints: np.ndarray, floor: float, step: float = 0.04) -> None:
    middle = np.rint((joints.min(0) + joints.max(0))[:2] / 2 / step) * step
    reach = np.arange(-3, 4) * step
    for offset in reach:
        for ends in (((offset, reach[0]), (offset, reach[-1])), ((reach[0], offset), (reach[-1], offset))):
            points = eye.pixels(np.array([[*(middle + end), floor] for end in ends]))
            width = max(1, round(eye.size / 256))
            cv2.line(canvas, _fixed(points[0]), _fixed(points[1]), (222, 224, 228), width, cv2.LINE_AA, SHIFT)


def _shadow(canvas: np.ndarray, eye: Eye, on_floor: np.ndarray) -> None:
    seen, width = eye.pixels(on_floor), round(4 * eye.size / 256)
    for joint, parent in enumerate(JOINT_PARENTS):
        if parent >= 0:
            cv2.line(canvas, _fixed(seen[parent]), _fixed(seen[joint]), (206, 209, 214), width, cv2.LINE_AA, SHIFT)
