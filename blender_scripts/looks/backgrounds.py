"""Backgrounds of a sample's views, in linear light, and developing linear light to a picture."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from rigging.files import walk_files

from .colour import linear_to_srgb8, srgb_to_linear
from .detail import Backdrop, detailed_view
from .exposure import panorama_gain
from .look import Look

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
_BRIGHTEST = 1.5  # brighter light is recorded as this, lest it eat into the hand's outline
_ROOM = 2.0  # metres, how far from the cameras most of a made-up room is
_ZOOM = (0.35, 1.0)  # of the largest square of a photograph, how much a view shows


@dataclass(frozen=True)
class PhotoFolder:
    """A user's photographs, for the background kind `folder`."""

    files: tuple[Path, ...]
    sha256s: tuple[str, ...] = ()  # of each, where a photograph must still be what it was

    @classmethod
    def open(cls, folder: str | Path) -> PhotoFolder:
        """The `photo_files` of `folder`. Raises FileNotFoundError if there are none."""
        return cls(photo_files(folder))

    def crop(self, rng: np.random.Generator, width: int, height: int) -> np.ndarray:
        """A random part of a random photograph, perhaps mirrored: (height, width, 3) float32 linear light.

        Raises OSError, and ValueError for one that cannot be read as a picture or has changed.
        """
        index = int(rng.integers(len(self.files)))
        zoom, across, down, mirror = rng.uniform(*_ZOOM), rng.random(), rng.random(), rng.random() < 0.5
        photo = self._read(index)
        scale = zoom * min(photo.shape[1] / width, photo.shape[0] / height)
        w, h = max(1, int(width * scale)), max(1, int(height * scale))
        left, top = int(across * (photo.shape[1] - w)), int(down * (photo.shape[0] - h))
        part = photo[top : top + h, left : left + w, ::-1]
        method = cv2.INTER_AREA if scale > 1 else cv2.INTER_CUBIC
        part = cv2.resize(np.ascontiguousarray(part), (width, height), interpolation=method)
        return srgb_to_linear(np.ascontiguousarray(part[:, ::-1]) if mirror else part)

    def _read(self, index: int) -> np.ndarray:
        path = self.files[index]
        data = path.read_bytes()
        if self.sha256s and hashlib.sha256(data).hexdigest() != self.sha256s[index]:
            raise ValueError(f"background {path} has changed since the release was planned")
        try:
            return decode_photo(data)
        except ValueError as error:
            raise ValueError(f"background {path} cannot be read as a photograph: {error}") from None


def photo_files(folder: str | Path) -> tuple[Path, ...]:
    """The photographs in `folder` and below, in order of name; hidden files and folders are passed over.

    Raises FileNotFoundError if there is no such folder or no photograph in it, OSError if it cannot be listed.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"background folder {folder} does not exist")
    files = tuple(sorted(path for path in walk_files(folder) if path.suffix.lower() in PHOTO_SUFFIXES))
    if not files:
        raise FileNotFoundError(f"background folder {folder} holds no photograph ({', '.join(PHOTO_SUFFIXES)})")
    return files


def decode_photo(data: bytes) -> np.ndarray:
    """The pixels (H, W, 3) uint8 BGR of a picture's file, as cameras say it is to be turned. Raises ValueError."""
    if not data:
        raise ValueError("the file is empty")
    try:
        photo = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise ValueError(f"not a picture that can be read ({error.err})") from None
    if photo is None:
        raise ValueError("damaged, or not a picture")
    return photo


def make_backgrounds(
    look: Look,
    panorama: np.ndarray,
    gains: np.ndarray,
    light: np.ndarray,
    K: np.ndarray,
    world_to_cam: np.ndarray,
    size: tuple[int, int],
    photos: PhotoFolder | None = None,
) -> np.ndarray:
    """Backgrounds (V, H, W, 3) float32 as the camera records them: linear light after exposure, not clipped.

    Args:
        panorama: the whole HDRI of the look, not turned. gains: `look.camera_gains`. light: (64, 128, 3) as it lights
            the hand. K: (V, 3, 3); world_to_cam: (V, 4, 4). size: (width, height). photos: for the kind `folder`.
    """
    width, height = size
    if look.background == "none":
        return np.zeros((len(K), height, width, 3), np.float32)
    if look.background == "folder":
        if photos is None:
            raise ValueError("background kind 'folder' needs a folder of photographs")
        rng = np.random.default_rng(look.background_seed)
        views = [photos.crop(rng, width, height) for _ in K]
    elif look.background == "clutter":
        views = [view * gains for view in _room_views(look, light, K, world_to_cam, size)]
    else:
        scale = panorama_gain(look, panorama, gains)
        backdrop = Backdrop(panorama, look.rotation, scale, _BRIGHTEST, look.detail, look.background_seed)
        views = [detailed_view(backdrop, k, m, size) for k, m in zip(K, world_to_cam)]
    return np.stack([blur(np.minimum(view, _BRIGHTEST), look.background_blur) for view in views])


def background_distance(look: Look) -> float:
    """How far from the cameras the background is, for their focus: metres, or infinity."""
    return _ROOM if look.background == "clutter" else math.inf


def _room_views(
    look: Look, light: np.ndarray, K: np.ndarray, world_to_cam: np.ndarray, size: tuple[int, int]
) -> list[np.ndarray]:
    """A made-up room through V cameras: (height, width, 3) float32 linear light each."""
    if look.rooms == "lived-in":
        from .lived_in import room as rooms
    else:
        from . import clutter as rooms
    reach = float(np.linalg.norm(np.linalg.inv(world_to_cam)[:, :3, 3], axis=1).max())
    room = rooms.light_room(rooms.build_room(look.background_seed, round(reach, 1)), light, look.lamps)
    return [rooms.view_room(room, k, m, *size) for k, m in zip(K, world_to_cam)]


def blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Defocus of an image (H, W, 3): a Gaussian of `sigma` pixels; less than 0.2 is left alone."""
    return image if sigma < 0.2 else cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)


def develop(picture: np.ndarray, lens_blur: float, noise: float, rng: np.random.Generator) -> np.ndarray:
    """Point spread, noise that grows with the square root of the light, and sRGB: (H, W, 3) uint8."""
    picture = blur(picture, lens_blur)
    if noise > 0:
        grain = rng.standard_normal(picture.shape, np.float32)
        picture = picture + grain * np.float32(noise) * np.sqrt(np.maximum(picture, 0.01))
    return linear_to_srgb8(picture)
