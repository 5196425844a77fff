"""Kinds of numbers that options of any command take, for argparse's `type`."""

from __future__ import annotations

from collections.abc import Callable


def positive(kind: type) -> Callable[[str], float]:
    """A parser of positive numbers of a kind, int or float."""

    def parse(text: str) -> float:
        value = kind(text)
        if not 0 < value < float("inf"):
            raise ValueError
        return value

    parse.__name__ = f"positive {'whole ' if kind is int else ''}number"
    return parse


def whole(text: str) -> int:
    """A whole number from 0. Raises ValueError."""
    value = int(text)
    if value < 0:
        raise ValueError
    return value


whole.__name__ = "whole number from 0"
