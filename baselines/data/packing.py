"""Makes a pack of a release: pictures as JPEG, masks as PNG, vertices as float16 about the hand's middle.

Left hands are mirrored to right ones, which are what estimators know.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from dataset_tools import HandDataset
from dataset_tools.load.fields import require_pinholes
from dataset_tools.load.transforms import crop, right_handed
from dataset_tools.progress import MIB, Progress
from rigging.errors import InputError

from .pack import DEPTH_STEP, FORMAT, PICTURES, VERSION
from .pack_file import encoded, write_pieces

ALWAYS = ("rgb", "joints_cam", "joints_2d", "K", "world_to_cam")
USUAL = (*ALWAYS, "alpha", "mask", "joint_visible", "vertices_world")
CHOICE = (*USUAL, "depth")  # half as much again, and few losses need it
STORED = ("K", "world_to_cam", "joints_world", "joint_visible")  # as they are
# Quality and sampling of the release: coefficients of its pictures fall on the same steps again, and stay (60 dB). With
# fewer bytes, a lower quality loses less than halved chroma.
QUALITY, SAMPLING = 95, (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
PNG = (cv2.IMWRITE_PNG_COMPRESSION, 6)
LOWEST, STEP = 50, 2  # JPEG qualities that are tried when a pack grows too large
PROBES = 32  # samples that its size is foretold from
WORST = 1e-4  # m; float16 about the middle of a hand of up to 0.25 m errs by 0.05 mm


@dataclass(frozen=True)
class Recipe:
    """What is packed of a sample, and how."""

    fields: tuple[str, ...]
    size: int = 0  # px, the width of the pictures; 0 as they are
    quality: int = QUALITY  # of the JPEGs

    def __post_init__(self) -> None:
        if self.size < 0 or not 1 <= self.quality <= 100:
            raise InputError(f"--size from 0 and --quality from 1 to 100 are wanted, got {self.size}, {self.quality}")


@dataclass(frozen=True)
class Packed:
    """What was written."""

    samples: int
    views: int
    bytes: int
    quality: int


def pack(
    data: Path | str,
    out: Path | str,
    fields: Iterable[str] = USUAL,
    split: str = "",
    size: int = 0,
    quality: int = QUALITY,
    samples: int = 0,
    max_mib: float = 0,
) -> Packed:
    """Write the samples of `split` ("" takes all; of them only the first `samples`, 0 takes all) of a release to `out`.

    Pictures are resized to `size` px in width. With `max_mib` the quality falls from `quality` to LOWEST until the pack
    is no larger. Raises InputError where that is not enough, and for unknown fields or splits.
    """
    recipe = Recipe(_checked(fields), size, quality)
    hands = HandDataset(data, fields=_read_for(recipe))
    require_pinholes(hands.lenses, data, "a pack", "data of pinhole cameras are wanted")
    hands = hands.select(split=split) if split else hands
    count, limit = min(samples or len(hands), len(hands)), max_mib * MIB or float("inf")
    probes = np.unique(np.linspace(0, count - 1, min(PROBES, count)).astype(int)).tolist()
    for tried in _qualities(recipe, limit):
        told = _size(_gathered(hands, probes, tried)) * count / len(probes)
        if told > limit:
            continue
        with Progress("packing", count * hands.sizes["V"]) as progress:
            pieces = _gathered(hands, range(count), tried, progress)
        if (told := _size(pieces)) <= limit:
            return Packed(count, hands.sizes["V"], write_pieces(out, pieces), tried.quality)
    raise InputError(
        f"{data}: {count} samples take {told / MIB:.1f} MiB at JPEG quality {tried.quality}, --max-mib {max_mib:g} are "
        "allowed: fewer samples (--samples), smaller pictures (--size) or fewer fields (--fields) are wanted"
    )


def _checked(fields: Iterable[str]) -> tuple[str, ...]:
    names = {*fields, *ALWAYS}
    if unknown := sorted(names - set(CHOICE)):
        raise InputError(f"--fields {' '.join(unknown)}: a pack holds no such field; there are: {', '.join(CHOICE)}")
    return tuple(name for name in CHOICE if name in names)


def _read_for(recipe: Recipe) -> tuple[str, ...]:
    """Fields of the release that a recipe needs; the joints in the world give those in camera axes and in pictures."""
    derived = ("joints_cam", "joints_2d")
    always = ("joints_world", "sample", "subject", "split", "hand")
    return (*always, *(name for name in recipe.fields if name not in derived))


def _qualities(recipe: Recipe, limit: float) -> list[Recipe]:
    lowest = recipe.quality if limit == float("inf") else min(LOWEST, recipe.quality)
    return [replace(recipe, quality=quality) for quality in (*range(recipe.quality, lowest, -STEP), lowest)]


def _size(pieces: list[bytes]) -> int:
    return sum(map(len, pieces))


def _gathered(hands: HandDataset, rows: Iterable[int], recipe: Recipe, progress: Progress | None = None) -> list[bytes]:
    """The file's bytes for those samples."""
    packed = []
    for row in rows:
        packed.append(pack_sample(right_handed(hands[row]), recipe))
        if progress:
            progress.add(hands.sizes["V"])
    columns = {name: [sample[name] for sample in packed] for name in packed[0]}
    names = sorted(set(columns.pop("split")))
    arrays = _joined(columns)
    arrays["split"] = np.array([names.index(sample["split"]) for sample in packed], np.uint8)
    return encoded(arrays, _texts(hands, recipe, names))


def _texts(hands: HandDataset, recipe: Recipe, splits: list[str]) -> dict[str, str]:
    width = recipe.size or hands.sizes["W"]
    height = round(width * hands.sizes["H"] / hands.sizes["W"])
    return {
        "format": FORMAT,
        "version": str(VERSION),
        "release": str(hands.attrs["release"]),
        "configuration_hash": str(hands.attrs["configuration_hash"]),
        "licence": str(hands.attrs["licence"]),
        "fields": json.dumps(recipe.fields),
        "splits": json.dumps(splits),
        "views": str(hands.sizes["V"]),
        "image_size": json.dumps([height, width]),
        "jpeg_quality": str(recipe.quality),
    }


def _joined(columns: dict[str, list]) -> dict[str, np.ndarray]:
    """Arrays with a row a sample; streams one after another, with the place where each starts."""
    arrays = {}
    for name, rows in columns.items():
        if name in PICTURES:
            streams = [stream for views in rows for stream in views]
            arrays[name] = np.frombuffer(b"".join(streams), np.uint8)
            arrays[f"{name}_offsets"] = np.cumsum([0, *map(len, streams)])
        else:
            arrays[name] = np.stack(rows)
    return arrays


def pack_sample(sample: dict[str, Any], recipe: Recipe) -> dict[str, Any]:
    """What a pack holds of a sample as the loader gives it: streams (a list of bytes, one a view), arrays, numbers."""
    height, width = sample["rgb"].shape[1:3]
    if recipe.size and recipe.size != width:
        size = (recipe.size, round(recipe.size * height / width))
        sample = crop(sample, (0, 0, width, height), size)
    packed = {name: _streams(sample[name], name, recipe.quality) for name in PICTURES if name in sample}
    packed |= {name: sample[name] for name in STORED if name in sample}
    if "vertices_world" in sample:
        packed |= _halves(sample["vertices_world"], sample["meta"]["sample"])
    meta = sample["meta"]
    return packed | {"sample": np.int64(meta["sample"]), "subject": np.int64(meta["subject"]), "split": meta["split"]}


def _streams(views: np.ndarray, name: str, quality: int) -> list[bytes]:
    """JPEG of `rgb` (V, H, W, 3) uint8; PNG of `alpha` (V, H, W) uint8, of `mask` bool, of `depth` float32 m."""
    if name == "rgb":
        options = [cv2.IMWRITE_JPEG_QUALITY, quality, *SAMPLING]
        return [cv2.imencode(".jpg", np.ascontiguousarray(view[..., ::-1]), options)[1].tobytes() for view in views]
    options = [*PNG, cv2.IMWRITE_PNG_BILEVEL, int(name == "mask")]
    grey = views.astype(np.uint8) * 255 if name == "mask" else _steps(views) if name == "depth" else views
    return [cv2.imencode(".png", view, options)[1].tobytes() for view in grey]


def _steps(depth: np.ndarray) -> np.ndarray:
    """(V, H, W) uint16: depth (V, H, W) m in steps of DEPTH_STEP, 0 for background. InputError if out of range."""
    steps = np.round(depth / DEPTH_STEP)
    if not ((depth == 0) | ((steps >= 1) & (steps < 2**16))).all():
        raise InputError(f"depth up to {np.max(depth):g} m: a pack holds {DEPTH_STEP:g} to {DEPTH_STEP * 2**16:.3f} m")
    return steps.astype(np.uint16)


def _halves(vertices: np.ndarray, sample: int) -> dict[str, np.ndarray]:
    """Vertices (N, 3) m as float16 offsets from the middle of their box. Raises InputError above WORST."""
    middle = ((vertices.min(0) + vertices.max(0)) / 2).astype(np.float32)
    offset = (vertices - middle).astype(np.float16)
    worst = np.linalg.norm(middle + offset.astype(np.float32) - vertices, axis=1).max()
    if not worst <= WORST:
        raise InputError(
            f"sample {sample}: vertices as float16 are off by {1000 * worst:.2g} mm, {1000 * WORST:g} mm is allowed"
        )
    return {"vertices_middle": middle, "vertices_offset": offset}
