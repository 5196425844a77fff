"""What two records or stored samples differ in, and what each mutation may change."""

from __future__ import annotations

import numpy as np

from dataset_tools.check.mutations import IDENTITY, VIEW_IMAGES
from dataset_tools.store.carry import STORED
from dataset_tools.store.encode import EncodedSample

CHANGES = {
    "labels-shuffled": {"rgb"},
    "image-replaced": {"rgb"},
    "picture-mirrored": {"rgb"},
    "view-mirrored": set(VIEW_IMAGES),
    "cameras-swapped": {"K", "world_to_cam"},
    "intrinsics-shifted": {"K"},
    "vertices-permuted": {"vertices_world"},
    "depth-millimetres": {"depth"},
    "flow-flipped": {"flow_forward", "flow_backward"},
    "joints-reordered": {"joints_world", "source_joints", "residual", "joint_visible", "joint_in_frame"},
    "hand-renamed": {"hand"},
    "normals-world": {"normals"},
    "masks-shifted": {"parts"},
    "sample-duplicated": set(STORED) - set(IDENTITY),
}


def differing(one: dict, other: dict) -> set[str]:
    return {name for name in one if not np.array_equal(one[name], other[name])}


def same_bytes(one: EncodedSample, other: EncodedSample) -> bool:
    values = one.values.keys() == other.values.keys() and all(
        np.array_equal(one.values[path], other.values[path]) for path in one.values
    )
    return values and (one.jpeg, one.chunks, one.dtypes, one.sizes) == (
        other.jpeg, other.chunks, other.dtypes, other.sizes)  # fmt: skip
