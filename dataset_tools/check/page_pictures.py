"""Pictures of the samples that a report shows: each view with the stored outline and joints drawn over it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from rigging.files import write_atomic

from ..load.dataset import HandDataset
from ..pictures.canvas import grid
from ..pictures.drawing import draw_skeleton, enlarge
from ..store.names import shard_stem
from .report import SampleResult

FIELDS = ("rgb", "mask", "joints_2d", "joint_visible")
TILE = 256  # px, at least, of a view
COLUMNS = 4
OUTLINE, MARK = (255, 214, 10), (220, 53, 69)
QUALITY = 82


def write_pictures(shard: Path, result: SampleResult, folder: Path) -> str:
    """Write a sample's picture to `folder` and return its name. Raises ShardError where it cannot be read."""
    dataset = HandDataset(shard, fields=FIELDS)
    sample = dataset[result.row]
    dataset.close()
    marked = {int(word) for message in result.messages for word in _views_in(message)}
    tiles = [_tile(sample, view, view in marked) for view in range(len(sample["rgb"]))]
    name = f"{shard_stem(result.shard)}-row-{result.row:04d}.jpg"
    data = cv2.imencode(".jpg", grid(tiles, COLUMNS)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
    write_atomic(folder / name, data.tobytes())
    return name


def _views_in(message: str) -> list[str]:
    """Numbers of the views that a message names."""
    words = message.replace("(", " ").replace(")", " ").replace(",", " ").split()
    return [after for word, after in pairwise(words) if word in ("view", "views") and after.isdigit()]


def _tile(sample: dict[str, Any], view: int, marked: bool) -> np.ndarray:
    rgb, mask = sample["rgb"][view], sample["mask"][view]
    scale = max(1, -(-TILE // rgb.shape[1]))
    picture = enlarge(rgb, scale)
    inside = enlarge(mask.astype(np.uint8), scale, smooth=False)
    contours, _ = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    picture = cv2.drawContours(np.ascontiguousarray(picture), contours, -1, OUTLINE, 1, cv2.LINE_AA)
    picture = draw_skeleton(picture, sample["joints_2d"][view], sample["joint_visible"][view], scale, 0.6)
    cv2.putText(picture, str(view), (8, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 0, 0), 4, cv2.LINE_AA)
    cv2.putText(picture, str(view), (8, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 1, cv2.LINE_AA)
    if marked:
        cv2.rectangle(picture, (0, 0), (picture.shape[1] - 1, picture.shape[0] - 1), MARK, 6)
    return picture
