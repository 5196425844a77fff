"""Parts of sources: some views, some samples."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from quick_estimators import Hands

from baselines.config import Config, Stage
from baselines.gate import runs
from baselines.gate.kept import Kept
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


def test_what_is_not_finished_is_trained_side_by_side_once(hands, tmp_path, monkeypatch):
    config = Config("mvhm_sv", (Stage("all", ("eye",), {"pose": 1.0}, 1, 1e-3),))
    trainings = [runs.Training(name, config, Named("on", hands)) for name in ("a", "b", "c", "b")]
    trained, told = [], []
    monkeypatch.setattr(runs, "train", lambda config, source, out, **_: (out.mkdir(), trained.append(out.name)))
    alone = runs.Runs(Kept(tmp_path, {}), tmp_path, tmp_path)
    first = alone.train(trainings[0])

    def here(work, jobs, sizes, processes, name, unit):
        told.extend(what.name for _, what in jobs)
        assert processes == 2 and len(sizes) == len(jobs)
        return ((job, job[0].train(job[1])) for job in jobs)

    monkeypatch.setattr(runs, "run_jobs", here)
    both = runs.Runs(Kept(tmp_path, {}), tmp_path, tmp_path, processes=2)
    places = both.train_all(trainings)
    assert told == ["b", "c"] and len(trained) == 3
    assert places[0] == first and places[1] == places[3] and all(place.is_dir() for place in places)
    assert both.train_all(trainings) == places and told == ["b", "c"]  # nothing is left
