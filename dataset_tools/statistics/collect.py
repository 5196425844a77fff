"""One pass over a release: the columns that all statistics are made of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from rigging.errors import InputError, input_errors
from rigging.geometry.cameras import palm_frame
from rigging.geometry.rotations import normalise
from rigging.joints import ARM_PART
from rigging.spin.posed import MIRROR

from ..load.dataset import HandDataset
from ..load.index import SampleIndex, entries_of
from ..progress import Progress
from .directions import palm_axes
from .photographs import Pictures
from .picture_measures import MEASURES, measure

LABELS = ("parts", "joints_world", "joint_visible", "joint_in_frame", "world_to_cam", "wrist_angles", "light",
          "background", "hand")  # fmt: skip


@dataclass(frozen=True)
class Collected:
    """S samples of V views, of which P views were measured as pictures. Left hands are mirrored to right ones."""

    index: SampleIndex
    joints: np.ndarray  # (S, 21, 3) m, world, mirrored for left hands
    wrist: np.ndarray  # (S, 2) rad, flexion and deviation
    palm_directions: np.ndarray  # (S, V, 3) from palm to camera, unit; (across, along, out of the back)
    world_directions: np.ndarray  # (S, V, 3) the same in the world, +z up
    hand_size: np.ndarray  # (S, V) px, longer side of the box around the visible hand; 0 for none
    hand_share: np.ndarray  # (S, V) of the picture's pixels
    visible: np.ndarray  # (S, V, 21) bool
    in_frame: np.ndarray  # (S, V, 21) bool
    light: tuple[dict[str, Any], ...]  # (S,) as stored
    background: tuple[dict[str, Any], ...]
    measured: np.ndarray  # (P / V,) indices of the samples whose pictures were measured
    pictures: Pictures  # (P, 12)
    brightness: np.ndarray  # (P, 2) mean grey, 0 to 1, of the hand and of the background; NaN where there is none


def collect(path: Path, most_pictures: int) -> Collected:
    """Read a folder of shards once; at most about `most_pictures` pictures are measured, of samples evenly apart.

    Raises InputError, FileNotFoundError, ShardError.
    """
    plain, full = HandDataset(path, fields=LABELS), HandDataset(path, fields=(*LABELS, "rgb"))
    if not len(plain):
        raise InputError(f"{path}: no samples there")
    step = max(1, -(-len(plain) * plain.sizes["V"] // most_pictures))
    rows, pictures = [], []
    with Progress("statistics", len(plain), "sample") as progress:
        for i in range(len(plain)):
            measured = i % step == 0
            sample = (full if measured else plain)[i]
            with input_errors(f"{path}: sample {i}"):  # joints that no hand has
                rows.append(_labels(sample))
            if measured:
                pictures += [_picture(*view) for view in zip(sample["rgb"], sample["parts"])]
            progress.add(1)
    columns = {name: np.stack([row[name] for row in rows]) for name in rows[0] if name not in ("light", "background")}
    texts = {name: tuple(row[name] for row in rows) for name in ("light", "background")}
    table = np.array(pictures)
    sides = np.full(len(table), min(plain.sizes["H"], plain.sizes["W"]))
    index = plain.index
    plain.close()
    full.close()
    return Collected(
        index, **columns, **texts, measured=np.arange(0, len(rows), step),
        pictures=Pictures(table[:, : len(MEASURES)], sides), brightness=table[:, len(MEASURES) :],
    )  # fmt: skip


def _labels(sample: dict[str, Any]) -> dict[str, Any]:
    """A row of each of Collected's columns that come from labels."""
    meta = sample["meta"]
    left = meta["hand"] == "left"
    joints = sample["joints_world"].astype(float)
    shown = (sample["parts"] > 0) & (sample["parts"] < ARM_PART)
    world = _directions(joints, sample["world_to_cam"])
    return {
        "joints": joints * MIRROR if left else joints, "wrist": np.asarray(meta["wrist_angles"], float),
        "palm_directions": world @ palm_axes(joints, meta["hand"]), "world_directions": world,
        "hand_size": np.array([_longer_side(view) for view in shown]), "hand_share": shown.mean((1, 2)),
        "visible": sample["joint_visible"], "in_frame": sample["joint_in_frame"],
        "light": entries_of(meta["light"]), "background": entries_of(meta["background"]),
    }  # fmt: skip


def _directions(joints: np.ndarray, world_to_cam: np.ndarray) -> np.ndarray:
    """Unit directions (V, 3) in the world from the palm's centre of joints (21, 3) m to cameras (V, 4, 4)."""
    centres = -np.einsum("vji,vj->vi", world_to_cam[:, :3, :3], world_to_cam[:, :3, 3])
    return normalise(centres - palm_frame(joints)[0])


def _longer_side(shown: np.ndarray) -> int:
    """Longer side in px of the box around what is shown (H, W) bool."""
    return max((np.ptp(places) + 1 for places in np.nonzero(shown) if len(places)), default=0)


def _picture(rgb: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """MEASURES of a picture (H, W, 3), then the mean grey of hand and background by its parts (H, W): (14,)."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY) / 255
    masks = (parts > 0) & (parts < ARM_PART), parts == 0
    return np.array([*measure(rgb), *(grey[mask].mean() if mask.any() else np.nan for mask in masks)])
