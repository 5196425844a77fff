"""Several runs on the same samples side by side, with intervals, and their paired differences to the first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dataset_tools.progress import duration
from rigging.errors import InputError

from ..metrics.intervals import DRAWS, FEWEST_CLUSTERS, Interval, paired_interval, shared_seeds
from .markdown import table
from .measures import AREA, MEASURES, Measured, digits


@dataclass(frozen=True)
class Row:
    """One way of estimating: a figure by measure, and how it differs from that of the first row."""

    name: str
    seeds: int
    figures: Mapping[str, Interval]
    differences: Mapping[str, Interval]  # nothing for the first row
    seconds: float | None = None  # that its training took, mean over the seeds


@dataclass(frozen=True)
class Comparison:
    """Rows on the same samples."""

    samples: int
    subjects: int
    rows: tuple[Row, ...]


def compare(
    ways: Mapping[str, Sequence[Measured]], seconds: Mapping[str, float | None] | None = None, draws: int = DRAWS
) -> Comparison:
    """Compare ways of estimating, each measured once a seed, with the first of them.

    Raises InputError unless all were measured on the same samples.
    """
    first = next(iter(ways))
    sample, subject = ways[first][0].sample, ways[first][0].subject
    for name, seeds in ways.items():
        if not all(np.array_equal(one.sample, sample) for one in seeds):
            raise InputError(f"{name}: was not measured on the samples that {first} was")
    rows = (_row(name, seeds, ways[first], subject, (seconds or {}).get(name), draws) for name, seeds in ways.items())
    return Comparison(len(sample), len(np.unique(subject)), tuple(rows))


def _row(
    name: str, seeds: Sequence[Measured], first: Sequence[Measured], subject: np.ndarray, took: float | None, draws: int
) -> Row:
    there = [one.name for one in MEASURES if one.name in seeds[0].values]
    both = [] if seeds is first else [one for one in there if one in first[0].values]
    return Row(
        name, len(seeds),
        {one: _interval(_stacked(seeds, one), subject, draws) for one in there},
        {one: _difference(_stacked(seeds, one), _stacked(first, one), subject, draws) for one in both},
        took,
    )  # fmt: skip


def _stacked(seeds: Sequence[Measured], measure: str) -> np.ndarray:
    """Values (seeds, S)."""
    return np.stack([one.values[measure] for one in seeds])


def _difference(own: np.ndarray, other: np.ndarray, subject: np.ndarray, draws: int) -> Interval:
    own, other = shared_seeds(own, other)
    return _interval(own - other, subject, draws)


def _interval(values: np.ndarray, subject: np.ndarray, draws: int) -> Interval:
    return paired_interval(values, subject, np.random.default_rng(0), draws)


# told in Markdown


def comparison_text(found: Comparison) -> str:
    """Two tables: the figures, and the differences to the first row."""
    first = found.rows[0].name
    names = [one.name for one in MEASURES if any(one.name in row.figures for row in found.rows)]
    figures = ([row.name, row.seeds, _took(row.seconds), *_cells(row.figures, names)] for row in found.rows)
    lines = [*table(("", "seeds", "trained", *names), figures), ""]
    if found.rows[1:]:
        differences = ([row.name, *_cells(row.differences, names, "+")] for row in found.rows[1:])
        lines += [*table((f"less {first}", *names), differences), ""]
    return "\n".join([*lines, *_notes(found)])


def _notes(found: Comparison) -> Iterator[str]:
    yield f"{found.samples} samples of {found.subjects} subjects; 95 % intervals over subjects, and over seeds where a"
    yield "row has several (with one they do not speak of other trainings). Differences are paired, over the seeds that"
    yield "both rows have, and **bold** if separable from zero. Joints and mesh are relative to the wrist without an"
    yield f"oracle; {AREA} and the others with root depth and scale of the labels, not aligned."
    if found.subjects < FEWEST_CLUSTERS:
        yield f"Fewer than {FEWEST_CLUSTERS} subjects: too small to tell differences."


def _cells(figures: Mapping[str, Interval], names: Sequence[str], sign: str = "") -> list[str]:
    return [told(figures.get(name), digits(name), sign) for name in names]


def told(one: Interval | None, digits: int = 2, sign: str = "") -> str:
    """A mean with its interval; with the sign "+" it is a difference, bold if it is separable from zero."""
    if one is None:
        return "-"
    mean, low, high = (f"{value:{sign}.{digits}f}" for value in (one.mean, one.low, one.high))
    mark = "**" if sign and one.separable else ""
    return f"{mark}{mean}{mark} ({low} to {high})"


def _took(seconds: float | None) -> str:
    return "-" if seconds is None else duration(seconds)
