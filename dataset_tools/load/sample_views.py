"""A sample with the axis of views, whether it was loaded so or as a single view; and its picture's size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rigging.errors import InputError

from ..format.optional import KNOWN_FIELDS

Sample = dict[str, Any]
Size = tuple[int, int]  # width, height in px
LARGEST = 32767  # px a side; OpenCV moves no larger pictures


def with_views(sample: Mapping[str, Any], what: str) -> Sample:
    """The sample with arrays (V, ...), V = 1 for a single view; `what` begins messages.

    Raises InputError for what is not a field of the schema, or arrays that do not belong to one sample.
    """
    if not isinstance(sample, Mapping):
        raise InputError(f"{what}: a sample as the loader gives it is wanted, got {type(sample).__name__}")
    if unknown := [str(name) for name in sample if name not in KNOWN_FIELDS and name != "meta"]:
        raise InputError(f"{what}: no field {', '.join(unknown)} in the schema; take it out, and move it yourself")
    single = is_single(sample)
    out = {name: value[None] if single and _per_view(name) else value for name, value in sample.items()}
    for name, value in out.items():
        if name != "meta" and np.ndim(value) != len(KNOWN_FIELDS[name].shape):
            raise InputError(
                f"{what}: {name} has shape {np.shape(sample[name])}, not that of a sample or one view (a clip: move "
                "each frame of load.clips.unstack)"
            )
    for axes, letters in ((1, "V"), (3, "VHW")):
        named = [name for name in out if name != "meta" and KNOWN_FIELDS[name].shape[:axes] == tuple(letters)]
        if len(shapes := {out[name].shape[:axes] for name in named}) > 1:
            raise InputError(f"{what}: {', '.join(named)} differ in ({', '.join(letters)}): {sorted(shapes)}")
    return out


def without_views(moved: Sample, sample: Mapping[str, Any]) -> Sample:
    """The moved sample with axes and order as those of `sample`."""
    single = is_single(sample)
    return {name: moved[name][0] if single and _per_view(name) else moved[name] for name in sample}


def is_single(sample: Mapping[str, Any]) -> bool:
    """Whether the sample is of one view, without the axis."""
    names = [name for name in sample if _per_view(name)]
    return bool(names) and np.ndim(sample[names[0]]) == len(KNOWN_FIELDS[names[0]].shape) - 1


def view_count(sample: Sample) -> int:
    """V of a sample with the axis of views; 1 if nothing in it belongs to a view."""
    return next((len(value) for name, value in sample.items() if _per_view(name)), 1)


def image_size(sample: Sample, size: Size | None, what: str) -> Size:
    """(width, height) px of a sample with the axis of views: that of its images, else `size`."""
    shape = next((value.shape[1:3] for name, value in sample.items() if _is_image(name)), None)
    if shape is None:
        if size is None:
            raise InputError(f"{what}: no image in the sample; pass size=(width, height) of the picture")
        return checked_size(size, what)
    if size is not None and checked_size(size, what) != shape[::-1]:
        raise InputError(f"{what}: size is {size}, the images have (width, height) = {shape[::-1]}")
    return shape[::-1]


def checked_size(size: Any, what: str) -> Size:
    """(width, height) from a pair or one number. Raises InputError where they are not whole and from 1 to LARGEST."""
    pair = tuple(size) if isinstance(size, (tuple, list, np.ndarray)) else (size, size)
    whole = all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) and 0 < n <= LARGEST for n in pair)
    if len(pair) != 2 or not whole:
        raise InputError(
            f"{what}: size is {size!r}, a whole number of px from 1 to {LARGEST} or (width, height) is wanted"
        )
    return int(pair[0]), int(pair[1])


def finite(values: Any) -> np.ndarray | None:
    """Numbers (...) as float64; None where they are no numbers, or not finite."""
    try:
        array = np.asarray(values, np.float64) if not isinstance(values, str) else None
    except (TypeError, ValueError, OverflowError):
        return None
    return array if array is not None and np.isfinite(array).all() else None


def _per_view(name: str) -> bool:
    return name != "meta" and KNOWN_FIELDS[name].per == "view"


def _is_image(name: str) -> bool:
    return name != "meta" and KNOWN_FIELDS[name].group == "images"
