"""A folder of photographs, as a reference for the pictures of a release."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from rigging.errors import InputError
from rigging.files import walk_files

from ..progress import Progress
from .picture_measures import MEASURES, measure

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
OPTION = "--reference"  # that names the folder


@dataclass(frozen=True)
class Pictures:
    """Measured pictures, and the shorter side that each has by itself."""

    measures: np.ndarray  # (P, 12), columns MEASURES
    sides: np.ndarray  # (P,) px


def photographs(folder: Path, option: str = OPTION) -> list[Path]:
    """The photographs in a folder and below, sorted. Raises InputError for none, or for no folder."""
    if not folder.is_dir():
        raise InputError(f"{option} {folder}: no such folder; a folder of photographs is wanted")
    found = sorted(path for path in walk_files(folder) if path.suffix.lower() in SUFFIXES)
    if not found:
        raise InputError(f"{option} {folder}: no photographs there ({', '.join(SUFFIXES)})")
    return found


def read_photograph(path: Path, option: str = OPTION) -> np.ndarray:
    """A photograph (H, W, 3) uint8, turned upright as it says itself. Raises InputError for a file that is none."""
    data = np.frombuffer(path.read_bytes(), np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    if picture is None:
        raise InputError(f"{option} {path}: not a photograph, or damaged; take it out of the folder")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def measure_photographs(folder: Path) -> Pictures:
    """MEASURES of all photographs of a folder. Raises InputError."""
    paths = photographs(folder)
    measures, sides = np.zeros((len(paths), len(MEASURES))), np.zeros(len(paths))
    with Progress("photographs", len(paths)) as progress:
        for i, path in enumerate(paths):
            picture = read_photograph(path)
            measures[i], sides[i] = measure(picture), min(picture.shape[:2])
            progress.add(1)
    return Pictures(measures, sides)
