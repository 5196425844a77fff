"""Labels of a posed hand and arm: what `views.label_views` has to know of them.

A joint lies inside the flesh: it is visible if the first surface on the ray to it belongs to a part that adjoins it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rigging.geometry.mesh import vertex_normals
from rigging.hand.asset import HandAsset
from rigging.joints import ARM_PART, JOINT_PARENTS, adjoining_parts

from .views import label_views

_JOINT_PARTS = tuple(adjoining_parts(joint) for joint in range(len(JOINT_PARENTS)))


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
    """Join hand and arm, whose faces (Fa, 3) count its own vertices.

    `arm_joined` says that the arm's first vertices are the hand's cut loop (a bare arm). A joined arm hides the cap,
    which then takes no part in the normals, so that shading runs on across the cut.
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


def label_hand(
    surface: Surface, vertices: np.ndarray, joints: np.ndarray, K: np.ndarray, world_to_cam: np.ndarray,
    size: tuple[int, int], previous: np.ndarray | None = None, following: np.ndarray | None = None,
    distortion: np.ndarray | None = None,
) -> dict[str, np.ndarray]:  # fmt: skip
    """All labels of one sample: those of `label_views`, whose arguments these are; `mask` is the hand alone.

    Args:
        vertices: (N, 3) world, metres, hand then arm; `previous` and `following` the same at t-1 and t+1, or None.
        joints: (21, 3) world, metres. K: (V, 3, 3) pixels; world_to_cam: (V, 4, 4). size: (width, height) pixels.
        distortion: (V, 5) of the lenses, or None.
    """
    return label_views(
        vertices, surface.faces, surface.face_part, joints, K, world_to_cam, size,
        previous=previous, following=following, normals=surface_normals(vertices, surface),
        joint_parts=_JOINT_PARTS, unmasked=(ARM_PART,), distortion=distortion,
    )  # fmt: skip
