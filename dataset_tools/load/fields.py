"""Which fields and views of a sample a data set reads."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from pathlib import Path

from rigging.errors import InputError

from ..format.optional import OPTIONAL_FIELDS
from ..format.schema import SAMPLE_FIELDS

ON_REQUEST = ("amodal_mask",)  # derived fields that take about as long as all others together


def choose_fields(names: Iterable[str] | None, strange: tuple[str, ...], meta: frozenset[str]) -> tuple[str, ...]:
    """The fields to read, in the schema's order, then those of `strange` names; "meta" stands for all of `meta`.

    With K comes the lens, where there is one: either alone would be misread. Raises InputError for an unknown name.
    """
    there = (*SAMPLE_FIELDS, *strange)
    if names is None:
        return tuple(name for name in there if name not in ON_REQUEST)
    names = list(names) if isinstance(names, Iterable) and not isinstance(names, str) else names
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError(f"fields: a list of names is wanted, got {names!r}")
    chosen = set(names)
    if "meta" in chosen:
        chosen = (chosen - {"meta"}) | meta
    if unknown := sorted(chosen - set(there)):
        raise InputError(f"fields: no {', '.join(unknown)}; there are: meta, {', '.join(there)}")
    if "K" in chosen:
        chosen |= OPTIONAL_FIELDS.keys() & set(strange)
    return tuple(name for name in there if name in chosen)


def require_pinholes(lenses: bool, path: Path | str, what: str, instead: str) -> None:
    """InputError for data whose cameras have lenses that distort, where `what` has no place for them."""
    if lenses:
        raise InputError(f"{path}: its cameras have lenses that distort, and {what} has no place for that; {instead}")


def choose_views(views: Iterable[int] | None, count: int) -> tuple[int, ...] | None:
    """The cameras to read, of `count`; None for all. Raises InputError."""
    if views is None:
        return None
    try:
        chosen = tuple(operator.index(view) for view in views)
    except TypeError:
        raise InputError(f"views: some of 0 to {count - 1} are wanted, got {views!r}") from None
    if not chosen or any(not 0 <= view < count for view in chosen):
        raise InputError(f"views: some of 0 to {count - 1} are wanted, got {list(chosen)}")
    return chosen
