"""A user's pictures: which there are, and each as 8-bit RGB, turned as its camera says it was held."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath

import cv2
import numpy as np

from rigging.errors import InputError
from rigging.files import is_hidden

from ..adapters.files import read_picture

log = logging.getLogger(__name__)

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
FILMS = (".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm")
BEHIND = 128  # grey, where a picture is transparent
SMALLEST = 8  # px, of a picture's sides


@dataclass(frozen=True)
class Inputs:
    """What the words of a command stand for, in their order."""

    pictures: tuple[Path, ...]
    films: tuple[Path, ...]


def find_inputs(paths: Iterable[Path]) -> Inputs:
    """Files as they are named, and of a folder its pictures and films by name; what cannot be one is left out there.

    Raises FileNotFoundError; InputError for a file that is no picture or film, and for folders without one.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += _of_folder(path)
        elif not path.exists():
            raise FileNotFoundError(f"{path}: no such picture, film or folder")
        elif not is_film(path) and not cv2.haveImageReader(str(path)):
            raise InputError(f"{path}: cannot be read as a picture; films are {', '.join(FILMS)}")
        else:
            found.append(path)
    films = tuple(path for path in found if is_film(path))
    return Inputs(tuple(path for path in found if path not in films), films)


def _of_folder(folder: Path) -> list[Path]:
    inside = [path for path in sorted(folder.iterdir()) if path.is_file() and not is_hidden(PurePath(path.name))]
    named = [path for path in inside if path.suffix.lower() in PICTURES + FILMS]
    good = [path for path in named if is_film(path) or cv2.haveImageReader(str(path))]
    for path in (path for path in named if path not in good):
        log.warning("%s: cannot be read as a picture; it is left out", path)
    if not good:
        raise InputError(f"{folder}: no pictures ({', '.join(PICTURES)}) or films ({', '.join(FILMS)}) in it")
    return good


def is_film(path: Path) -> bool:
    """Whether a file's name is that of a film."""
    return path.suffix.lower() in FILMS


def read_photograph(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB: upright by its EXIF, 16 bits as 8, grey as colour, over grey where it is transparent.

    Raises FileNotFoundError; InputError for what is no picture, or too small a one.
    """
    picture = read_picture(path)
    if min(picture.shape[:2]) < SMALLEST:
        raise InputError(f"{path}: {picture.shape[1]} x {picture.shape[0]} px; {SMALLEST} a side is the least")
    raw = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if raw is None or raw.ndim < 3 or raw.shape[2] != 4 or raw.shape[:2] != picture.shape[:2]:
        return picture
    alpha = raw[..., 3:].astype(np.float32) / np.iinfo(raw.dtype).max
    return np.rint(picture * alpha + BEHIND * (1 - alpha)).astype(np.uint8)
