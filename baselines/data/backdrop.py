"""What stands behind the hand, replaced: by the backgrounds of other crops, or by a user's own pictures."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from rigging.errors import InputError

MOST = 2000  # pictures of a folder that are kept, 49 KB each
SIDE = 128  # px
EDGE = 1  # px about the hand that may show some of it, once its picture is resampled
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")


def composite(images: Tensor, alpha: Tensor, behind: Tensor) -> Tensor:
    """Images (B, 3, S, S) whose background is replaced, through alpha (B, 1, S, S).

    The hand's edge keeps a trace of the old background, as `rgb` is stored composited.
    """
    return alpha * images + (1 - alpha) * behind


def filled(images: Tensor, alpha: Tensor) -> Tensor:
    """Images (B, 3, S, S) without what alpha (B, 1, S, S) covers: filled in from around, by push and pull.

    Gortler et al. 1996, The Lumigraph, section 3.4: means over known pixels, coarser and coarser, fill the unknown.
    """
    near = F.max_pool2d(alpha, 2 * EDGE + 1, stride=1, padding=EDGE)  # pixels at the edge show some of the hand
    weight = (near <= 0).to(images.dtype)
    return _pulled(images * weight, weight)


def _pulled(total: Tensor, weight: Tensor) -> Tensor:
    """(B, 3, h, w) sums of colours over their weights (B, 1, h, w); where no colour is known, from a coarser level."""
    known = (weight > 0).to(total.dtype)
    colour = known * total / weight.clamp_min(1e-6)
    if min(colour.shape[-2:]) == 1:
        return colour
    half = [F.avg_pool2d(x, 2, ceil_mode=True, count_include_pad=False) for x in (colour, known)]
    coarse = F.interpolate(_pulled(*half), size=colour.shape[-2:], mode="bilinear", align_corners=False)
    return colour + (1 - known) * coarse


def from_others(images: Tensor, alpha: Tensor, which: Tensor, generator: torch.Generator) -> Tensor:
    """(k, 3, S, S) for crops `which` (k,) of the batch: the backgrounds of others, mirrored, hands filled in."""
    step = torch.randint(1, max(len(images), 2), (1,), generator=generator)
    others = ((which + step) % len(images)).to(images.device)
    return filled(images[others], alpha[others]).flip(3)


def from_folder(folder: str, count: int, size: int, generator: torch.Generator) -> Tensor:
    """(count, 3, size, size) float32, 0 to 1: squares cut at random from the pictures of a folder."""
    pictures = load_folder(folder)
    chosen = pictures[torch.randint(len(pictures), (count,), generator=generator)]
    draws = torch.rand(count, 3, generator=generator)
    scale = 0.4 + 0.6 * draws[:, :1]  # of the picture's side
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = scale[:, 0]
    theta[:, :, 2] = (1 - scale) * (2 * draws[:, 1:] - 1)
    grid = F.affine_grid(theta, [count, 3, size, size], align_corners=False)
    return F.grid_sample(chosen.float() / 255, grid, align_corners=False, padding_mode="border")


@lru_cache(maxsize=4)
def load_folder(folder: str) -> Tensor:
    """(n, 3, SIDE, SIDE) uint8: the pictures of a folder, in the order of their names. Raises InputError."""
    if not Path(folder).is_dir():
        raise InputError(f"{folder}: no such folder of backgrounds")
    paths = sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in SUFFIXES)[:MOST]
    if not paths:
        raise InputError(f"{folder}: no pictures in it ({', '.join(SUFFIXES)})")
    return torch.from_numpy(np.stack([_square(path) for path in paths])).permute(0, 3, 1, 2).contiguous()


def _square(path: Path) -> np.ndarray:
    """(SIDE, SIDE, 3) uint8: the middle of a picture."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise InputError(f"{path}: not a picture that can be read")
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    middle = image[top : top + side, left : left + side, ::-1]
    return cv2.resize(middle, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
