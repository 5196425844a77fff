"""Blocks of samples: their files, and one sheet of thumbnails; a block's mark says that all of it is there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from rigging.files import write_atomic

from ..load.dataset import HandDataset
from ..store.names import shard_stem
from .gesture import gesture
from .layers import overlays, photograph
from .scripts import sample_script

SIDE = 8  # thumbnails a side of a sheet
BLOCK = SIDE * SIDE  # samples
THUMB = 128  # px
QUALITY = 84
FIELDS = (
    "rgb", "alpha", "mask", "amodal_mask", "parts", "depth", "normals", "flow_forward", "flow_backward",
    "flow_forward_visible", "flow_backward_visible", "flow_forward_valid", "flow_backward_valid", "joints_world",
    "joints_cam", "joints_2d", "joint_visible", "joint_in_frame", "vertices_world", "arm_vertices_world", "K",
    "world_to_cam", "meta",
)  # fmt: skip
Sample = dict[str, Any]


@dataclass(frozen=True)
class Block:
    """A run of samples of a release, to be written to a site's folder."""

    data: Path
    site: Path
    number: int
    places: tuple[tuple[int, int], ...]  # shard and row of each sample

    @property
    def sheet(self) -> Path:
        """Its thumbnails."""
        return self.site / "sheets" / f"{self.number:05d}.jpg"

    @property
    def mark(self) -> Path:
        """Is written last, with the samples' gestures."""
        return self.site / "marks" / f"{self.number:05d}.json"


def blocks(data: Path, site: Path, places: Sequence[tuple[int, int]]) -> list[Block]:
    """All samples of a release, by shard and row, in blocks."""
    starts = range(0, len(places), BLOCK)
    return [Block(data, site, number, tuple(places[at : at + BLOCK])) for number, at in enumerate(starts)]


def write_block(block: Block) -> None:
    """Write the files of all its samples, the sheet, the mark. Raises ShardError, OSError."""
    cv2.setNumThreads(1)
    dataset = HandDataset(block.data, fields=FIELDS)
    first = block.number * BLOCK
    thumbs, gestures = [], []
    for at, place in enumerate(block.places):
        sample = dataset[first + at]
        write_sample(block.site, place, sample)
        thumbs.append(thumbnail(sample))
        gestures.append(gesture(sample["joints_world"]))
    dataset.close()
    block.sheet.parent.mkdir(parents=True, exist_ok=True)
    block.mark.parent.mkdir(parents=True, exist_ok=True)
    data = cv2.imencode(".jpg", _sheet(thumbs)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
    write_atomic(block.sheet, data.tobytes())
    write_atomic(block.mark, json.dumps(gestures).encode())


def write_sample(site: Path, place: tuple[int, int], sample: Sample) -> None:
    """Write what the page of a sample (shard, row) loads: script, photographs, labels."""
    key = f"{shard_stem(place[0])}/{place[1]:04d}"
    start = site / "samples" / key
    start.parent.mkdir(parents=True, exist_ok=True)
    sheets = overlays(sample)
    for name, data in sheets.items():
        write_atomic(start.with_name(f"{start.name}-{name}.webp"), data)
    write_atomic(start.with_name(f"{start.name}-rgb.jpg"), photograph(sample))
    write_atomic(start.with_name(f"{start.name}.js"), sample_script(key, sample, list(sheets)))


def thumbnail(sample: Sample) -> np.ndarray:
    """The view that shows most joints, and shows them most spread, as (THUMB, THUMB, 3): its middle, if not square."""
    spread = np.ptp(sample["joints_2d"], axis=1).prod(1)
    rgb = sample["rgb"][int((sample["joint_visible"].sum(1) * spread).argmax())]
    side = min(rgb.shape[:2])
    top, left = (rgb.shape[0] - side) // 2, (rgb.shape[1] - side) // 2
    square = np.ascontiguousarray(rgb[top : top + side, left : left + side])
    how = cv2.INTER_AREA if side > THUMB else cv2.INTER_CUBIC
    return cv2.resize(square, (THUMB, THUMB), interpolation=how)


def _sheet(thumbs: Sequence[np.ndarray]) -> np.ndarray:
    """Thumbnails (THUMB, THUMB, 3), SIDE in a row, on a sheet of as many rows as it takes."""
    rows = -(-len(thumbs) // SIDE)
    sheet = np.zeros((rows * THUMB, SIDE * THUMB, 3), np.uint8)
    for at, thumb in enumerate(thumbs):
        y, x = at // SIDE * THUMB, at % SIDE * THUMB
        sheet[y : y + THUMB, x : x + THUMB] = thumb
    return sheet
