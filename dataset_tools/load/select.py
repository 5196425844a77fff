"""Which rows of an index meet a condition."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from rigging.errors import InputError

from .index import SampleIndex

SHOWN = 12  # values that a message lists

Columns = Mapping[str, np.ndarray]
Test = Any | Iterable[Any] | Callable[[np.ndarray], np.ndarray]  # a value, some values, or column (n,) -> (n,) bool
Where = Callable[[Columns], np.ndarray] | Mapping[str, Test]


def matching(
    index: SampleIndex,
    split: str | Iterable[str] | None = None,
    subject: int | Iterable[int] | None = None,
    where: Where | None = None,
    among: SampleIndex | None = None,
) -> np.ndarray:
    """(n,) bool: the rows of `index` (n rows) that meet all conditions given.

    `where` is a function of the columns that returns a mask, or for columns by name a value, several, or a function of
    that column. Raises InputError for an unknown column, a value that no row of `among` has (of the whole release, say;
    default: `index`), or what is no mask.
    """
    among = among or index
    chosen = np.ones(len(index), bool)
    for name, test in {"split": split, "subject": subject}.items():
        if test is not None:
            chosen &= _meets(index, among, name, test)
    if callable(where):
        return chosen & _mask(where(_Columns(index.columns)), len(index), "where")
    if where is not None and not isinstance(where, Mapping):
        raise InputError(f"where: a function of the columns or a dict is wanted, got {type(where).__name__}")
    for name, test in (where or {}).items():
        chosen &= _meets(index, among, name, test)
    return chosen


class _Columns(dict):
    """Columns by name; an unknown one is a fault of the condition, told with the names there are."""

    def __missing__(self, name: object) -> Any:
        raise InputError(f"index: no column {name!r}; there are: {', '.join(self)}")


def _meets(index: SampleIndex, among: SampleIndex, name: str, test: Test) -> np.ndarray:
    column = index[name]
    if callable(test):
        return _mask(test(column), len(index), name)
    wanted = [test] if isinstance(test, (str, bytes)) or not isinstance(test, Iterable) else list(test)
    known = np.unique(among[name]).tolist()
    if unknown := [value for value in wanted if np.ndim(value) or value not in known]:
        raise InputError(f"{name}: no sample has {', '.join(map(repr, unknown))}; there are: {_listed(known)}")
    return np.isin(column, np.array(wanted, column.dtype))


def _listed(values: list) -> str:
    more = len(values) - SHOWN
    return ", ".join(map(str, values[:SHOWN])) + (f" and {more} more" if more > 0 else "")


def _mask(values: Any, count: int, name: str) -> np.ndarray:
    mask = np.asarray(values)
    if mask.shape != (count,) or mask.dtype != bool:
        raise InputError(f"{name}: a mask of {count} booleans is wanted, got {mask.dtype} of shape {mask.shape}")
    return mask
