"""High dynamic range panoramas: found, read once, shrunk for lighting, turned, and seen along rays.

A panorama is equirectangular, (H, W, 3) float32 linear light, top row first, world +z up; its luminance has mean 1
over the sphere, so that lamps and exposure mean the same under every one of them. Column centre W/2 looks along +x and
columns run clockwise seen from above, which is Blender's convention.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from rigging.errors import InputError
from rigging.files import file_sha256, is_hidden, is_plain

from ..blender import import_bpy
from .colour import LUMINANCE

LIGHT_SIZE = (128, 64)  # columns, rows of the panorama that lights the hand
BLENDERS_OWN = ("city", "courtyard", "forest", "interior", "night", "studio", "sunrise", "sunset")
SMALLEST = "studio"  # of these, as a file
_MOST_COLUMNS = 2048
_KEPT = 8  # panoramas held in memory


def panorama_names(folder: str | Path | None = None) -> tuple[str, ...]:
    """The names of `hdri_files`, sorted, without Blender. FileNotFoundError if there are none."""
    return tuple(sorted(hdri_files(folder))) if folder is not None else BLENDERS_OWN


def hdri_files(folder: str | Path | None = None) -> dict[str, Path]:
    """Panoramas by name: those of `folder` (.exr, .hdr), else the eight CC0 ones that Blender brings along.

    Raises FileNotFoundError if there is no folder or none in it, InputError for two of one name.
    """
    if folder is None:
        folder = Path(import_bpy().utils.system_resource("DATAFILES")) / "studiolights" / "world"
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"HDRI folder {folder} does not exist")
    inside = (path for path in sorted(folder.iterdir()) if is_plain(path) and not is_hidden(path.relative_to(folder)))
    files: dict[str, Path] = {}
    for path in inside:
        if path.suffix.lower() in (".exr", ".hdr") and path != (twin := files.setdefault(path.stem, path)):
            raise InputError(f"HDRI folder {folder}: {twin.name} and {path.name} are of one name: rename one")
    if not files:
        raise FileNotFoundError(f"HDRI folder {folder} holds no .exr or .hdr file")
    return files


@dataclass
class HdriLibrary:
    """Panoramas read on first use and kept as float16; the oldest is forgotten when there are too many."""

    files: dict[str, Path]
    sha256s: dict[str, str] = field(default_factory=dict)  # by name, where a panorama must still be what it was
    _kept: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    def panorama(self, name: str) -> np.ndarray:
        """The whole panorama `name`, (H, W, 3) float32, W at most 2048."""
        return self._get(name)[0].astype(np.float32)

    def light(self, name: str, rotation: float = 0.0) -> np.ndarray:
        """The panorama averaged to 64 x 128 for lighting and turned about +z by `rotation` radians, (64, 128, 3)."""
        return turn(self._get(name)[1], rotation)

    def _get(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        if name not in self.files:
            raise ValueError(f"no HDRI is called {name!r}; there are {', '.join(self.files)}")
        if name not in self._kept:
            if len(self._kept) >= _KEPT:
                del self._kept[next(iter(self._kept))]
            if name in self.sha256s and file_sha256(self.files[name]) != self.sha256s[name]:
                raise ValueError(f"HDRI {self.files[name]} has changed since the release was planned")
            full = usable_panorama(self.files[name])
            light = cv2.resize(full, LIGHT_SIZE, interpolation=cv2.INTER_AREA)  # a sun can exceed float16
            self._kept[name] = np.minimum(full, np.finfo(np.float16).max).astype(np.float16), light
        return self._kept[name]


def usable_panorama(path: Path) -> np.ndarray:
    """The `normalise`d panorama of a file, (H, W, 3) float32. Raises ValueError naming the file."""
    panorama = read_panorama(path)
    try:
        return normalise(panorama)
    except ValueError as error:
        raise ValueError(f"HDRI {path}: {error}") from None


def read_panorama(path: Path) -> np.ndarray:
    """Read an .exr or .hdr file through Blender: (H, W, 3) float32. ValueError if it cannot be read."""
    _choose_decoder()
    return _read(path)


@cache
def _choose_decoder() -> None:
    """Read a file in vain, the first of the process, so that all that matter are decoded alike.

    OpenEXR chooses, while it decodes its first file compressed by DWA, which code of several for that fits the
    processor. Until then its other threads take another one, which rounds differently: in one process of some hundreds
    a part of the first panorama came out 0.1 % off (https://github.com/AcademySoftwareFoundation/openexr/issues/2670
    is a like fault of its library).
    """
    _read(hdri_files()[SMALLEST])


def _read(path: Path) -> np.ndarray:
    data = import_bpy().data
    try:
        image = data.images.load(str(path))
    except RuntimeError as error:
        raise ValueError(f"HDRI {path} cannot be read: {error}") from error
    try:
        columns, rows = image.size
        if columns == 0:
            raise ValueError(f"HDRI {path} cannot be read: damaged, or not a panorama")
        if columns != 2 * rows:
            raise ValueError(f"HDRI {path} is {columns} x {rows}; a panorama twice as wide as high is needed")
        pixels = np.empty(columns * rows * image.channels, np.float32)
        image.pixels.foreach_get(pixels)
    finally:
        data.images.remove(image)
    panorama = np.ascontiguousarray(pixels.reshape(rows, columns, -1)[::-1, :, :3])
    if columns > _MOST_COLUMNS:
        panorama = cv2.resize(panorama, (_MOST_COLUMNS, _MOST_COLUMNS // 2), interpolation=cv2.INTER_AREA)
    if not np.isfinite(panorama).all():
        raise ValueError(f"HDRI {path} holds values that are not finite")
    return np.maximum(panorama, 0)


def solid_angles(rows: int, columns: int) -> np.ndarray:
    """Solid angle (rows, 1) in steradians of each pixel of an equirectangular picture."""
    edges = np.cos(np.linspace(0, np.pi, rows + 1))
    return ((edges[:-1] - edges[1:]) * 2 * np.pi / columns)[:, None]


def directions(rows: int, columns: int) -> np.ndarray:
    """Unit world directions (rows, columns, 3) of the pixels' centres."""
    polar = (np.arange(rows) + 0.5) / rows * np.pi
    azimuth = (0.5 - (np.arange(columns) + 0.5) / columns) * 2 * np.pi
    ring = np.stack([np.cos(azimuth), np.sin(azimuth)], -1)
    flat = np.sin(polar)[:, None, None] * ring
    return np.concatenate([flat, np.broadcast_to(np.cos(polar)[:, None, None], (rows, columns, 1))], axis=2)


def normalise(panorama: np.ndarray) -> np.ndarray:
    """A panorama (H, W, 3) scaled so that its mean luminance over the sphere is 1. ValueError if it is black."""
    rows, columns = panorama.shape[:2]
    mean = float((panorama @ LUMINANCE * solid_angles(rows, columns)).sum() / (4 * np.pi))
    if not mean > 0:
        raise ValueError("it is black")
    return (panorama / np.float32(mean)).astype(np.float32)


def turn(panorama: np.ndarray, rotation: float) -> np.ndarray:
    """Turn a panorama (H, W, 3) counter-clockwise about +z (seen from above) by `rotation` radians."""
    columns = panorama.shape[1]
    shift = (rotation / (2 * np.pi) * columns) % columns
    whole, part = int(shift), np.float32(shift - int(shift))
    first, second = np.roll(panorama, -whole, axis=1), np.roll(panorama, -whole - 1, axis=1)
    return first * (1 - part) + second * part


def irradiance(light: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Irradiance (N, 3) that a panorama sends on surfaces with unit `normals` (N, 3): sum of L max(0, n.w) dw."""
    small = cv2.resize(np.asarray(light, np.float32), (32, 16), interpolation=cv2.INTER_AREA).astype(float)
    weighted = (small * solid_angles(16, 32)[:, :, None]).reshape(-1, 3)
    return np.maximum(normals @ directions(16, 32).reshape(-1, 3).T, 0) @ weighted


def view(
    panorama: np.ndarray, rotation: float, K: np.ndarray, world_to_cam: np.ndarray, width: int, height: int
) -> np.ndarray:
    """What a camera sees of a panorama infinitely far away, turned by `rotation`: (height, width, 3) float32."""
    x, y = places(pixel_rays(K, world_to_cam, width, height), rotation, *panorama.shape[:2])
    # one column more, so that the seam is interpolated across
    wide = np.concatenate([panorama, panorama[:, :1]], axis=1)
    return cv2.remap(wide, x, y, cv2.INTER_LINEAR)


def places(rays: np.ndarray, rotation: float, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Where unit directions (H, W, 3) meet a panorama turned by `rotation`: column and row (H, W) float32.

    Whole numbers are the pixels' centres; columns are in 0..columns, rows no further out than the outer ones' centres.
    """
    u = 0.5 - (np.arctan2(rays[..., 1], rays[..., 0]) - np.float32(rotation)) / np.float32(2 * np.pi)
    v = np.arccos(np.clip(rays[..., 2], -1, 1)) / np.float32(np.pi)
    x = (u * columns - 0.5) % columns
    y = np.clip(v * rows - 0.5, 0, rows - 1)
    return x.astype(np.float32), y.astype(np.float32)


def pixel_rays(K: np.ndarray, world_to_cam: np.ndarray, width: int, height: int) -> np.ndarray:
    """Unit world directions (height, width, 3) float32 through the pixels' centres of an OpenCV camera."""
    x = (np.arange(width) + 0.5 - K[0, 2]) / K[0, 0]
    y = ((np.arange(height) + 0.5 - K[1, 2]) / K[1, 1])[:, None]
    length = np.sqrt(x * x + y * y + 1.0)
    rays = np.empty((height, width, 3))
    for axis, along in enumerate((x, y, 1.0)):
        np.divide(along, length, out=rays[..., axis])
    return (rays @ world_to_cam[:3, :3]).astype(np.float32)
