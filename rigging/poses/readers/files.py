"""Small helpers of the readers: JSON with clear errors, arrays, runs of consecutive frames."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ..clip import PoseError


def read_json(path: Path) -> Any:
    """Parse a JSON file; FileNotFoundError and PoseError name it."""
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such file") from None
    except OSError as error:
        raise PoseError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (ValueError, RecursionError) as error:
        raise PoseError(f"{path}: not a whole JSON file ({error})") from None


def numbers(value: Any, shape: tuple[int, ...], where: str) -> np.ndarray:
    """`value` as a float64 array of `shape` (-1 is any length); PoseError names `where`."""
    try:
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise PoseError(f"{where}: not an array of numbers, allowed is shape {_text(shape)}") from None
    if array.ndim != len(shape) or any(want not in (-1, got) for want, got in zip(shape, array.shape)):
        raise PoseError(f"{where}: shape {array.shape}, allowed is {_text(shape)}")
    return array


def _text(shape: tuple[int, ...]) -> str:
    return "(" + ", ".join("T" if size == -1 else str(size) for size in shape) + ")"


def runs(frames: Iterable[int]) -> list[np.ndarray]:
    """Split increasing frame numbers where one is missing: [0 1 2 5 6] -> [[0 1 2] [5 6]]."""
    frames = np.asarray(list(frames), dtype=np.int64)
    if not len(frames):
        return []
    return np.split(frames, np.flatnonzero(np.diff(frames) != 1) + 1)
