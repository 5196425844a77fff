"""Pictures and label images read at the pixels of another picture.

A map of pixels takes a pixel (x, y) of the new picture to (u, v) of the old one: [u, v, 1] = A [x, y, 1]. The centre of
the top-left pixel is (0.5, 0.5). What lies outside the old picture is 0: black, background.
"""

from __future__ import annotations

import cv2
import numpy as np

Size = tuple[int, int]  # width, height


def sources(maps: np.ndarray, old: Size, new: Size) -> np.ndarray:
    """(V, h, w) int64: the pixel of the old picture, y * W + x, that each new pixel's centre falls into; -1 outside.

    maps (V, 3, 3), of affine maps, new to old.
    """
    x, y = np.arange(new[0]) + 0.5, (np.arange(new[1]) + 0.5)[:, None]
    u, v = (m[:, :1, None] * x + m[:, 1:2, None] * y + m[:, 2:, None] for m in (maps[:, 0], maps[:, 1]))
    inside = (u >= 0) & (u < old[0]) & (v >= 0) & (v < old[1])
    flat = np.floor(np.where(inside, v, 0)) * old[0] + np.floor(np.where(inside, u, 0))
    return np.where(inside, flat, -1).astype(np.int64)


def pick(image: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Labels (V, h, w, ...) of an image (V, H, W, ...) at `source` (V, h, w) of `sources`: nearest, 0 outside."""
    rows = image.reshape(len(image), -1, *image.shape[3:])
    out = np.stack([np.take(view, index, axis=0, mode="wrap") for view, index in zip(rows, source)])
    out[source < 0] = 0
    return out


def crop_colours(image: np.ndarray, boxes: np.ndarray, size: Size) -> np.ndarray:
    """Pictures (V, h, w, ...) uint8 of the boxes (V, 4) px, x0 y0 x1 y1, of an image (V, H, W, ...) uint8.

    Along an axis that shrinks, a new pixel is the mean over its area; along one that grows, linear between centres.
    """
    out = np.empty((len(image), size[1], size[0], *image.shape[3:]), np.uint8)
    for new, view, (x0, y0, x1, y1) in zip(out, image, boxes):
        across = axis_weights(x0, x1, size[0], view.shape[1])
        down = axis_weights(y0, y1, size[1], view.shape[0])
        rows = down @ view.reshape(len(view), -1).astype(np.float32)  # (h, W C)
        rows = rows.reshape(size[1], view.shape[1], -1).transpose(1, 0, 2).reshape(view.shape[1], -1)
        values = (across @ rows).reshape(size[0], size[1], -1).transpose(1, 0, 2)
        new[...] = np.rint(values).clip(0, 255).reshape(new.shape)
    return out


def axis_weights(start: float, end: float, new: int, old: int) -> np.ndarray:
    """(N, O) float32: the share of each of O = `old` pixels in each of N = `new` ones that start..end px is cut into.

    Rows sum to 1; they are 0 for new pixels whose centre is outside.
    """
    step = (end - start) / new
    centre = start + (np.arange(new)[:, None] + 0.5) * step
    if step > 1:
        pixel = np.arange(old)
        low, high = start + np.arange(new)[:, None] * step, start + np.arange(1, new + 1)[:, None] * step
        weights = np.clip(np.minimum(high, pixel + 1) - np.maximum(low, pixel), 0, None)
    else:
        weights = np.clip(1 - np.abs(np.clip(centre, 0.5, old - 0.5) - (np.arange(old) + 0.5)), 0, None)
    weights *= (centre >= 0) & (centre < old)
    total = weights.sum(axis=1, keepdims=True)
    return np.divide(weights, total, out=np.zeros_like(weights), where=total > 0).astype(np.float32)


def warp_colours(image: np.ndarray, maps: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Pictures (V, h, w, ...) uint8 of an image (V, H, W, ...) uint8 through `maps` (V, 3, 3), new to old.

    Linear between centres, which OpenCV takes to 1/32 px; `source` (V, h, w) of `sources` says what is outside.
    """
    out = np.empty((*source.shape, *image.shape[3:]), np.uint8)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    for new, view, matrix in zip(out, image, maps):
        shifted = matrix[:2].copy()  # OpenCV counts from the centre of the top-left pixel
        shifted[:, 2] += matrix[:2, :2].sum(axis=1) / 2 - 0.5
        size = (source.shape[2], source.shape[1])
        new[...] = cv2.warpAffine(view, shifted, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    out[source < 0] = 0
    return out
