"""What a check is and what it measures: a figure per sample, held against a limit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Check:
    """One check by its name: what it measures in a sample, in which unit, and how far that may go."""

    name: str
    what: str
    limit: float
    unit: str
    at_least: bool = False  # the limit is the least that is allowed, not the most

    def fails(self, value: float) -> bool:
        """Whether a figure is beyond the limit; one that is not a number is."""
        return not (value >= self.limit if self.at_least else value <= self.limit)

    def severity(self, value: float) -> float:
        """How far a figure is on its way to the limit: 0 perfect, 1 at the limit, more beyond it."""
        if not np.isfinite(value):
            return 1e6
        if self.at_least:
            return float(2.0 - value / self.limit) if value < self.limit else float(self.limit / max(value, 1e-12))
        return float(value / self.limit) if self.limit > 0 else float(value > 0) * (1.0 + value)

    def sentence(self, figure: Figure) -> str:
        """What is wrong, in one line."""
        bound = "at least" if self.at_least else "at most"
        where = f" ({figure.where})" if figure.where else ""
        value = f"{figure.value:.4g} {self.unit}".strip().replace(" -", "-")
        return f"{self.name}: {self.what} is {value}{where}, allowed is {bound} {self.limit:g}"


@dataclass(frozen=True)
class Figure:
    """A measured value and where the worst of it was seen, such as "view 3"."""

    value: float
    where: str = ""


Figures = dict[str, Figure]


def worst_view(values: np.ndarray, at_least: bool = False) -> Figure | None:
    """The worst of a figure per view (V,), NaN where it was not measured; None if it was in no view."""
    values = np.asarray(values, float)
    if np.isnan(values).all():
        return None
    view = int(np.nanargmin(values) if at_least else np.nanargmax(values))
    return Figure(float(values[view]), f"view {view}")


def measured(**figures: Figure | None) -> Figures:
    """Figures by the names of their checks, without those that could not be measured."""
    return {name: figure for name, figure in figures.items() if figure is not None}
