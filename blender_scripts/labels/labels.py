"""Exact labels of a posed hand and arm, computed from geometry and never path-traced.

Definitions are those of the design: `depth` is planar z, `normals` are interpolated vertex normals in the camera's
frame, the flow of a pixel is where the surface point seen at its centre goes in the same camera, and a joint is
visible if the first surface on the ray to it belongs to a part that adjoins the joint.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rigging.geometry.mesh import vertex_normals
from rigging.geometry.projection import project, to_camera
from rigging.hand.asset import HandAsset
from rigging.joints import ARM_PART, JOINT_PARENTS, adjoining_parts

from .interpolate import displace, shade
from .rasterise import rasterise, rasterise_points

OCCLUSION_TOLERANCE = 1e-5  # metres: a surface point is not hidden by what lies this little in front of it

_ADJOINING = np.zeros((len(JOINT_PARENTS), ARM_PART + 1), bool)
for _joint in range(len(JOINT_PARENTS)):
    _ADJOINING[_joint, list(adjoining_parts(_joint))] = True


@dataclass(frozen=True)
class Surface:
    """What stays the same for every pose: triangles of hand and arm, their parts, and which vertices are one point.

    Vertex arrays that go with it are (N, 3): the hand's vertices, then the arm's.
    """

    faces: np.ndarray  # (M, 3) int32, hand then arm
    face_part: np.ndarray  # (M,) uint8, index into rigging.joints.PART_NAMES
    smooth_faces: np.ndarray  # (S, 3) int32, the faces that shape the normals, seams closed
    seam: np.ndarray  # (N,) int32, the vertex whose normal each vertex takes


def make_surface(asset: HandAsset, arm_faces: np.ndarray, arm_joined: bool, left: bool = False) -> Surface:
    """Join hand and arm; `arm_joined` says that the arm's first vertices are the hand's cut loop (a bare arm).

    A joined arm hides the cap, which then takes no part in the normals, so that shading runs on across the cut.
    """
    hand_count = len(asset.template)
    arm = np.asarray(arm_faces, np.int32) + np.int32(hand_count)
    seam = np.arange(hand_count + int(arm_faces.max()) + 1, dtype=np.int32)
    if arm_joined:
        seam[hand_count : hand_count + len(asset.cut_loop)] = asset.cut_loop
    smooth_hand = asset.faces[~asset.face_cap] if arm_joined else asset.faces
    faces, smooth = np.concatenate([asset.faces, arm]), seam[np.concatenate([smooth_hand, arm])]
    part = np.concatenate([asset.face_part, np.full(len(arm), ARM_PART, np.uint8)])
    if left:
        faces, smooth = faces[:, ::-1], smooth[:, ::-1]
    return Surface(np.ascontiguousarray(faces), part, np.ascontiguousarray(smooth), seam)


def surface_normals(vertices: np.ndarray, surface: Surface) -> np.ndarray:
    """Area-weighted unit normals (N, 3) of vertices (N, 3), pointing outwards, the same on both sides of a seam."""
    return vertex_normals(vertices, surface.smooth_faces)[surface.seam]


def make_labels(
    surface: Surface,
    vertices: np.ndarray,
    previous: np.ndarray | None,
    following: np.ndarray | None,
    joints: np.ndarray,
    K: np.ndarray,
    world_to_cam: np.ndarray,
    width: int,
    height: int,
) -> dict[str, np.ndarray]:
    """All labels of one sample.

    Args:
        vertices: (N, 3) world, metres, hand then arm; `previous` and `following` the same at t-1 and t+1, or None.
        joints: (21, 3) world, metres. K: (V, 3, 3) pixels; world_to_cam: (V, 4, 4).
            Values are rounded to float32 first, as a shard stores them, so that labels belong to the stored mesh.
    Returns:
        parts (V, H, W) uint8; depth (V, H, W) float32 metres, 0 = background; normals (V, H, W, 3) float32, camera
        frame; flow_forward, flow_backward (V, H, W, 2) float32 pixels, zero without a neighbour, and *_visible
        (V, H, W) bool, *_valid () bool; joint_visible, joint_in_frame (V, 21) bool.
    """
    vertices, joints = _as_stored(vertices), _as_stored(joints)
    neighbours = {"flow_backward": _as_stored(previous), "flow_forward": _as_stored(following)}
    normals = surface_normals(vertices, surface)
    views = [
        _view_labels(surface, vertices, normals, neighbours, joints, K[v], world_to_cam[v], width, height)
        for v in range(len(K))
    ]
    labels = {name: np.stack([view[name] for view in views]) for name in views[0]}
    return labels | {f"{name}_valid": np.bool_(target is not None) for name, target in neighbours.items()}


def _as_stored(points: np.ndarray | None) -> np.ndarray | None:
    return None if points is None else np.asarray(points, np.float32).astype(np.float64)


def _view_labels(surface, vertices, normals, neighbours, joints, K, world_to_cam, width, height) -> dict:
    depth, triangle, barycentric = rasterise(vertices, surface.faces, K, world_to_cam, width, height)
    in_camera = normals @ world_to_cam[:3, :3].T
    parts, normal_image = shade(triangle, barycentric, surface.faces, surface.face_part, in_camera)
    depth = np.where(triangle >= 0, depth, 0).astype(np.float32)
    view = {"parts": parts, "depth": depth, "normals": normal_image}
    for name, target in neighbours.items():
        flow, visible = np.zeros((height, width, 2), np.float32), np.zeros((height, width), bool)
        if target is not None:
            flow, visible = _flow(triangle, barycentric, surface, target, K, world_to_cam)
        view |= {name: flow, f"{name}_visible": visible}
    visible, in_frame = joint_visibility(surface, vertices, joints, K, world_to_cam, width, height)
    return view | {"joint_visible": visible, "joint_in_frame": in_frame}


def _flow(triangle, barycentric, surface, target, K, world_to_cam) -> tuple[np.ndarray, np.ndarray]:
    """Displacement (H, W, 2) in pixels of the surface points seen, and whether they are seen where they go."""
    height, width = triangle.shape
    in_camera = to_camera(target, world_to_cam[None])[0]
    flow, there, depth, pixel = displace(triangle, barycentric, surface.faces, in_camera, K)
    nearest, _ = rasterise_points(target, surface.faces, K, world_to_cam, there, width, height)
    visible = np.zeros(height * width, bool)
    visible[pixel] = nearest >= depth - OCCLUSION_TOLERANCE
    return flow, visible.reshape(height, width)


def joint_visibility(
    surface: Surface, vertices: np.ndarray, joints: np.ndarray, K: np.ndarray, world_to_cam: np.ndarray,
    width: int, height: int,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Which of the joints (21, 3) are not occluded, and which lie within the image: two (21,) bool arrays."""
    z = to_camera(joints, world_to_cam[None])[0, :, 2]
    image = np.nan_to_num(project(joints, K[None], world_to_cam[None])[0], nan=-1.0)  # behind the camera
    in_frame = ((image >= 0) & (image < (width, height))).all(1) & (z > 0)
    first, triangle = rasterise_points(vertices, surface.faces, K, world_to_cam, image, width, height)
    part = np.where(triangle >= 0, surface.face_part[triangle], 0)
    adjoins = _ADJOINING[np.arange(len(joints)), part]
    return (adjoins | (first > z)) & (z > 0), in_frame
