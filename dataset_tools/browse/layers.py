"""Labels as pictures to lay over the photographs: all views of a sample in a sheet, transparent where is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from ..pictures.drawing import (
    depth_colours,
    depth_range,
    draw_normals,
    flow_colours,
    flow_limit,
    part_colours,
)

Sample = dict[str, Any]
COLUMNS = 4  # of views in a sheet
PHOTO_QUALITY, LOSSLESS, LOSSY = 90, 101, 90  # of JPEG; of WebP, where more than 100 loses nothing
PHOTO_OPTIONS = [
    cv2.IMWRITE_JPEG_QUALITY, PHOTO_QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
]  # fmt: skip
MASK, AMODAL, COVER = (235, 64, 90), (120, 94, 240), (38, 166, 154)
VISIBLE, HIDDEN = (46, 160, 90), (225, 87, 60)


def photograph(sample: Sample) -> bytes:
    """The sheet of photographs (V, H, W, 3) as JPEG."""
    return _encoded(".jpg", tiled(sample["rgb"][..., ::-1]), PHOTO_OPTIONS)


def overlays(sample: Sample) -> dict[str, bytes]:
    """Label -> its sheet as WebP, for those labels that hold for this sample (flow has neighbours, or not)."""
    return {
        name: _encoded(".webp", tiled(draw(sample)), [cv2.IMWRITE_WEBP_QUALITY, quality])
        for name, (draw, quality) in LAYERS.items()
        if not name.startswith("flow") or sample[f"{name.removesuffix('_visible')}_valid"]
    }


def tiled(views: np.ndarray) -> np.ndarray:
    """Views (V, H, W, C) in rows of COLUMNS: (rows H, COLUMNS W, C); what is left over is 0."""
    count, height, width, channels = views.shape
    rows = -(-count // COLUMNS)
    cells = np.zeros((rows * COLUMNS, height, width, channels), views.dtype)
    cells[:count] = views
    grid = cells.reshape(rows, COLUMNS, height, width, channels).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(grid.reshape(rows * height, COLUMNS * width, channels))


def ranges(sample: Sample) -> dict[str, list[float]]:
    """What the colours stand for: `depth` nearest and farthest, m; flows the length in full colour, px."""
    flows = {name: [round(flow_limit(sample[name]), 3)] for name in ("flow_forward", "flow_backward")}
    return {"depth": [round(limit, 5) for limit in depth_range(sample["depth"])], **flows}


def _encoded(kind: str, picture: np.ndarray, options: list[int]) -> bytes:
    return cv2.imencode(kind, picture, options)[1].tobytes()


def _over(colours: np.ndarray | tuple[int, int, int], cover: np.ndarray) -> np.ndarray:
    """Colours (V, H, W, 3) RGB, or one, where cover (V, H, W) is not 0: (V, H, W, 4) as OpenCV orders it."""
    alpha = cover.astype(np.uint8) * 255 if cover.dtype == bool else cover
    rgb = np.broadcast_to(np.asarray(colours, np.uint8), (*cover.shape, 3)) * (alpha > 0)[..., None]
    return np.concatenate([rgb[..., ::-1], alpha[..., None]], axis=-1).astype(np.uint8)


def _depth(sample: Sample) -> np.ndarray:
    near, far = depth_range(sample["depth"])
    levels = 1 - np.clip((sample["depth"] - near) / max(far - near, 1e-6), 0, 1)
    return _over(np.stack([depth_colours(level) for level in levels]), sample["depth"] > 0)


def _normals(sample: Sample) -> np.ndarray:
    colours = np.stack([draw_normals(normals, 1) for normals in sample["normals"]])
    return _over(colours, (sample["normals"] != 0).any(-1))


def _flow(name: str) -> Callable[[Sample], np.ndarray]:
    def draw(sample: Sample) -> np.ndarray:
        limit = flow_limit(sample[name])
        return _over(np.stack([flow_colours(flow, limit) for flow in sample[name]]), sample["depth"] > 0)

    return draw


def _flow_visible(name: str) -> Callable[[Sample], np.ndarray]:
    def draw(sample: Sample) -> np.ndarray:
        colours = np.where(sample[name][..., None], np.uint8(VISIBLE), np.uint8(HIDDEN))
        return _over(colours, sample["depth"] > 0)

    return draw


LAYERS: dict[str, tuple[Callable[[Sample], np.ndarray], int]] = {
    "mask": (lambda sample: _over(MASK, sample["mask"]), LOSSLESS),
    "amodal_mask": (lambda sample: _over(AMODAL, sample["amodal_mask"]), LOSSLESS),
    "alpha": (lambda sample: _over(COVER, sample["alpha"]), LOSSLESS),
    "parts": (lambda sample: _over(part_colours()[sample["parts"]], sample["parts"] > 0), LOSSLESS),
    "depth": (_depth, LOSSLESS),
    "normals": (_normals, LOSSY),
    "flow_forward": (_flow("flow_forward"), LOSSY),
    "flow_backward": (_flow("flow_backward"), LOSSY),
    "flow_forward_visible": (_flow_visible("flow_forward_visible"), LOSSLESS),
    "flow_backward_visible": (_flow_visible("flow_backward_visible"), LOSSLESS),
}
