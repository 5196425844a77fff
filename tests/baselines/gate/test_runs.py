"""Parts of sources: some views, some samples."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from quick_estimators import Hands

from baselines.gate.runs import Named, SomeSamples, SomeViews, first, groups_of_views, quarter, some_views, spread


@pytest.fixture(scope="module")
def hands() -> Hands:
    return Hands({"train": 16})


@pytest.mark.parametrize(("views", "size"), [(8, 8), (8, 4), (8, 2), (4, 4), (4, 2), (8, 1)])
def test_every_view_is_in_one_group(views, size):
    groups = groups_of_views(views, size)
    assert sorted(view for group in groups for view in group) == list(range(views))
    assert {len(group) for group in groups} == {size}


def test_two_views_are_at_right_angles_and_four_all_round():
    assert groups_of_views(8, 2) == [[0, 2], [1, 3], [4, 6], [5, 7]]
    assert groups_of_views(8, 4) == [[0, 2, 4, 6], [1, 3, 5, 7]]


def test_some_views_are_the_source_s(hands):
    seen, whole = SomeViews(hands, (5, 1)), hands.read(3)
    assert seen.views == 2
    np.testing.assert_array_equal(seen.read(3)["joints_cam"], whole["joints_cam"][[5, 1]])
    np.testing.assert_array_equal(seen.read(3, [1])["world_to_cam"], whole["world_to_cam"][[1]])


def test_some_samples_are_the_source_s(hands):
    some = SomeSamples(hands, np.array([4, 9]))
    assert some.samples == 2 and some.numbers.tolist() == [4, 9] and some.subjects.tolist() == [2, 4]
    np.testing.assert_array_equal(some.read(1, [2])["joints_cam"], hands.read(9, [2])["joints_cam"])


def test_a_quarter_is_every_fourth_pair_and_the_rest_is_named(hands):
    on = Named("release train", hands)
    assert quarter(on).source.numbers.tolist() == [0, 1, 8, 9]
    assert first(on, 3).source.numbers.tolist() == [0, 1, 2]
    assert spread(on, 4).source.numbers.tolist() == [0, 4, 8, 12]
    assert spread(on, 0) is on and spread(on, 16) is on and some_views(on, range(8)) is on
    assert len({one.name for one in (on, quarter(on), first(on, 3), spread(on, 4), some_views(on, [0, 1]))}) == 5
