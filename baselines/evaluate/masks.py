"""Silhouettes of meshes against masks, at the pixels of a crop: HAMR's measure of how well a mesh fits it."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

from rigging.hand.asset import load_asset

from ..batch import Batch
from ..geometry.camera import project
from ..layers.raster import nearest_faces
from ..metrics.shapes import mask_iou


def overlap(vertices: Tensor | None, batch: Batch) -> np.ndarray | None:
    """IoU (B,) of what meshes (B, 2651, 3) m cover and the hand's masks; NaN where the mask is not known.

    A pixel is covered if a triangle covers its centre; what lies before the hand covers nothing. None without meshes or
    masks.
    """
    if vertices is None or batch.mask is None:
        return None
    known = batch.mask.flatten(1).any(1).cpu().numpy()
    iou = mask_iou(silhouettes(vertices, batch.K, batch.size).cpu().numpy(), batch.mask.cpu().numpy())
    return np.where(known, iou, np.nan)


def silhouettes(vertices: Tensor, K: Tensor, size: int) -> Tensor:
    """(B, S, S) bool: pixels whose centres meshes (B, 2651, 3) m cover, as cameras K (B, 3, 3) see them."""
    seen = torch.cat([project(vertices, K), vertices[..., 2:]], -1)
    return nearest_faces(seen, _faces().to(vertices.device), size, size) >= 0


@cache
def _faces() -> Tensor:
    """(F, 3) int64 of our hand."""
    return torch.from_numpy(load_asset().faces).long()
