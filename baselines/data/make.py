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
    whole, alpha = _whole(raw, views)
    generator = torch.Generator().manual_seed(seed)
    valid = whole.joint_valid
    part = crop.squares(raw["joints_2d"], valid, data.margin)
    if augment is not None:
        part = crop.jitter(part, augment, generator)
    maps, samples = part.maps(data.size), crop.oversampling(whole.rgb.shape[-2:], data.size)
    batch = crop.move(whole, maps, data.size, samples)
    if augment is None:
        return batch
    cover = None if alpha is None else crop.cut(alpha, maps, data.size, samples)
    return augmented(batch, cover, augment, generator)


def _whole(raw: Raw, views: int) -> tuple[Batch, Tensor | None]:
    """Pictures as a batch before it is cropped, and their alpha (B, 1, H, W), 0 to 1, if there is any."""
    joints_2d, alpha = raw["joints_2d"], raw.get("alpha")
    batch = Batch(
        rgb=raw["rgb"].permute(0, 3, 1, 2).float() / 255,
        K=raw["K"],
        world_to_cam=raw["world_to_cam"],
        sample=raw["sample"],
        subject=raw["subject"],
        views=views,
        joints_cam=raw.get("joints_cam"),
        joints_2d=joints_2d,
        joint_valid=raw.get("joint_valid", torch.ones(joints_2d.shape[:2], dtype=torch.bool, device=joints_2d.device)),
        joint_visible=raw.get("joint_visible"),
        vertices_cam=_vertices_cam(raw),
        mask=raw.get("mask"),
        view=raw["view"],
    )
    return batch, None if alpha is None else alpha[:, None].float() / 255


def _vertices_cam(raw: Raw) -> Tensor | None:
    """(B, N, 3) float32 m."""
    if "vertices_world" not in raw:
        return None
    pose = raw["world_to_cam"].float()
    return raw["vertices_world"].float()[raw["owner"]] @ pose[:, :3, :3].mT + pose[:, None, :3, 3]
