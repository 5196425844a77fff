"""Sums without rounding, so that figures are the same however a data set is split, ordered and merged."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from rigging.errors import InputError

MANTISSA = 53  # bits of a float64
LOW = 26  # of them summed apart: bins of float64 then hold whole numbers exactly
SMALLEST = -1073  # exponent that frexp gives for the smallest float64
AT_ONCE = 2**24  # values a bin can take without rounding, with room to spare


class ExactSum:
    """Sums of `columns` columns of finite float64, kept as whole multiples of 2**(SMALLEST - MANTISSA)."""

    def __init__(self, columns: int = 1) -> None:
        self.units = [0] * columns

    def add(self, values: np.ndarray, columns: np.ndarray | int = 0) -> None:
        """Add values (m,) to the sums whose numbers `columns` (m,) gives. Raises InputError unless all are finite."""
        if not np.isfinite(values).all():
            raise InputError("errors must be finite numbers to be summed")
        columns = np.broadcast_to(columns, values.shape)
        for start in range(0, len(values), AT_ONCE):
            self._add(values[start : start + AT_ONCE], columns[start : start + AT_ONCE])

    def merge(self, other: ExactSum) -> None:
        """Add what `other` has summed."""
        self.units = [a + b for a, b in zip(self.units, other.units, strict=True)]

    def total(self) -> Fraction:
        """The sum of all columns."""
        return _fraction(sum(self.units))

    def mean(self, count: int) -> float:
        """The sum of all columns over `count`, correctly rounded; NaN for count 0."""
        return float(self.total() / int(count)) if count else float("nan")

    def means(self, counts: np.ndarray) -> np.ndarray:
        """Each column's sum over its count (columns,), correctly rounded; NaN for count 0."""
        pairs = zip(self.units, counts, strict=True)
        return np.array([float(_fraction(units) / int(count)) if count else np.nan for units, count in pairs])

    def _add(self, values: np.ndarray, columns: np.ndarray) -> None:
        mantissa, exponent = np.frexp(values)
        whole = np.ldexp(mantissa, MANTISSA).astype(np.int64)
        lowest = exponent.min()
        width = int(exponent.max() - lowest) + 1
        bins = columns * width + (exponent - lowest)
        high = np.bincount(bins, whole >> LOW)
        low = np.bincount(bins, whole & (2**LOW - 1))
        for index in np.flatnonzero((high != 0) | (low != 0)):
            column, power = divmod(int(index), width)
            total = (int(high[index]) << LOW) + int(low[index])
            self.units[column] += total << (power + int(lowest) - SMALLEST)


def _fraction(units: int) -> Fraction:
    return Fraction(units, 1 << (MANTISSA - SMALLEST))
