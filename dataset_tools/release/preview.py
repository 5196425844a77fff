"""The card's picture: a row a sample, colour of four cameras and labels of the first."""

from __future__ import annotations

import cv2
import numpy as np

from rigging.files import write_atomic

from ..load.dataset import HandDataset
from ..load.index import SampleIndex
from ..pictures.canvas import fit, grid
from ..pictures.drawing import depth_range, draw_depth, draw_normals, draw_parts
from ..store.layout import ReleaseFolder

ROWS, CAMERAS, TILE, QUALITY = 4, 4, 160, 88
FIELDS = ("rgb", "parts", "depth", "normals")


def write_preview(folder: ReleaseFolder, index: SampleIndex) -> None:
    """Write the picture: samples of different subjects first, light to dark; deterministic."""
    tiles, columns = [], 0
    for row in choose(index):
        dataset = HandDataset(folder.shard(int(index["shard"][row])), fields=FIELDS)
        pictures = _tiles(dataset[int(index["row"][row])])
        tiles += pictures
        columns = len(pictures)
        dataset.close()
    _, data = cv2.imencode(".jpg", grid(tiles, columns)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    write_atomic(folder.preview, data.tobytes())


def choose(index: SampleIndex) -> np.ndarray:
    """Up to ROWS rows (n,): one of each of some subjects, spread over skin tones, light first."""
    _, first = np.unique(index["subject"], return_index=True)
    rows = first if len(first) >= ROWS else np.arange(len(index))
    ranked = rows[np.argsort(-index["ita"][rows], kind="stable")]
    return ranked[np.unique(np.linspace(0, len(ranked) - 1, ROWS).round().astype(int))]


def shown_cameras(views: int) -> list[int]:
    """Up to CAMERAS of so many views, spread over them."""
    spread = np.linspace(0, views, CAMERAS, endpoint=False).round().astype(int)
    return np.unique(np.minimum(spread, views - 1)).tolist()


def _tiles(sample: dict) -> list[np.ndarray]:
    cameras, depth = shown_cameras(len(sample["rgb"])), sample["depth"][0]
    labels = [
        draw_parts(sample["parts"][0], 1),
        draw_depth(depth, depth_range(depth), 1),
        draw_normals(sample["normals"][0], 1),
    ]
    return [fit(picture, TILE) for picture in (*sample["rgb"][cameras], *labels)]
