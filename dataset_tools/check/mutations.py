"""Mutations: what goes wrong with data sets of hands, done on purpose, so that checks can show what they catch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rigging.joints import ARM_PART
from rigging.poses.readers.permutations import JOINT_ORDERS

from ..format.schema import IMAGES

Record = dict[str, Any]  # arrays of a sample as `encode_sample` takes them
VIEW_IMAGES = tuple(field.name for field in IMAGES if field.stored)
FLOWS = ("flow_forward", "flow_backward")
IDENTITY = ("sample", "seed", "pair", "pair_role", "split")  # what a sample is called, not what it shows
SHIFT = 2.0  # px
PERMUTED = 0.01  # share of the vertices
FOREIGN_ORDER = "rhd"  # every finger from its tip


class MutationError(ValueError):
    """A mutation that a sample does not allow."""


@dataclass(frozen=True)
class Mutation:
    """One kind of damage to a sample.

    `change(record, rng, partner)` gives the fields that change and leaves its arguments alone; `partner` is the record
    of a sample of another pair where `needs_partner`. `named_by` are the checks of which one must name it. Where
    `needs_original`, breaking a whole release leaves every second pair as it is.
    """

    name: str
    breaks: str
    named_by: tuple[str, ...]
    change: Callable[[Record, np.random.Generator, Record], Record]
    needs_partner: bool = False
    needs_original: bool = False

    def apply(self, record: Record, rng: np.random.Generator, partner: Record | None = None) -> Record:
        """A broken copy of `record`. Raises MutationError where the record offers nothing to break."""
        if self.needs_partner and partner is None:
            raise MutationError(f"{self.name}: needs a second sample")
        return record | self.change(record, rng, partner or {})


def _labels_shuffled(record: Record, rng: np.random.Generator, partner: Record) -> Record:
    return {"rgb": partner["rgb"]}


def _image_replaced(record: Record, rng: np.random.Generator, partner: Record) -> Record:
    view = _view(record, rng)
    return {"rgb": _with(record["rgb"], view, partner["rgb"][view])}


def _sample_duplicated(record: Record, rng: np.random.Generator, partner: Record) -> Record:
    return {name: value for name, value in partner.items() if name not in IDENTITY}


def _cameras_swapped(record: Record, rng: np.random.Generator, partner: Record) -> Record:
    order = np.arange(len(record["K"]))
    if len(order) < 2:
        raise MutationError("cameras-swapped: needs two views")
    first, second = rng.choice(len(order), 2, replace=False)
    order[[first, second]] = second, first
    return {name: record[name][order] for name in ("K", "world_to_cam")}


def _view_mirrored(record: Record, rng: np.random.Generator, partner: Record) -> Record:
    view = _view(record, rng)
    return {name: _with(record[name], view, _mirror(name, record[name][view])) for name in VIEW_IMAGES}


def _picture_mirrored(record: Record, rng: np.random.Generator, partner: Record) -> Record:
    view = _view(record, rng)
    return {"rgb": _with(record["rgb"], view, record["rgb"][view][:, ::-1])}


def _intrinsics_shifted(record: Record, rng: np.random.Generator, partner: Record) -> Record:
    K = record["K"].copy()
    K[:, 0, 2] += SHIFT
    return {"K": K}


def _vertices_permuted(record: Record, rng: np.random.Generator, partner: Record) -> Record:
    vertices = record["vertices_world"].copy()
    chosen = rng.choice(len(vertices), max(2, round(PERMUTED * len(vertices))), replace=False)
    vertices[chosen] = vertices[np.roll(chosen, 1)]
    return {"vertices_world": vertices}


def _depth_in_millimetres(record: Record, rng: np.random.Generator, partner: Record) -> Record:
    return {"depth": record["depth"] * np.float32(1000)}


def _flow_flipped(record: Record, rng: np.random.Generator, partner: Record) -> Record:
    if not any(record[name].any() for name in FLOWS):
        raise MutationError("flow-flipped: the sample has no flow")
    return {name: -record[name] for name in FLOWS}


def _joints_reordered(record: Record, rng: np.random.Generator, partner: Record) -> Record:
    order = np.argsort(JOINT_ORDERS[FOREIGN_ORDER].indices)
    return {
        **{name: record[name][order] for name in ("joints_world", "source_joints", "residual")},
        **{name: np.take(record[name], order, axis=1) for name in ("joint_visible", "joint_in_frame")},
    }


def _hand_renamed(record: Record, rng: np.random.Generator, partner: Record) -> Record:
    return {"hand": "left" if record["hand"] == "right" else "right"}


def _normals_in_world(record: Record, rng: np.random.Generator, partner: Record) -> Record:
    back = record["world_to_cam"][:, :3, :3].transpose(0, 2, 1)
    return {"normals": np.einsum("vij,vhwj->vhwi", back, record["normals"]).astype(np.float32)}


def _masks_shifted(record: Record, rng: np.random.Generator, partner: Record) -> Record:
    parts = np.zeros_like(record["parts"])
    parts[:, :, 1:] = record["parts"][:, :, :-1]
    return {"parts": parts}


def _view(record: Record, rng: np.random.Generator) -> int:
    """A view that shows the hand."""
    views = np.flatnonzero(((record["parts"] > 0) & (record["parts"] != ARM_PART)).any((1, 2)))
    if not len(views):
        raise MutationError("no view shows the hand")
    return int(rng.choice(views))


def _with(images: np.ndarray, view: int, image: np.ndarray) -> np.ndarray:
    """A copy of images (V, ...) with another one in `view`."""
    out = images.copy()
    out[view] = image
    return out


def _mirror(name: str, image: np.ndarray) -> np.ndarray:
    """An image (H, W, ...), left and right exchanged; the x of vectors changes its sign."""
    mirrored = image[:, ::-1].copy()
    if name == "normals" or name in FLOWS:
        mirrored[..., 0] *= -1
    return mirrored


_ALL = (
    Mutation("labels-shuffled", "a sample's labels lie with another sample's pictures", ("silhouette", "picture"),
             _labels_shuffled, needs_partner=True),
    Mutation("image-replaced", "the picture of one view is another sample's", ("background", "picture"),
             _image_replaced, needs_partner=True),
    Mutation("picture-mirrored", "the picture of one view is mirrored, its labels are not",
             ("background", "picture"),
             _picture_mirrored),
    Mutation("view-mirrored", "picture and labels of one view are mirrored, camera and mesh are not",
             ("parts", "depth"), _view_mirrored),
    Mutation("cameras-swapped", "two cameras are swapped", ("parts", "depth"), _cameras_swapped),
    Mutation("intrinsics-shifted", f"K: the principal points are {SHIFT:g} px off", ("intrinsics", "parts", "depth"),
             _intrinsics_shifted),
    Mutation("vertices-permuted", f"{PERMUTED:.0%} of the hand's vertices are permuted", ("depth", "edges"),
             _vertices_permuted),
    Mutation("depth-millimetres", "depth is in millimetres", ("depth",), _depth_in_millimetres),
    Mutation("flow-flipped", "flow has the other sign", ("flow",), _flow_flipped),
    Mutation("joints-reordered", "joints are in another order (each finger from its tip)", ("joints",),
             _joints_reordered),
    Mutation("hand-renamed", "a right hand is called left, or a left one right", ("handedness",), _hand_renamed),
    Mutation("normals-world", "normals are in the world's axes", ("normals",), _normals_in_world),
    Mutation("masks-shifted", "parts, and so the mask, are one pixel off", ("parts", "mask"), _masks_shifted),
    Mutation("sample-duplicated", "a sample has the whole content of another", ("duplicates",),
             _sample_duplicated, needs_partner=True, needs_original=True),
)  # fmt: skip
MUTATIONS: dict[str, Mutation] = {mutation.name: mutation for mutation in _ALL}
