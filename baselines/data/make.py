"""A batch made of whole pictures, on the device: cropped, and augmented for training."""

from __future__ import annotations

import torch
from torch import Tensor

from ..batch import Batch
from ..config import Augment, Data
from . import crop
from .augment import augmented
from .reading import Raw


@torch.no_grad()
def make_batch(raw: Raw, data: Data, views: int = 1, augment: Augment | None = None, seed: int = 0) -> Batch:
    """The crops of `raw` (see `read_crops`); with `augment` changed at random, as a function of `seed` alone."""
    with torch.autocast(raw["rgb"].device.type, enabled=False):
        return _made(raw, data, views, augment, torch.Generator().manual_seed(seed))


def _made(raw: Raw, data: Data, views: int, augment: Augment | None, generator: torch.Generator) -> Batch:
    whole = _whole(raw, views)
    part = crop.squares(*_extent(raw, whole), data.margin)
    if augment is not None:
        part = crop.jitter(part, augment, generator)
    maps, samples = part.maps(data.size), crop.oversampling(whole.rgb.shape[-2:], data.size)
    batch = crop.move(whole, maps, data.size, samples)
    if augment is None:
        return batch
    alpha = None
    if augment.background and "alpha" in raw:
        alpha = crop.cut(raw["alpha"][:, None].float() / 255, maps, data.size, samples)
    return augmented(batch, alpha, augment, generator)


def _whole(raw: Raw, views: int) -> Batch:
    """Pictures and labels as a batch before it is cropped; joints without a label are 0."""
    valid = raw["joints_2d"].isfinite().all(-1)
    if "joint_valid" in raw:
        valid &= raw["joint_valid"]
    return Batch(
        rgb=raw["rgb"].permute(0, 3, 1, 2).float() / 255,
        K=raw["K"],
        world_to_cam=raw["world_to_cam"],
        sample=raw["sample"],
        subject=raw["subject"],
        views=views,
        joints_cam=torch.where(valid[..., None], raw["joints_cam"], 0) if "joints_cam" in raw else None,
        joints_2d=torch.where(valid[..., None], raw["joints_2d"], 0),
        joint_valid=valid,
        joint_visible=raw.get("joint_visible"),
        vertices_cam=_vertices_cam(raw),
        mask=raw.get("mask"),
        depth=_depth_of_hand(raw),
        view=raw["view"],
        label_confidence=raw.get("label_confidence"),
    )


def _extent(raw: Raw, whole: Batch) -> tuple[Tensor, Tensor]:
    """Points (B, n, 2) px that a crop is made about, and which there are (B, n): joints, and corners of `hand_box`."""
    located, sure = whole.joint_valid, whole.label_confidence
    if sure is not None:
        located = crop.trusted(whole.joints_2d, located, sure)
    if "hand_box" not in raw:
        return whole.joints_2d, located
    corners = raw["hand_box"].unflatten(-1, (2, 2)).to(whole.joints_2d)
    known = corners.isfinite().all(-1)
    return torch.cat([whole.joints_2d, corners], 1), torch.cat([located, known], 1)


def _depth_of_hand(raw: Raw) -> Tensor | None:
    """(B, H, W) float32 m: a release's depth is the arm's, too; a mask says what is the hand's."""
    if "depth" not in raw:
        return None
    return raw["depth"] * raw["mask"] if "mask" in raw else raw["depth"]


def _vertices_cam(raw: Raw) -> Tensor | None:
    """(B, N, 3) float32 m."""
    if "vertices_world" not in raw:
        return None
    pose = raw["world_to_cam"].double()  # float64 is what neither TF32 nor autocast make less of
    points = raw["vertices_world"].double()[raw["owner"]]
    return (points @ pose[:, :3, :3].mT + pose[:, None, :3, 3]).float()
