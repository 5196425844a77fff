"""Colours of pictures changed: brightness, contrast, saturation and hue, each by itself.

Functions of images (B, 3, S, S), 0 to 1, with one number a picture (B, 1, 1, 1).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)  # of red, green, blue: ITU-R BT.601
CHROMA = ((0.596, -0.274, -0.322), (0.211, -0.523, 0.312))  # I and Q of YIQ, likewise (NTSC)


def brightened(images: Tensor, factor: Tensor) -> Tensor:
    """Images (B, 3, S, S) times the factor (B, 1, 1, 1)."""
    return (images * factor).clamp(0, 1)


def contrasted(images: Tensor, factor: Tensor) -> Tensor:
    """Differences of images (B, 3, S, S) from their mean luma times the factor (B, 1, 1, 1)."""
    mean = luma(images).mean((-2, -1), keepdim=True)
    return (mean + (images - mean) * factor).clamp(0, 1)


def saturated(images: Tensor, factor: Tensor) -> Tensor:
    """Differences of images (B, 3, S, S) from grey, each pixel's luma, times the factor (B, 1, 1, 1)."""
    grey = luma(images)
    return (grey + (images - grey) * factor).clamp(0, 1)


def hue_turned(images: Tensor, turns: Tensor) -> Tensor:
    """Images (B, 3, S, S) whose colours are turned about the axis of greys, `turns` (B, 1, 1, 1) of a circle.

    A rotation of I and Q in YIQ: luma stays.
    """
    to_yiq = images.new_tensor([LUMA, *CHROMA])
    y, i, q = torch.einsum("yc,bchw->ybhw", to_yiq, images)
    cosine, sine = (function(2 * math.pi * turns[:, 0]) for function in (torch.cos, torch.sin))
    turned = torch.stack([y, cosine * i - sine * q, sine * i + cosine * q])
    return torch.einsum("cy,ybhw->bchw", torch.linalg.inv(to_yiq), turned).clamp(0, 1)


def luma(images: Tensor) -> Tensor:
    """(B, 1, S, S) of images (B, 3, S, S)."""
    return (images * images.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)
