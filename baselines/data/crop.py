"""Square crops of the hand, batched on the device; cameras and labels move along with the pixels.

A map of pixels M (3, 3) takes (x, y, 1) of the picture to (x', y', 1) of the crop; the centre of the top-left pixel is
(0.5, 0.5) in both. A turn of the picture by `angle` (radians, from x to y, clockwise as one sees it) rolls the camera.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..batch import Batch
from ..config import Augment

SMALLEST = 2.0  # px; the side of a crop is no smaller
TYPICAL = 0.8  # share of a picture that a crop takes, as our rings frame hands
SURE = 0.3  # confidence of a pseudo label that says where the hand is
FAR = 6.0  # median distances from the middle, that hardly a joint of a hand is away
MOST = 4  # samples along a side of a pixel


@dataclass(frozen=True)
class Squares:
    """Parts of pictures, one a crop: squares of `side`, turned by -`angle` about their centre."""

    centre: Tensor  # (B, 2) px
    side: Tensor  # (B,) px
    angle: Tensor  # (B,) rad, by which the picture is turned

    def maps(self, size: int) -> Tensor:
        """(B, 3, 3) float64 M, from pictures to crops of `size` px."""
        scale = size / self.side
        turn = rolls(self.angle)
        maps = turn * scale[:, None, None]
        maps[:, :2, 2] = size / 2 - (maps[:, :2, :2] @ self.centre[:, :, None])[..., 0]
        maps[:, 2, 2] = 1
        return maps


def squares(joints_2d: Tensor, joint_valid: Tensor, margin: float) -> Squares:
    """The square about the box of each crop's joints (B, 21, 2) px with a label (B, 21), `margin` times as long."""
    inside = joint_valid[..., None]
    points = joints_2d.double()
    low = points.masked_fill(~inside, torch.inf).amin(1)
    high = points.masked_fill(~inside, -torch.inf).amax(1)
    found = joint_valid.any(1)
    centre = torch.where(found[:, None], (low + high) / 2, torch.zeros_like(low))
    side = torch.where(found, (high - low).amax(1) * margin, torch.zeros_like(low[:, 0]))
    return Squares(centre, side.clamp_min(SMALLEST), torch.zeros_like(side))


def trusted(joints_2d: Tensor, joint_valid: Tensor, confidence: Tensor) -> Tensor:
    """(B, 21) bool: which labels (B, 21, 2) px, of confidence (B, 21), say where the hand is.

    Those that are SURE, or at least half as sure as the surest, and no farther from the median of these than FAR times
    their median distance: a label that is confidently elsewhere is.
    """
    surest = confidence.masked_fill(~joint_valid, 0).amax(1, keepdim=True)
    sure = joint_valid & (confidence >= (surest / 2).clamp_max(SURE))
    points = joints_2d.double().masked_fill(~sure[..., None], torch.nan)
    away = (points - points.nanmedian(1, keepdim=True).values).norm(dim=-1)  # NaN for what is not sure
    return sure & (away <= FAR * away.nanmedian(1, keepdim=True).values)


def jitter(given: Squares, augment: Augment, generator: torch.Generator) -> Squares:
    """The squares moved, resized and turned at random, evenly up to what `augment` says either way."""
    draws = 2 * torch.rand(len(given.side), 4, generator=generator, dtype=torch.float64) - 1
    draws = draws.to(given.side.device, non_blocking=True)
    return Squares(
        centre=given.centre + augment.shift * draws[:, :2] * given.side[:, None],
        side=given.side * (1 + augment.scale * draws[:, 2]),
        angle=given.angle + torch.pi / 180 * augment.rotate * draws[:, 3],
    )


def oversampling(image_size: tuple[int, int], size: int) -> int:
    """Samples along a side of a crop's pixel, so that a typical crop of pictures (H, W) does not alias."""
    return int(min(max(-(-TYPICAL * max(image_size) // size), 1), MOST))


def cut(images: Tensor, maps: Tensor, size: int, samples: int = 1) -> Tensor:
    """Crops (B, C, S, S) float32 of images (B, C, H, W) through `maps` (B, 3, 3); black outside.

    Bilinear; a pixel is the mean of `samples` x `samples` points of its area.
    """
    fine = _sampled(images, maps, size, samples, "bilinear")
    rows = sum(fine[:, :, i::samples] for i in range(samples))  # several times as fast as a mean over four axes
    return sum(rows[..., i::samples] for i in range(samples)) / samples**2


def cut_labels(images: Tensor, maps: Tensor, size: int) -> Tensor:
    """Crops (B, S, S) of label images (B, H, W), bool or float: the pixel that a crop's pixel's centre falls into.

    False or 0 outside.
    """
    return _sampled(images[:, None].float(), maps, size, 1, "nearest")[:, 0].to(images.dtype)


def _sampled(images: Tensor, maps: Tensor, size: int, samples: int, mode: str) -> Tensor:
    """(B, C, size x samples, size x samples): images at the middles of even parts of the crops' pixels."""
    height, width = images.shape[-2:]
    unit = maps.new_tensor([[2 / width, 0, -1], [0, 2 / height, -1], [0, 0, 1]])  # px to -1 ... 1
    back = (unit @ inverse(maps)).to(images.dtype)
    steps = (torch.arange(size * samples, device=images.device, dtype=images.dtype) + 0.5) / samples
    rows, columns = (back[:, :2, k, None] * steps for k in (1, 0))  # (B, 2, steps)
    grid = columns[:, :, None] + (rows + back[:, :2, 2:])[..., None]
    return F.grid_sample(images, grid.movedim(1, 3), mode=mode, padding_mode="zeros", align_corners=False)


def inverse(maps: Tensor) -> Tensor:
    """(B, 3, 3) float64: the affine maps (B, 3, 3) backwards, in closed form."""
    (a, b, x), (c, d, y) = (row.unbind(-1) for row in maps.double()[:, :2].unbind(1))
    zero = torch.zeros_like(a)
    rows = torch.stack([d, -b, b * y - d * x, -c, a, c * x - a * y, zero, zero, a * d - b * c], -1)
    return (rows / (a * d - b * c)[:, None]).unflatten(-1, (3, 3))


def moved_points(points: Tensor, maps: Tensor) -> Tensor:
    """Pixels (B, n, 2) float32 moved by `maps` (B, 3, 3)."""
    return (points.double() @ maps[:, :2, :2].mT + maps[:, None, :2, 2]).float()


def moved_cameras(K: Tensor, world_to_cam: Tensor, maps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """K', world_to_cam' and the rolls (B, 3, 3) between camera axes, float64, with K' roll = M K.

    For square pixels the roll is the turn of M; for others K' has skew: the roll is then the one for which K' is upper
    triangular. K (B, 3, 3) px, world_to_cam (B, 4, 4) m, maps M (B, 3, 3).
    """
    turned = maps.double() @ K.double()
    roll = rolls(torch.atan2(turned[:, 1, 0], turned[:, 1, 1]))
    new_K = turned @ roll.mT
    new_K[:, 1, 0] = 0  # up to rounding
    new_pose = world_to_cam.double().clone()
    new_pose[:, :3] = roll @ new_pose[:, :3]
    return new_K, new_pose, roll


def rolls(angle: Tensor) -> Tensor:
    """(B, 3, 3) float64 rotations about z by `angle` (B,) rad, from x to y."""
    cos, sin = angle.double().cos(), angle.double().sin()
    zero, one = torch.zeros_like(cos), torch.ones_like(cos)
    return torch.stack([cos, -sin, zero, sin, cos, zero, zero, zero, one], -1).unflatten(-1, (3, 3))


def turned(points: Tensor | None, roll: Tensor) -> Tensor | None:
    """Points (B, n, 3) in camera axes, after the camera's roll (B, 3, 3)."""
    return None if points is None else (points.double() @ roll.mT).float()


def move(batch: Batch, maps: Tensor, size: int, samples: int = 1) -> Batch:
    """A batch of whole pictures, of any proportions, as one of crops: all moved by `maps` (B, 3, 3)."""
    K, world_to_cam, roll = moved_cameras(batch.K, batch.world_to_cam, maps)
    pixels = batch.joints_2d
    changes = {
        "rgb": cut(batch.rgb, maps, size, samples),
        "K": K.float(),
        "world_to_cam": world_to_cam.float(),
        "joints_cam": turned(batch.joints_cam, roll),
        "vertices_cam": turned(batch.vertices_cam, roll),
        "joints_2d": None if pixels is None else moved_points(pixels, maps),
        "mask": None if batch.mask is None else cut_labels(batch.mask, maps, size),
        "depth": None if batch.depth is None else cut_labels(batch.depth, maps, size),  # a roll changes no z
    }
    return dataclasses.replace(batch, **changes)
