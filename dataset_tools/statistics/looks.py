"""What the pictures look like by their labels: skin tones, light, backgrounds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from .poses import quantiles

# Degrees of ITA, from below (Chardon, Cretois and Hourseau 1991; Del Bino and Bernerd 2013)
TONES = (("dark", -np.inf), ("brown", -30), ("tan", 10), ("intermediate", 28), ("light", 41), ("very light", 55))
MONK = range(1, 11)
MOST_VALUES = 40  # of a text, listed one by one
NO_KINDS = ("seed",)  # entries that tell samples apart, and no look


def tone_of(ita: np.ndarray) -> np.ndarray:
    """Index (...) into TONES of skin tones (...) in degrees ITA."""
    return np.searchsorted([low for _, low in TONES[1:]], ita, side="right")


def skin_table(ita: np.ndarray, monk: np.ndarray, subject: np.ndarray) -> dict[str, Any]:
    """Samples and subjects per ITA group and Monk bin, from ita (S,) degrees, monk (S,) and subject (S,)."""
    _, first = np.unique(subject, return_index=True)
    tone = tone_of(ita)
    return {
        "ita_degrees": quantiles(ita),
        "samples": {name: int((tone == i).sum()) for i, (name, _) in enumerate(TONES)},
        "subjects": {name: int((tone[first] == i).sum()) for i, (name, _) in enumerate(TONES)},
        "monk_samples": {str(k): int((monk == k).sum()) for k in MONK},
        "monk_subjects": {str(k): int((monk[first] == k).sum()) for k in MONK},
    }  # fmt: skip


def entries_table(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Of each entry that samples' descriptions (S,) have: quantiles of numbers, or counts of texts, and how many are.

    A list counts as its length (`lamps`), and its own entries are told as `lamps.kelvin`, over all of its members.
    """
    values: dict[str, list[Any]] = {}
    for row in rows:
        for name, value in _flat(row):
            values.setdefault(name, []).append(value)
    return {name: _told(found) for name, found in sorted(values.items())}


def _flat(row: Mapping[str, Any], before: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in row.items():
        if name in NO_KINDS:
            continue
        if isinstance(value, list) and all(isinstance(member, dict) for member in value):
            yield before + name, len(value)
            for member in value:
                yield from _flat(member, f"{before}{name}.")
        elif isinstance(value, (str, int, float)):
            yield before + name, value


def _told(values: Sequence[Any]) -> dict[str, Any]:
    if all(isinstance(value, (int, float)) for value in values):
        return {"n": len(values), "mean": float(np.mean(values)), **quantiles(np.array(values, float))}
    counts = Counter(str(value) for value in values).most_common()
    return {"n": len(values), "different": len(counts), "counts": dict(sorted(counts[:MOST_VALUES]))}


def brightness_table(brightness: np.ndarray, tone: np.ndarray) -> dict[str, Any]:
    """Mean grey, 0 to 1, of hands by skin tone and of backgrounds, from brightness (P, 2) and index of TONES (P,)."""
    hand, background = brightness[:, 0], brightness[:, 1]
    means = {name: _mean(hand[tone == i]) for i, (name, _) in enumerate(TONES)}
    return {
        "hand": _mean(hand), "background": _mean(background), "hand_by_tone": {k: v for k, v in means.items() if v},
        "difference": _mean(np.abs(hand - background)),
    }  # fmt: skip


def _mean(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None
