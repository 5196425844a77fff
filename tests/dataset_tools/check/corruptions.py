"""What is done to a record so that a check must name it: in one view where the check is of views."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rigging.geometry.cameras import palm_frame
from rigging.geometry.rotations import axis_angle

Record = dict
VIEW = 3


def one_view(record: Record, name: str, change: Callable[[np.ndarray], np.ndarray]) -> Record:
    array = record[name].copy()
    array[VIEW] = change(array[VIEW])
    return record | {name: array}


def moved_camera(record: Record, rotation: np.ndarray, shift: np.ndarray) -> Record:
    """One camera turned in its own axes, then shifted in them."""
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation, shift
    return one_view(record, "world_to_cam", lambda one: pose @ one)


def leaning_ring(record: Record) -> Record:
    """All cameras turned about the palm's across axis, by more than the release allows."""
    centre, axes = palm_frame(record["joints_world"].astype(float))
    about = np.eye(4)
    about[:3, :3] = axis_angle(axes[:, 0], np.array(0.8))
    about[:3, 3] = centre - about[:3, :3] @ centre
    return record | {"world_to_cam": record["world_to_cam"] @ about}


def permuted_vertices(record: Record) -> Record:
    chosen = np.random.default_rng(0).choice(2651, 26, replace=False)
    vertices = record["vertices_world"].copy()
    vertices[chosen] = vertices[np.roll(chosen, 1)]
    return record | {"vertices_world": vertices}


def swapped(record: Record, names: tuple[str, ...], a: int, b: int) -> Record:
    out = dict(record)
    for name in names:
        out[name] = record[name].copy()
        out[name][[a, b]] = record[name][[b, a]]
    return out


def tips_first(record: Record) -> Record:
    order = [0, *(joint for finger in range(5) for joint in range(4 + 4 * finger, 4 * finger, -1))]
    return record | {"joints_world": record["joints_world"][order]}


def scaled_focal(record: Record, factor: float) -> Record:
    return record | {"K": record["K"] * np.array([[factor, 1, 1], [1, factor, 1], [1, 1, 1]])}


def flipped(record: Record, name: str, joint: int = 7) -> Record:
    array = record[name].copy()
    array[VIEW, joint] = ~array[VIEW, joint]
    return record | {name: array}


def on_another_background(rgb: np.ndarray, record: Record, other: Record) -> np.ndarray:
    return np.where((record["parts"][VIEW] > 0)[..., None], rgb, other["rgb"][VIEW])


def hole_in_alpha(alpha: np.ndarray) -> np.ndarray:
    rows, columns = np.nonzero(alpha)
    out = alpha.copy()
    row, column = int(np.median(rows)), int(np.median(columns))
    out[row - 6 : row + 6, column - 6 : column + 6] = 0
    return out


# check: (record, a record of another pair) -> broken record
CORRUPTIONS: dict[str, Callable[[Record, Record], Record]] = {
    "mask": lambda r, _: one_view(r, "parts", lambda parts: np.roll(parts, 1, axis=1)),
    "parts": lambda r, _: one_view(r, "parts", lambda parts: np.where(parts == 7, 10, parts).astype(np.uint8)),
    "depth": lambda r, _: one_view(r, "depth", lambda depth: depth * np.float32(1.0005)),
    "normals": lambda r, _: one_view(r, "normals", lambda n: (n @ r["world_to_cam"][VIEW, :3, :3]).astype(np.float32)),
    "flow": lambda r, _: one_view(r, "flow_forward", np.negative),
    "flow_valid": lambda r, _: one_view(r, "flow_backward", lambda flow: flow + np.float32(1)),
    "flow_visible": lambda r, _: one_view(r, "flow_forward_visible", lambda seen: (r["parts"][VIEW] > 0) & ~seen),
    "joint_visible": lambda r, _: flipped(r, "joint_visible"),
    "joint_in_frame": lambda r, _: flipped(r, "joint_in_frame"),
    "views_depth": lambda r, _: one_view(r, "depth", lambda depth: depth * np.float32(0.95)),
    "part_centroids": lambda r, _: one_view(r, "depth", lambda depth: depth * np.float32(1000)),
    "rigid": lambda r, _: one_view(r, "world_to_cam", lambda one: np.diag([-1.0, 1, 1, 1]) @ one),
    "intrinsics": lambda r, _: one_view(r, "K", lambda K: K + [[0, 0, 2], [0, 0, 0], [0, 0, 0]]),
    "focal": lambda r, _: scaled_focal(r, 0.5),
    "aim": lambda r, _: moved_camera(r, np.eye(3), np.array([0.002, 0, 0])),
    "ring": lambda r, _: swapped(r, ("K", "world_to_cam"), 1, 4),
    "distance": lambda r, _: moved_camera(r, np.eye(3), np.array([0, 0, 0.002])),
    "tilt": lambda r, _: leaning_ring(r),
    "roll": lambda r, _: moved_camera(r, axis_angle(np.array([0.0, 0, 1]), np.array(0.01)), np.zeros(3)),
    "framing": lambda r, _: scaled_focal(r, 1.02),
    "joints": lambda r, _: tips_first(r),
    "edges": lambda r, _: permuted_vertices(r),
    "hand_size": lambda r, _: r | {"hand_length": r["hand_length"] * 1.05},
    "handedness": lambda r, _: r | {"hand": "left"},
    "residual": lambda r, _: r | {"residual": r["residual"] + np.float32(1e-3)},
    "dark": lambda r, _: one_view(r, "rgb", np.zeros_like),
    "blown": lambda r, _: one_view(r, "rgb", lambda rgb: np.full_like(rgb, 255)),
    "frozen": lambda r, _: one_view(r, "rgb", lambda rgb: r["rgb"][0]),
    "alpha": lambda r, _: one_view(r, "alpha", lambda alpha: np.roll(alpha, 1, axis=0)),
    "alpha_inside": lambda r, _: one_view(r, "alpha", hole_in_alpha),
    "silhouette": lambda r, other: r | {"rgb": other["rgb"]},
    "warp": lambda r, other: r | {"rgb": other["rgb"]},
    "picture": lambda r, other: one_view(r, "rgb", lambda rgb: other["rgb"][VIEW]),
    "background": lambda r, other: one_view(r, "rgb", lambda rgb: on_another_background(rgb, r, other)),
    "readable": lambda r, _: r | {"joints_world": np.zeros_like(r["joints_world"])},
}
