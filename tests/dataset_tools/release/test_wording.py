"""What card and datasheet say of the hands shown."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from dataset_tools.release.card import _sides
from dataset_tools.release.wording import hand


@pytest.mark.parametrize(
    ("counts", "shown", "row"),
    [({"left": 3, "right": 1}, "left or right", "left: 3, right: 1"), ({"left": 4}, "left", "left")],
)
def test_hands_are_named_and_counted_where_there_are_both(counts, shown, row):
    facts = SimpleNamespace(counts={"hand": counts}.__getitem__)
    assert (hand(facts), _sides(facts)) == (shown, row)
