"""Values in JSON that devices and programs wrote: keys in any spelling, points as lists or objects, frames."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..clip import PoseError

NOWHERE = (float("nan"),) * 3


@lru_cache(4096)
def plain(name: str) -> str:
    """A name without case and punctuation: `hand_world_landmarks` and `handWorldLandmarks` are one."""
    return "".join(filter(str.isalnum, name)).lower()


def get(value: Any, *names: str) -> Any:
    """What a mapping holds under the first of `names` that it has and is not null, in any spelling; else None."""
    if not isinstance(value, Mapping):
        return None
    for name in names:
        if value.get(name) is not None:
            return value[name]
    known = {plain(str(key)): item for key, item in value.items() if item is not None}
    return next((known[plain(name)] for name in names if plain(name) in known), None)


def number(value: Any) -> float:
    """A number as float, NaN for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return float("nan")
    try:
        return float(value)
    except OverflowError:  # an integer of hundreds of digits
        return float("nan")


def point(value: Any) -> tuple[float, float, float]:
    """[x, y, z] or {x, y, z} as three floats, NaN where there is no number."""
    if isinstance(value, Mapping):
        value = [get(value, axis) for axis in "xyz"]
    if not isinstance(value, list | tuple) or len(value) != 3:
        return NOWHERE
    return number(value[0]), number(value[1]), number(value[2])


def only(value: Any) -> Any:
    """What a list of one holds, anything else as it is: some writers put a thing into a list of its own."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def side(value: Any) -> str:
    """ "right" or "left" as devices write it (Left, L, 0 of a Leap hand's type, ...), "" if it is neither."""
    if isinstance(value, np.generic):
        value = value.item()
    text = plain(str(value))
    for name in ("left", "right"):
        if text in (name, name[0]) or text.endswith(f"type{name}"):
            return name
    return ""


def untracked(value: Any) -> bool:
    """Whether a joint, hand or frame says of itself that it is not tracked, whatever place it gives."""
    told = (get(value, name) for name in ("tracked", "isTracked", "valid", "isValid", "active", "isActive"))
    return any(item is not None and not isinstance(item, str) and item in (False, 0) for item in told)


def person(value: Any, where: str) -> str:
    """Who a file says it is of, "" where null. Raises PoseError for what is neither a text nor a whole number."""
    if value is None:
        return ""
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise PoseError(f"{where}: subject is {value!r}, allowed is a text or a whole number")
    return str(value)


def rate(value: Any, where: str) -> float | None:
    """Frames per second, None where null. Raises PoseError for what is no positive number."""
    if value is None:
        return None
    fps = number(value)
    if not 0 < fps < float("inf"):
        raise PoseError(f"{where}: fps is {value!r}, allowed is a positive number or null")
    return fps


def read_frames(path: Path) -> tuple[list[Any], Mapping[str, Any]]:
    """The frames of a recording in JSON, and what it says about all of them.

    It may be a list of frames, an object with `frames`, one frame, or one frame a line; of lines, those that are not
    whole are null (a recorder that was killed leaves one).

    Raises:
        FileNotFoundError, OSError: the file cannot be opened.
        PoseError: it is not JSON, or holds no frame.
    """
    data = _parse(path)
    frames = data if isinstance(data, list) else get(data, "frames")
    if frames is None and isinstance(data, Mapping):
        frames = [data]
    if not isinstance(frames, list) or not frames:
        raise PoseError(f"{path}: no frames in it")
    return frames, data if isinstance(data, Mapping) else {}


def _parse(path: Path) -> Any:
    text = path.read_bytes()
    if not text.strip():
        raise PoseError(f"{path}: the file is empty")
    try:
        return json.loads(text)
    except RecursionError:
        raise PoseError(f"{path}: not a JSON file (nested too deeply)") from None
    except ValueError as error:
        lines = [_line(line) for line in text.splitlines() if line.strip()]
        if len(lines) < 2 or not isinstance(lines[0], dict | list):
            raise PoseError(f"{path}: not a whole JSON file ({error})") from None
        return lines


def _line(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
