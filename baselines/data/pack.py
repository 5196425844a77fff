"""A pack: what training needs of a release in one file, read with numpy and OpenCV alone. See docs/packs.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from rigging.errors import InputError
from rigging.geometry.projection import project, to_camera

from .pack_file import ArrayFile, read_arrays
from .source import BASIC_FIELDS, Arrays, chosen_rows

FORMAT, VERSION = "mvhm-pack", 1
PICTURES = ("rgb", "alpha", "mask", "depth")  # streams that OpenCV decodes: JPEG, and PNG of 8, 1 and 16 bits
DEPTH_STEP = 1e-4  # m, of the 16 bits; 0 is background
DERIVED = ("joints_cam", "joints_2d")  # from joints_world and the cameras, as the loader does


class PackSource:
    """The samples of `split` ("" takes all) in a pack; of `fields` those it has. Raises OSError and InputError."""

    def __init__(self, path: Path | str, split: str = "", fields: Sequence[str] = BASIC_FIELDS) -> None:
        self.name = str(path)
        file = read_arrays(path)
        _check_format(self.name, file)
        self.texts, self._arrays = dict(file.texts), file.arrays
        names = np.array(json.loads(file.texts["splits"]))
        splits = names[file.arrays["split"]]
        self._rows = chosen_rows(splits, split, self.name)
        self.samples, self.views = len(self._rows), int(file.texts["views"])
        self.configuration_hash = file.texts["configuration_hash"]
        height, width = json.loads(file.texts["image_size"])
        self.image_size = (height, width)
        self.splits = splits[self._rows]
        self.numbers, self.subjects = (np.array(file.arrays[key])[self._rows] for key in ("sample", "subject"))
        self.fields = frozenset(json.loads(file.texts["fields"])) & set(fields)

    def read(self, sample: int, views: Sequence[int] | None = None) -> Arrays:
        """See Source."""
        row, chosen = int(self._rows[sample]), list(range(self.views) if views is None else views)
        K, pose = (self._arrays[name][row, chosen] for name in ("K", "world_to_cam"))
        values: Arrays = {"K": K, "world_to_cam": pose}
        values |= {name: self._pictures(name, row, chosen) for name in PICTURES if name in self.fields}
        joints = self._arrays["joints_world"][row]
        if "joints_cam" in self.fields:
            values["joints_cam"] = to_camera(joints, pose).astype(np.float32)
        if "joints_2d" in self.fields:
            values["joints_2d"] = project(joints, K, pose).astype(np.float32)
        if "joint_visible" in self.fields:
            values["joint_visible"] = self._arrays["joint_visible"][row, chosen]
        if "vertices_world" in self.fields:
            offset = self._arrays["vertices_offset"][row].astype(np.float32)
            values["vertices_world"] = self._arrays["vertices_middle"][row] + offset
        return {name: value for name, value in values.items() if name in self.fields}

    def _pictures(self, name: str, row: int, views: Sequence[int]) -> np.ndarray:
        """(v, H, W, 3) uint8 `rgb`, (v, H, W) uint8 `alpha`, bool `mask`, float32 m `depth`."""
        shape = (len(views), *self.image_size, 3)[: 4 if name == "rgb" else 3]
        out = np.empty(shape, np.uint16 if name == "depth" else np.uint8)
        offsets = self._arrays[f"{name}_offsets"][row * self.views :]
        for picture, view in zip(out, views):
            image = _decoded(self._arrays[name][offsets[view] : offsets[view + 1]], name == "rgb")
            if image is None or image.shape != picture.shape or image.dtype != out.dtype:
                raise InputError(
                    f"{self.name}: {name} of sample {self._arrays['sample'][row]}, view {view}, cannot be read"
                )
            picture[...] = image
        if name == "depth":
            return (out * DEPTH_STEP).astype(np.float32)
        return out > 0 if name == "mask" else out


def _decoded(stream: np.ndarray, colour: bool) -> np.ndarray | None:
    """(H, W, 3) uint8 RGB or (H, W) uint8 or uint16; None for what OpenCV cannot read."""
    grey = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH
    try:
        image = cv2.imdecode(np.asarray(stream), cv2.IMREAD_COLOR if colour else grey)
    except cv2.error:
        return None
    return image[..., ::-1] if colour and image is not None else image


def _check_format(name: str, file: ArrayFile) -> None:
    if file.texts.get("format") != FORMAT:
        raise InputError(f"{name}: not a pack (`mvhm pack` makes one of a release)")
    if int(file.texts["version"]) > VERSION:
        raise InputError(f"{name}: pack version {file.texts['version']}; this program reads up to {VERSION}: update it")
