"""JPEG's loss on the device: 4:2:0 chroma and quantised 8 x 8 cosine transforms, without the entropy coding.

ITU-T T.81: the transform is that of A.3.3, the tables those of annex K; scaled by quality as libjpeg does.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

LUMA = (
    16, 11, 10, 16, 24, 40, 51, 61,
    12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77,
    24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
CHROMA = (
    17, 18, 24, 47, 99, 99, 99, 99,
    18, 21, 26, 66, 99, 99, 99, 99,
    24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99,
    *[99] * 32,
)  # fmt: skip
TO_YCC = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
TO_RGB = ((1, 0, 1.402), (1, -0.344136, -0.714136), (1, 1.772, 0))


def jpeg(images: Tensor, quality: Tensor) -> Tensor:
    """Images (B, 3, H, W), 0 to 1, as they come back from JPEG of `quality` (B,), 1 to 100."""
    height, width = images.shape[-2:]
    padded = F.pad(images, (0, -width % 16, 0, -height % 16), mode="replicate")
    ycc = torch.einsum("ij,bjhw->bihw", images.new_tensor(TO_YCC), (padded * 255).round()).round()
    luma = _coded(ycc[:, :1] - 128, _table(LUMA, quality)).round().clamp(-128, 127) + 128
    chroma = _coded(F.avg_pool2d(ycc[:, 1:], 2).round(), _table(CHROMA, quality)).round().clamp(-128, 127)
    chroma = F.interpolate(chroma, scale_factor=2, mode="bilinear", align_corners=False)
    rgb = torch.einsum("ij,bjhw->bihw", images.new_tensor(TO_RGB), torch.cat([luma, chroma], 1))
    return (rgb[..., :height, :width].round() / 255).clamp(0, 1)


def _table(values: tuple[int, ...], quality: Tensor) -> Tensor:
    """(B, 1, 1, 1, 8, 8) steps of quantisation."""
    scale = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality)
    table = quality.new_tensor(values).reshape(8, 8)
    steps = torch.floor((table * torch.floor(scale)[:, None, None] + 50) / 100).clamp(1, 255)
    return steps[:, None, None, None]


def _coded(planes: Tensor, steps: Tensor) -> Tensor:
    """Planes (B, C, H, W) whose blocks' transforms are rounded to multiples of `steps`."""
    basis = _cosines(planes)
    blocks = planes.unflatten(3, (-1, 8)).unflatten(2, (-1, 8)).transpose(3, 4)  # (B, C, H/8, W/8, 8, 8)
    codes = torch.round(basis @ blocks @ basis.mT / steps)
    return (basis.mT @ (codes * steps) @ basis).transpose(3, 4).flatten(4, 5).flatten(2, 3)


def _cosines(like: Tensor) -> Tensor:
    """(8, 8) the orthonormal cosine transform, a row a frequency."""
    k = torch.arange(8, dtype=torch.float64)
    rows = torch.cos(math.pi / 8 * k[:, None] * (k + 0.5)) / 2
    rows[0] /= math.sqrt(2)
    return rows.to(like)
