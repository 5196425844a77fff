"""Exact labels of any mesh in any cameras, computed from geometry and never path-traced.

Definitions are those of the design: `depth` is planar z, `normals` are interpolated vertex normals in the camera's
frame, and the flow of a pixel is where the surface point seen at its centre goes in the same camera.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np

from rigging.geometry.distortion import Lens
from rigging.geometry.projection import project, to_camera

from .interpolate import displace, shade
from .lens import displace_in_picture, rasterise_picture
from .rasterise import Viewed, rasterise, rasterise_points, view_vertices
from .scene import LabelScene, Occluder, check_cameras, check_lenses, check_size, make_scene

OCCLUSION_TOLERANCE = 1e-5  # metres: a surface point is not hidden by what lies this little in front of it


def label_views(
    vertices: np.ndarray, faces: np.ndarray, face_part: np.ndarray, joints: np.ndarray,
    K: np.ndarray, world_to_cam: np.ndarray, size: tuple[int, int], *,
    previous: np.ndarray | None = None, following: np.ndarray | None = None, normals: np.ndarray | None = None,
    joint_parts: Sequence[Iterable[int]] | None = None,
    occluders: Sequence[Occluder] = (), unmasked: Collection[int] = (), distortion: np.ndarray | None = None,
) -> dict[str, np.ndarray]:  # fmt: skip
    """All labels of one moment of a mesh, as V cameras see it. Triangles are seen from both sides.

    Args:
        vertices: (N, 3) world, metres; `previous` and `following` the same at t-1 and t+1, or None.
        faces: (M, 3) vertex numbers. face_part: (M,) the part of each face, 1 to 255; 0 is the background.
        joints: (J, 3) world, metres; J may be 0.
        K: (V, 3, 3) pixels, the centre of the top-left pixel is (0.5, 0.5). world_to_cam: (V, 4, 4) rigid, metres,
            OpenCV axes. size: (width, height) pixels.
        normals: (N, 3) unit, world; by default the area-weighted mean of the faces around each vertex. Give them, or
            weld the mesh first, if vertices that lie together are to share a normal.
        joint_parts: the parts that adjoin each joint, for joints inside the flesh: one is visible if the first surface
            on the ray to it belongs to one of them, or lies behind it. By default joints are points on the surface,
            visible if nothing lies more than 10 micrometres before them.
        occluders: meshes that hide this one and have no labels. unmasked: parts that are labelled, and hide others, but
            do not belong to `mask`.
        distortion: (V, 5) k1, k2, p1, p2, k3 of the lenses, as OpenCV has them; pixels are those of the picture, then.
    Returns:
        mask (V, H, W) bool; parts (V, H, W) uint8; depth (V, H, W) float32, planar z in metres, 0 = background;
        normals (V, H, W, 3) float32, camera frame; flow_forward, flow_backward (V, H, W, 2) float32 pixels, zero
        without a neighbour and where a point goes behind the camera, *_visible (V, H, W) bool: seen where it goes, and
        *_valid () bool: there is a neighbour; joint_visible (not occluded), joint_in_frame (V, J) bool.
    Raises InputError (a ValueError) naming the argument that does not fit.
    """
    scene = make_scene(
        vertices, faces, face_part, joints, previous=previous, following=following, normals=normals,
        joint_parts=joint_parts, occluders=occluders, unmasked=unmasked,
    )  # fmt: skip
    (K, world_to_cam), (width, height) = check_cameras(K, world_to_cam), check_size(size)
    labels = _blank(scene, len(K), width, height)
    for view, camera in enumerate(zip(K, world_to_cam, check_lenses(distortion, K, (width, height)))):
        _label_view({name: values[view] for name, values in labels.items()}, scene, *camera)
    labels["mask"] = scene.masked[labels["parts"]]
    return labels | {f"{name}_valid": np.bool_(target is not None) for name, target in scene.neighbours.items()}


def _blank(scene: LabelScene, views: int, width: int, height: int) -> dict[str, np.ndarray]:
    """Labels of views that see nothing."""
    pixels, joints = (views, height, width), (views, len(scene.joints))
    labels = {
        "parts": np.zeros(pixels, np.uint8),
        "depth": np.zeros(pixels, np.float32),
        "normals": np.zeros((*pixels, 3), np.float32),
    }
    for name in scene.neighbours:
        labels |= {name: np.zeros((*pixels, 2), np.float32), f"{name}_visible": np.zeros(pixels, bool)}
    return labels | {"joint_visible": np.zeros(joints, bool), "joint_in_frame": np.zeros(joints, bool)}


def _label_view(
    view: dict[str, np.ndarray], scene: LabelScene, K: np.ndarray, world_to_cam: np.ndarray, lens: Lens | None
) -> None:
    """Write into a view of `_blank` what it sees."""
    height, width = view["parts"].shape
    viewed = view_vertices(scene.vertices, K, world_to_cam)
    if lens is None:
        depth, triangle, barycentric = rasterise(viewed, scene.faces, width, height)
    else:
        depth, triangle, barycentric = rasterise_picture(viewed, scene.faces, lens, width, height)
    if scene.occluded:
        triangle[scene.face_part[triangle] == 0] = -1
    np.copyto(view["depth"], depth, where=triangle >= 0, casting="same_kind")
    surface, normals = (triangle, barycentric, scene.faces), scene.normals @ world_to_cam[:3, :3].T
    shade(*surface, scene.face_part, normals, view["parts"], view["normals"])
    for name, target in scene.neighbours.items():
        if target is not None:
            in_camera = to_camera(target, world_to_cam[None])[0]
            if lens is None:
                there, limit, pixel = displace(*surface, in_camera, K, view[name])
            else:
                there, limit, pixel = displace_in_picture(surface, in_camera, lens, view[name])
            moved, limit = view_vertices(target, K, world_to_cam), limit - OCCLUSION_TOLERANCE
            _, hidden_by = rasterise_points(moved, scene.faces, there, width, height, limit)
            view[f"{name}_visible"].reshape(-1)[pixel] = hidden_by < 0
    joints = _joints(scene, viewed, world_to_cam, lens, width, height)
    view["joint_visible"][:], view["joint_in_frame"][:] = joints


def _joints(
    scene: LabelScene, viewed: Viewed, world_to_cam: np.ndarray, lens: Lens | None, width: int, height: int
) -> tuple[np.ndarray, np.ndarray]:
    """Which of the joints are not occluded, and which lie within the image: two (J,) bool arrays."""
    z = to_camera(scene.joints, world_to_cam[None])[0, :, 2]
    image = np.nan_to_num(project(scene.joints, viewed.K[None], world_to_cam[None])[0], nan=-1.0)  # behind the camera
    shown = image if lens is None else np.nan_to_num(lens.seen(image), nan=-1.0)
    in_frame = ((shown >= 0) & (shown < (width, height))).all(1) & (z > 0)
    first, triangle = rasterise_points(viewed, scene.faces, image, width, height)
    if scene.adjoining is None:
        return (first >= z - OCCLUSION_TOLERANCE) & (z > 0), in_frame
    part = np.where(triangle >= 0, scene.face_part[triangle], 0)
    return (scene.adjoining[np.arange(len(part)), part] | (first > z)) & (z > 0), in_frame
