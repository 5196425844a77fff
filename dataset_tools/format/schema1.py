"""Schema version 1, frozen: what its files hold and how, for they do not say it themselves. Never to be changed."""

from __future__ import annotations

from .codecs import Constants
from .elements import Element

CONSTANTS: dict[str, Constants] = {
    "plain": {},
    "text": {"charset": "utf-8"},
    "jpeg": {"quality": 95, "sampling": "4:4:4", "colour": "sRGB"},
    "zstd": {},
    "depth": {"background": 0, "first": 1},
    "octahedral": {"background": 0, "codes": 8191, "offset": 8192},
    "flow": {},
    "bits": {"bitorder": "big"},
}

TABLE: tuple[tuple[str, str, str, tuple[str | int, ...]], ...] = (  # path, encoding, dtype, shape
    ("images/rgb", "jpeg", "uint8", ("V", "H", "W", 3)),
    ("images/alpha", "zstd", "uint8", ("V", "H", "W")),
    ("images/parts", "zstd", "uint8", ("V", "H", "W")),
    ("images/depth", "depth", "float32", ("V", "H", "W")),
    ("images/normals", "octahedral", "float32", ("V", "H", "W", 3)),
    ("images/flow_forward", "flow", "float32", ("V", "H", "W", 2)),
    ("images/flow_backward", "flow", "float32", ("V", "H", "W", 2)),
    ("images/flow_forward_visible", "bits", "bool", ("V", "H", "W")),
    ("images/flow_backward_visible", "bits", "bool", ("V", "H", "W")),
    ("geometry/flow_forward_valid", "plain", "bool", ()),
    ("geometry/flow_backward_valid", "plain", "bool", ()),
    ("geometry/joints_world", "plain", "float32", (21, 3)),
    ("geometry/joint_visible", "plain", "bool", ("V", 21)),
    ("geometry/joint_in_frame", "plain", "bool", ("V", 21)),
    ("geometry/vertices_world", "plain", "float32", ("N", 3)),
    ("geometry/arm_vertices_world", "plain", "float32", ("A", 3)),
    ("geometry/K", "plain", "float64", ("V", 3, 3)),
    ("geometry/world_to_cam", "plain", "float64", ("V", 4, 4)),
    ("metadata/sample", "plain", "int64", ()),
    ("metadata/seed", "text", "str", ()),
    ("metadata/pair", "plain", "int64", ()),
    ("metadata/pair_role", "plain", "uint8", ()),
    ("metadata/clip", "text", "str", ()),
    ("metadata/subject", "plain", "int64", ()),
    ("metadata/shape", "plain", "float32", ("C",)),
    ("metadata/hand_length", "plain", "float32", ()),
    ("metadata/ita", "plain", "float32", ()),
    ("metadata/monk_bin", "plain", "uint8", ()),
    ("metadata/hand", "text", "str", ()),
    ("metadata/mirrored", "plain", "bool", ()),
    ("metadata/pose_source", "text", "str", ()),
    ("metadata/source_frame", "text", "str", ()),
    ("metadata/source_joints", "plain", "float32", (21, 3)),
    ("metadata/residual", "plain", "float32", (21,)),
    ("metadata/wrist_angles", "plain", "float32", (2,)),
    ("metadata/light", "text", "str", ()),
    ("metadata/background", "text", "str", ()),
    ("metadata/arm_style", "text", "str", ()),
    ("metadata/split", "text", "str", ()),
    ("shard/faces", "plain", "int32", ("F", 3)),
    ("shard/face_part", "plain", "uint8", ("F",)),
    ("shard/arm_faces", "plain", "int32", ("B", 3)),
)

ELEMENTS = {path: Element(encoding, 1, CONSTANTS[encoding], dtype, shape) for path, encoding, dtype, shape in TABLE}
