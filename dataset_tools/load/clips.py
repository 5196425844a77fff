"""Samples that are frames of one pair or clip, as one item: found in an index, stacked, and taken apart again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rigging.errors import InputError

Sample = dict[str, Any]


def clip_bounds(shard: np.ndarray, pair: np.ndarray) -> np.ndarray:
    """(C + 1,) int64: where the C clips of samples (n,) begin, and n; `shard` (n,) and `pair` (n,) say which are one.

    Samples of a clip follow each other, in one shard.
    """
    new = np.ones(len(pair), bool)
    new[1:] = (shard[1:] != shard[:-1]) | (pair[1:] != pair[:-1])
    return np.append(np.flatnonzero(new), len(pair)).astype(np.int64)


def stack(samples: Sequence[Mapping[str, Any]]) -> Sample:
    """Samples of one shape as a clip: arrays (T, ...) and numbers (T,) get an axis of frames, texts become lists.

    Raises InputError for none, or samples that differ in their fields or shapes.
    """
    if not samples:
        raise InputError("stack: no samples")
    first = samples[0]
    if any(set(sample) != set(first) for sample in samples):
        raise InputError("stack: the samples have different fields")
    return {name: _stacked(name, [sample[name] for sample in samples]) for name in first}


def _stacked(name: str, values: list[Any]) -> Any:
    if isinstance(values[0], Mapping):
        return stack(values)
    if isinstance(values[0], str):
        return values
    if len(shapes := {np.shape(value) for value in values}) > 1:
        raise InputError(f"stack: {name} differs in shape: {', '.join(map(str, sorted(shapes)))}")
    return np.stack(values)


def unstack(clip: Mapping[str, Any]) -> list[Sample]:
    """The T frames of a clip, each a sample as the loader gives it: the inverse of `stack`; no array is copied."""
    return [_frame(clip, t) for t in range(_frames(clip))]


def _frames(clip: Mapping[str, Any]) -> int:
    value = next(iter(clip.values()), ())
    return _frames(value) if isinstance(value, Mapping) else len(value)


def _frame(clip: Mapping[str, Any], t: int) -> Sample:
    frames = ((name, _frame(value, t) if isinstance(value, Mapping) else value[t]) for name, value in clip.items())
    return {name: as_python(value) for name, value in frames}


def as_python(value: Any) -> Any:
    """A single number as Python's own; anything else as it is."""
    return value.item() if isinstance(value, (np.ndarray, np.generic)) and value.ndim == 0 else value
