"""Small helpers of the readers: JSON with clear errors, arrays of frames, runs and choices of numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..clip import PoseError


def read_json(path: Path) -> Any:
    """Parse a JSON file (UTF-8, with or without byte order mark).

    Raises:
        FileNotFoundError, PoseError: naming the file: it is not there, cannot be read, or is no whole JSON.
    """
    return parse_json(read_file(path), path)


def read_file(path: Path) -> bytes:
    """All bytes of a file; FileNotFoundError and PoseError name it and say why it cannot be read."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"{path}: no such file") from None
    except (PermissionError, IsADirectoryError) as error:
        raise PoseError(f"{path}: cannot be read ({error.strerror})") from None


def parse_json(data: bytes, path: Path) -> Any:
    """`data` as JSON; PoseError names the file `path` that held it."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise PoseError(f"{path}: not a whole JSON file ({error})") from None


def numbers(value: Any, shape: tuple[int, ...], where: str) -> np.ndarray:
    """`value` as a float64 array of `shape` (-1 is any length), null as NaN; PoseError names `where`.

    Texts and truth values are no numbers.
    """
    try:
        array = np.array(value)
        words = array.dtype.kind not in "fiuO" or any(isinstance(item, str | bool) for item in _objects(array))
        array = array.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        words = True
    if words:
        raise PoseError(f"{where}: not an array of numbers, allowed is shape {_text(shape)}")
    if array.ndim != len(shape) or any(want not in (-1, got) for want, got in zip(shape, array.shape)):
        raise PoseError(f"{where}: shape {array.shape}, allowed is {_text(shape)}")
    return array


def _objects(array: np.ndarray) -> Iterable[object]:
    return array.ravel() if array.dtype.kind == "O" else ()


def frames_of_numbers(values: Sequence[Any], shape: tuple[int, ...]) -> np.ndarray:
    """An array (T, *shape) of one value per frame; a frame that is null, ragged or no number is NaN, for the gate."""
    try:
        return numbers(values, (-1, *shape), "")
    except PoseError:
        return np.stack([_frame(value, shape) for value in values]) if len(values) else np.zeros((0, *shape))


def _frame(value: Any, shape: tuple[int, ...]) -> np.ndarray:
    try:
        return numbers(value, shape, "")
    except PoseError:
        return np.full(shape, np.nan)


def _text(shape: tuple[int, ...]) -> str:
    return "(" + ", ".join("T" if size == -1 else str(size) for size in shape) + ")"


def runs(frames: Iterable[int]) -> list[np.ndarray]:
    """Split increasing frame numbers where one is missing: [0 1 2 5 6] -> [[0 1 2] [5 6]]."""
    frames = np.asarray(list(frames), dtype=np.int64)
    if not len(frames):
        return []
    return np.split(frames, np.flatnonzero(np.diff(frames) != 1) + 1)


def chosen_numbers(texts: Sequence[str], option: str, count: int) -> set[int]:
    """Numbers 0 to count - 1 that an option names as single ones and ranges, "3" or "10-19"; all where it names none.

    Raises:
        PoseError: a text that is neither, or a number that there is not.
    """
    if not texts:
        return set(range(count))
    chosen: set[int] = set()
    for text in texts:
        match = re.fullmatch(r"(\d+)(?:-(\d+))?", text)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not first <= last < count:
            allowed = f"numbers 0 to {count - 1} and ranges of them, such as 0-9" if count else "none, there are none"
            raise PoseError(f"{option}: {text!r}, allowed are {allowed}")
        chosen |= set(range(first, last + 1))
    return chosen
