"""From which sample to which, as it is typed."""

from __future__ import annotations

Span = tuple[int, int | None]  # first and last; no last: to the end


def span(text: str) -> Span:
    """`all`, a number, or first and last as `10-19`. Raises ValueError."""
    if text == "all":
        return 0, None
    first, dash, last = text.partition("-")
    numbers = int(first), int(last if dash else first)
    if not 0 <= numbers[0] <= numbers[1]:
        raise ValueError
    return numbers


span.__name__ = "'all', number or FIRST-LAST"
