"""A sample as what the viewer shows: paths of entities, and what is logged there.

world                            +z up, metres
world/hand, world/arm            meshes
world/joints, world/bones        joints inside the flesh
world/cameras/V                  where camera V is
world/cameras/V/photograph       its pinhole and picture; below it labels in that picture: mask, parts,
                                 joints, bones, flow_forward, flow_backward
world/cameras/V/depth            depth with a pinhole of its own: see `layout.from_corners`
sample                           what is known of the sample, as text
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import rerun as rr

from rigging.geometry.mesh import vertex_normals
from rigging.joints import JOINT_NAMES, JOINT_PARENTS, PART_NAMES

from ..load.dataset import HandDataset, outward
from ..pictures.drawing import joint_colours, part_colours
from .describe import description
from .layout import HALF, arrow_pixels, from_corners, vertex_parts

FLOWS = ("flow_forward", "flow_backward")
BONES = [(parent, joint) for joint, parent in enumerate(JOINT_PARENTS) if parent >= 0]
JOINT_RADIUS, BONE_RADIUS = 0.0022, 0.0011  # m
JOINT_DOT, BONE_WIDTH, ARROW_WIDTH = 2.6, 1.0, 0.8  # points on the screen, as radii
HIDDEN = (150, 150, 156)
MASK, FLOW = (235, 64, 90), (46, 148, 222)
IMAGE_PLANE = 0.12  # m from a camera to its picture
POINT_FILL = 0.35  # of a pixel: the mesh shows between the points of depth
Entity = tuple[str, Any]  # path and archetype


def camera_path(view: int) -> str:
    """The path of a camera."""
    return f"world/cameras/{view}"


def photograph_path(view: int) -> str:
    """The path of a camera's picture."""
    return f"{camera_path(view)}/photograph"


def depth_path(view: int) -> str:
    """The path of a camera's depth."""
    return f"{camera_path(view)}/depth"


def lasting_entities(views: int) -> Iterator[Entity]:
    """What holds for all samples: which way is up, and the colours of classes."""
    yield "world", rr.ViewCoordinates.RIGHT_HAND_Z_UP
    named = zip(PART_NAMES, part_colours().tolist())
    parts = [(number, name, (*colour, 255 if number else 0)) for number, (name, colour) in enumerate(named)]
    yield "world", rr.AnnotationContext(parts)
    for view in range(views):
        yield f"{photograph_path(view)}/mask", rr.AnnotationContext([(0, "", (0, 0, 0, 0)), (1, "hand", MASK)])


def sample_entities(sample: Mapping[str, Any], streams: Sequence[bytes], dataset: HandDataset) -> Iterator[Entity]:
    """All that is logged of a sample of `dataset`, and of its V JPEG streams."""
    yield "sample", rr.TextDocument(description(sample["meta"]), media_type=rr.MediaType.MARKDOWN)
    yield from meshes(sample, dataset)
    yield from skeleton(sample["joints_world"])
    near, far = _range(sample["depth"])
    for view, stream in enumerate(streams):
        yield from camera_entities(view, sample, stream)
        yield from labels(view, sample)
        yield from depth_entity(view, sample, (near, far))


def meshes(sample: Mapping[str, Any], dataset: HandDataset) -> Iterator[Entity]:
    """Hand and arm in m, their triangles counter-clockwise from outside for either hand, in the colours of parts."""
    hand, colours = sample["meta"]["hand"], part_colours()
    whose = vertex_parts(dataset.faces, dataset.face_part, len(sample["vertices_world"]))
    yield "world/hand", _mesh(sample["vertices_world"], outward(dataset.faces, hand), colours[whose])
    arm = np.repeat(colours[-1:], len(sample["arm_vertices_world"]), axis=0)
    yield "world/arm", _mesh(sample["arm_vertices_world"], outward(dataset.arm_faces, hand), arm)


def skeleton(joints: np.ndarray) -> Iterator[Entity]:
    """Joints (21, 3) m and the bones between them."""
    colours = joint_colours()
    yield "world/joints", rr.Points3D(joints, colors=colours, radii=JOINT_RADIUS, labels=JOINT_NAMES, show_labels=False)
    strips = [joints[list(bone)] for bone in BONES]
    yield "world/bones", rr.LineStrips3D(strips, colors=[colours[joint] for _, joint in BONES], radii=BONE_RADIUS)


def camera_entities(view: int, sample: Mapping[str, Any], stream: bytes) -> Iterator[Entity]:
    """Where camera `view` is, its pinhole (x right, y down, z forward, as ours), and its picture as it is stored."""
    matrix, (height, width) = sample["world_to_cam"][view], sample["depth"].shape[1:]
    yield (
        camera_path(view),
        rr.Transform3D(translation=matrix[:3, 3], mat3x3=matrix[:3, :3], relation=rr.TransformRelation.ChildFromParent),
    )
    yield photograph_path(view), _pinhole(sample["K"][view], width, height)
    yield photograph_path(view), rr.EncodedImage(contents=stream, media_type="image/jpeg")


def depth_entity(view: int, sample: Mapping[str, Any], limits: tuple[float, float]) -> Iterator[Entity]:
    """Depth in m, coloured between `limits`, with a pinhole by which the viewer's points lie on the surface."""
    height, width = sample["depth"].shape[1:]
    yield depth_path(view), _pinhole(from_corners(sample["K"][view]), width, height)
    yield (
        depth_path(view),
        rr.DepthImage(sample["depth"][view], meter=1.0, depth_range=limits, point_fill_ratio=POINT_FILL),
    )


def labels(view: int, sample: Mapping[str, Any]) -> Iterator[Entity]:
    """Labels in the picture of camera `view`: mask, parts, joints (grey: hidden), bones, flow where there is one."""
    path = photograph_path(view)
    yield f"{path}/mask", rr.SegmentationImage(sample["mask"][view].astype(np.uint8))
    yield f"{path}/parts", rr.SegmentationImage(sample["parts"][view])
    joints, seen = sample["joints_2d"][view], sample["joint_visible"][view]
    colours = joint_colours()
    dots = np.where(seen[:, None], colours, np.uint8(HIDDEN))
    strips = [joints[list(bone)] for bone in BONES]
    yield (
        f"{path}/bones",
        rr.LineStrips2D(strips, colors=[colours[j] for _, j in BONES], radii=rr.Radius.ui_points(BONE_WIDTH)),
    )
    yield (
        f"{path}/joints",
        rr.Points2D(joints, colors=dots, radii=rr.Radius.ui_points(JOINT_DOT), labels=JOINT_NAMES, show_labels=False),
    )
    for name in FLOWS:
        yield f"{path}/{name}", _arrows(sample[name][view], sample["depth"][view], bool(sample[f"{name}_valid"]))


def _arrows(flow: np.ndarray, depth: np.ndarray, valid: bool) -> rr.Arrows2D | rr.Clear:
    """Where surface points go; nothing, also nothing of the sample before, if there is no neighbour."""
    if not valid:
        return rr.Clear(recursive=False)
    at = arrow_pixels(depth)
    vectors = flow[at[:, 0], at[:, 1]]
    return rr.Arrows2D(vectors=vectors, origins=at[:, ::-1] + HALF, colors=FLOW, radii=rr.Radius.ui_points(ARROW_WIDTH))


def _mesh(vertices: np.ndarray, faces: np.ndarray, colours: np.ndarray) -> rr.Mesh3D:
    normals = vertex_normals(vertices.astype(float), faces)
    return rr.Mesh3D(vertex_positions=vertices, triangle_indices=faces, vertex_normals=normals, vertex_colors=colours)


def _pinhole(K: np.ndarray, width: int, height: int) -> rr.Pinhole:
    return rr.Pinhole(
        image_from_camera=K, resolution=(width, height), camera_xyz=rr.ViewCoordinates.RDF,
        image_plane_distance=IMAGE_PLANE,
    )  # fmt: skip


def _range(depth: np.ndarray) -> tuple[float, float]:
    """Nearest and farthest depth (V, H, W) of a surface, m."""
    there = depth[depth > 0]
    return (float(there.min()), float(there.max())) if there.size else (0.0, 1.0)
