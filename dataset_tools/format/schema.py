"""Schema of a shard, version 2: every field once. Writer, checks and docs/format.md follow this table.

The loader follows what a file says of itself (`elements`), and for files of version 1 the table in `schema1`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rigging.errors import InputError

SCHEMA_VERSION = 2
FORMAT = "mvhm-shard"

# The letters in shapes; a shard says their values in its attribute `sizes`. 21 (joints) is fixed by the joint order.
SYMBOLS = {
    "V": "views of a sample",
    "H": "image height, px",
    "W": "image width, px",
    "N": "vertices of the hand (2651 for the hand that ships)",
    "F": "triangles of the hand (5298)",
    "A": "vertices of the arm",
    "B": "triangles of the arm",
    "C": "components of the shape space",
}


class SchemaError(InputError):
    """A record does not fit the schema."""


@dataclass(frozen=True)
class Field:
    """One named array of a sample (or, per "shard", of the file).

    `shape` is that of the loader's array, in letters of SYMBOLS and numbers; `dtype` is numpy's name or "str".
    `codec` names an entry of `codecs.CODECS`; `error` bounds |loaded - recorded|. A field with `derived_from` is
    not stored: the loader computes it.
    """

    name: str
    group: str  # "images", "geometry", "metadata" or "shard": its folder in the file
    dtype: str
    shape: tuple[str | int, ...]
    unit: str
    frame: str
    description: str
    codec: str = "plain"
    error: str = "0"
    derived_from: tuple[str, ...] = ()

    @property
    def per(self) -> str:
        """What one array of the field belongs to: "view" (first axis is V), "sample" or "shard"."""
        if self.group == "shard":
            return "shard"
        return "view" if self.shape[:1] == ("V",) else "sample"

    @property
    def stored(self) -> bool:
        return not self.derived_from

    @property
    def attribute(self) -> bool:
        """Whether it is an attribute of the file; a long text is none: HDF5 keeps no checksum of one above 4 KiB."""
        return self.group == "shard" and not self.shape and self.codec != "text"

    @property
    def path(self) -> str:
        """Dataset (codec "plain") or group (other codecs) inside the file."""
        return f"{self.group}/{self.name}"


VHW = ("V", "H", "W")
FLOW = "of the surface point seen at the pixel, to where the same camera sees it at {}; x right, y down"
FLOW_SEEN = "that surface point is inside the image and not hidden at {}"

IMAGES = (
    Field("rgb", "images", "uint8", (*VHW, 3), "sRGB", "image",
          "The photograph, hand and arm composited over the background.", "jpeg", "lossy: JPEG quality 95, 4:4:4"),
    Field("alpha", "images", "uint8", VHW, "1/255", "image",
          "Coverage of the pixel by hand and arm as rendered (anti-aliased).", "zstd"),
    Field("mask", "images", "bool", VHW, "-", "image",
          "The pixel's centre shows the hand (parts 1 to 17, not the arm).", derived_from=("parts",)),
    Field("amodal_mask", "images", "bool", VHW, "-", "image",
          "The hand's mesh covers the pixel's centre, whatever lies before it, the arm or nothing.",
          derived_from=("vertices_world", "K", "world_to_cam")),
    Field("parts", "images", "uint8", VHW, "index into part_names", "image",
          "Part seen at the pixel's centre: 0 background, 1 to 17 hand, 18 arm.", "zstd"),
    Field("depth", "images", "float32", VHW, "m", "camera",
          "z of the hand or arm at the pixel's centre (not the distance along the ray); 0 is background.",
          "depth", "max(far - near, 0.524 m) / 131068, and float32 rounding: 0.0041 mm up to a range of 0.524 m"),
    Field("normals", "images", "float32", (*VHW, 3), "unit vector", "camera",
          "Surface normal at the pixel's centre, interpolated from vertex normals; 0 is background.",
          "octahedral", "0.015 degrees"),
    Field("flow_forward", "images", "float32", (*VHW, 2), "px", "image",
          "(dx, dy) " + FLOW.format("t + 1") + "; 0 is background.",
          "flow", "max(1/128 px, largest |flow| of the view / 65534): 0.0079 px up to a flow of 511 px"),
    Field("flow_backward", "images", "float32", (*VHW, 2), "px", "image",
          "(dx, dy) " + FLOW.format("t - 1") + "; 0 is background.", "flow", "as flow_forward"),
    Field("flow_forward_visible", "images", "bool", VHW, "-", "image", FLOW_SEEN.format("t + 1").capitalize() + ".",
          "bits"),
    Field("flow_backward_visible", "images", "bool", VHW, "-", "image",
          FLOW_SEEN.format("t - 1").capitalize() + ".", "bits"),
)  # fmt: skip

GEOMETRY = (
    Field("flow_forward_valid", "geometry", "bool", (), "-", "-",
          "The sample has a neighbour at t + 1; else flow_forward is 0 everywhere."),
    Field("flow_backward_valid", "geometry", "bool", (), "-", "-",
          "The sample has a neighbour at t - 1; else flow_backward is 0 everywhere."),
    Field("joints_world", "geometry", "float32", (21, 3), "m", "world", "The joints, in the order of joint_names."),
    Field("joints_cam", "geometry", "float32", ("V", 21, 3), "m", "camera", "The joints in each camera's axes.",
          error="float32 rounding", derived_from=("joints_world", "world_to_cam")),
    Field("joints_2d", "geometry", "float32", ("V", 21, 2), "px", "image", "The joints projected: (x, y).",
          error="float32 rounding", derived_from=("joints_world", "world_to_cam", "K")),
    Field("joint_visible", "geometry", "bool", ("V", 21), "-", "image",
          "The first surface on the ray to the joint is of a part that adjoins it (joints lie inside the flesh)."),
    Field("joint_in_frame", "geometry", "bool", ("V", 21), "-", "image", "The projected joint is inside the image."),
    Field("vertices_world", "geometry", "float32", ("N", 3), "m", "world", "The hand's vertices; triangles: faces."),
    Field("arm_vertices_world", "geometry", "float32", ("A", 3), "m", "world",
          "The arm's vertices; triangles: arm_faces."),
    Field("K", "geometry", "float64", ("V", 3, 3), "px", "camera to image", "Intrinsic matrix."),
    Field("world_to_cam", "geometry", "float64", ("V", 4, 4), "m", "world to camera", "Extrinsic matrix."),
)  # fmt: skip

METADATA = tuple(
    Field(name, "metadata", dtype, shape, unit, frame, description)
    for name, dtype, shape, unit, frame, description in (
        ("sample", "int64", (), "-", "-", "Index of the sample in the release."),
        ("seed", "str", (), "-", "-", "Seed that everything random of the sample was drawn from."),
        ("pair", "int64", (), "-", "-", "Pair the sample belongs to; a pair shares cameras, light and subject."),
        ("pair_role", "uint8", (), "-", "-", "0: the pair's frame t, 1: its frame t + 1."),
        ("clip", "str", (), "-", "-", "Recording or sequence that the pose is from."),
        ("subject", "int64", (), "-", "-", "Subject: one hand shape and skin."),
        ("shape", "float32", ("C",), "standard deviations", "-", "Shape coefficients of the subject."),
        ("hand_length", "float32", (), "m", "-", "Wrist crease to the tip of the middle finger, at rest."),
        ("ita", "float32", (), "degrees", "-", "Skin tone: individual typology angle."),
        ("monk_bin", "uint8", (), "-", "-", "Skin tone: bin of the Monk scale, 1 to 10."),
        ("hand", "str", (), "-", "-", 'The hand shown: "right" or "left".'),
        ("mirrored", "bool", (), "-", "-", "The pose was mirrored from a recording of the other hand."),
        ("pose_source", "str", (), "-", "-", "Data set (or sampler) that the pose is from."),
        ("source_frame", "str", (), "-", "-", "Frame of that source."),
        ("source_joints", "float32", (21, 3), "m", "world", "The source's own joints, placed in this world."),
        ("residual", "float32", (21,), "m", "-", "Distance of joints_world from source_joints."),
        ("wrist_angles", "float32", (2,), "rad", "palm",
         "Bend of the forearm against the palm: flexion, deviation."),
        ("light", "str", (), "-", "-", "Light, as JSON."),
        ("background", "str", (), "-", "-", "Background, as JSON."),
        ("arm_style", "str", (), "-", "-", '"bare" or "sleeve".'),
        ("split", "str", (), "-", "-", 'Split: "train", "val", "test" or one of "test_*", by what it holds out.'),
    )
)  # fmt: skip

LONG = ("configuration", "package_versions")  # texts of any length: no attributes since version 2
SHARD = tuple(
    Field(name, "shard", dtype, shape, "-", "-", description, "text" if name in LONG else "plain")
    for name, dtype, shape, description in (
        ("faces", "int32", ("F", 3), "Triangles of the hand, counter-clockwise from outside (left hands: clockwise)."),
        ("face_part", "uint8", ("F",), "Part of each triangle of the hand: index into part_names."),
        ("arm_faces", "int32", ("B", 3), "Triangles of the arm."),
        ("release", "str", (), "Name of the release."),
        ("shard", "int64", (), "Number of the shard in the release."),
        ("configuration", "str", (), "Everything that decided the content, as JSON."),
        ("configuration_hash", "str", (), "Hash of the configuration: equal hashes, equal bytes."),
        ("package_versions", "str", (), "Versions of the packages used, as JSON."),
        ("device", "str", (), "Type of device that rendered."),
        ("licence", "str", (), "Licence of the data."),
        ("retarget", "str", (), 'How poses meet bone lengths: "directions" or "positions".'),
        ("spin_mode", "str", (), "Mode of spin matching."),
    )
)  # fmt: skip

SAMPLE_FIELDS = {field.name: field for field in IMAGES + GEOMETRY + METADATA}
SHARD_FIELDS = {field.name: field for field in SHARD}


def check_record(record: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, np.ndarray | str]:
    """The stored `fields` of `record` as arrays (or str), once names, dtypes, shapes and finiteness are checked.

    Raises SchemaError naming what is missing, not in the schema, or of a wrong dtype or shape.
    """
    stored = {name: field for name, field in fields.items() if field.stored}
    if missing := sorted(set(stored) - set(record)):
        raise SchemaError(f"the record lacks {', '.join(missing)}")
    if extra := sorted(set(record) - set(stored)):
        derived = [name for name in extra if name in fields]
        hint = f" (the loader derives {', '.join(derived)})" if derived else ""
        raise SchemaError(f"not in schema version {SCHEMA_VERSION}: {', '.join(extra)}{hint}")
    values = {name: _value(record[name], field) for name, field in stored.items()}
    sizes_of(values, stored)
    return values


def _value(value: Any, field: Field) -> np.ndarray | str:
    if field.dtype == "str":
        if not isinstance(value, str):
            raise SchemaError(f"{field.name}: a str is wanted, got {type(value).__name__}")
        return value
    array = np.asarray(value)
    if array.ndim == 0 and not isinstance(value, np.ndarray):
        array = _scalar(array, field)
    if array.dtype != field.dtype:
        raise SchemaError(f"{field.name}: dtype {field.dtype} is wanted, got {array.dtype}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise SchemaError(f"{field.name}: holds NaN or infinity")
    return array


def _scalar(array: np.ndarray, field: Field) -> np.ndarray:
    """Python's numbers have no width: cast within a kind (bool, integer, float) where the value fits."""
    kinds = {"b": "b", "i": "iu", "u": "iu", "f": "iuf"}[np.dtype(field.dtype).kind]
    if array.dtype.kind not in kinds:
        raise SchemaError(f"{field.name}: dtype {field.dtype} is wanted, got {array.dtype}")
    cast = array.astype(field.dtype)
    if cast.dtype.kind in "iu" and cast != array:
        raise SchemaError(f"{field.name}: {array} does not fit {field.dtype}")
    return cast


def sizes_of(values: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, int]:
    """Value of every letter in the shapes of `fields`. Raises SchemaError where arrays disagree."""
    sizes: dict[str, int] = {}
    for name, field in fields.items():
        if field.dtype == "str":
            continue
        shape = values[name].shape
        wanted = "(" + ", ".join(map(str, field.shape)) + ")"
        if len(shape) != len(field.shape):
            raise SchemaError(f"{name}: shape {wanted} is wanted, got {shape}")
        for letter, size in zip(field.shape, shape):
            expected = letter if isinstance(letter, int) else sizes.setdefault(letter, size)
            if size != expected:
                raise SchemaError(f"{name}: shape {wanted} with {sizes} is wanted, got {shape}")
    return sizes
