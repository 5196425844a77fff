"""The judge's figures: what is counted, over which views, and in which groups."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from dataset_tools import HandDataset
from dataset_tools.judge.groups import by_least, face, groupings, thirds
from dataset_tools.judge.look import Seen
from dataset_tools.judge.page import page
from dataset_tools.judge.table import Views, figures, judge_table, views_of
from dataset_tools.statistics.bootstrap import mean_interval, stretch
from dataset_tools.statistics.collect import collect
from dataset_tools.statistics.looks import TONES


@pytest.fixture(scope="module")
def labels(release):
    return collect(release, 1)


@pytest.fixture(scope="module")
def seen(release) -> Seen:
    """A detector that misses every fourth view, is 2 px off to the right, and takes view 1 for a left hand."""
    joints = np.stack([sample["joints_2d"] for sample in HandDataset(release, fields=["joints_2d"])])
    missed = np.zeros(joints.shape[:2], bool)
    missed[:, ::4] = True
    side = np.full(missed.shape, "right", "U5")
    side[:, 1] = "left"
    return Seen(
        np.where(missed[..., None, None], np.nan, joints + (2, 0)), joints, np.where(missed, np.nan, 0.9),
        np.where(missed, "", side),
    )  # fmt: skip


def test_figures_are_those_of_a_literal_count(seen, labels, release):
    table = judge_table(seen, labels)
    errors, found, right = [], 0, 0
    for i, sample in enumerate(HandDataset(release)):
        for v in range(8):
            y, x = np.nonzero(sample["mask"][v])
            if v % 4:
                found += 1
                errors.append(2 / (max(np.ptp(y), np.ptp(x)) + 1))
                right += str(seen.side[i, v]) == sample["meta"]["hand"]
    every = table["all"]
    assert (every["views"], every["found"]["mean"]) == (32, found / 32)
    assert every["error"]["mean"] == pytest.approx(np.mean(errors), rel=1e-4)
    assert every["error"]["median"] == pytest.approx(np.median(errors), rel=1e-4)
    assert every["side"]["mean"] == pytest.approx(right / found, rel=1e-4)
    assert every["found"]["interval"] is None, "one subject says nothing of others"
    assert table["joints"]["index_tip"] == pytest.approx(np.median(errors), rel=1e-4)


def test_views_that_show_no_hand_are_no_views(seen, labels):
    size = labels.hand_size.copy()
    size[0, :3] = 0
    table = judge_table(seen, dataclasses.replace(labels, hand_size=size))
    assert (table["all"]["views"], table["hidden_views"]) == (29, 3)
    assert table["all"]["found"]["mean"] == pytest.approx(22 / 29, rel=1e-4), "view 0 was missed"


def test_a_release_in_which_nothing_is_found_has_a_table_and_a_page(seen, labels):
    none = np.full(seen.side.shape, "", "U5")
    nothing = Seen(np.full_like(seen.points, np.nan), seen.expected, np.full_like(seen.score, np.nan), none)
    table = judge_table(nothing, labels)
    assert (table["all"]["found"]["mean"], table["all"]["error"], table["joints"]) == (0, None, {})
    assert "0.0 % of 32 views" in page(table)


def test_every_grouping_shares_out_all_views(seen, labels):
    table = judge_table(seen, labels)
    for name, groups in table["groups"].items():
        assert sum(of["views"] for of in groups.values()) == 32, name
        assert all(f"| {name}: {group} | {of['views']} |" in page(table) for group, of in groups.items())


def test_a_hand_is_seen_from_its_palm_its_back_or_its_edge():
    degrees = np.array([0, 44, 46, 90, 134, 136, 180])
    directions = np.stack([np.sin(np.radians(degrees)), 0 * degrees, np.cos(np.radians(degrees))], 1)
    grouping = face(directions)
    told = [grouping.names[k] for k in grouping.of]
    assert told == ["back", "back", "edge on", "edge on", "edge on", "palm", "palm"]


def test_tones_are_told_in_six_groups_and_in_three(labels):
    index = labels.index
    ita = np.array([-50, -10, 20, 60], np.float32)
    ours = dataclasses.replace(labels, index=dataclasses.replace(index, columns={**index.columns, "ita": ita}))
    found = groupings(ours)
    six, three = ([found[name].names[k] for k in found[name].of[:, 0]] for name in ("tone", "tones"))
    assert six == ["dark", "brown", "tan", "very light"]
    assert three == ["dark to brown", "dark to brown", "tan to intermediate", "light to very light"]
    assert len(TONES) == 6


def test_thirds_are_the_release_s_own():
    grouping = thirds(np.arange(10, 100))
    assert list(grouping.names) == ["to 39 px", "40 to 69 px", "from 70 px"]
    assert np.bincount(grouping.of).tolist() == [30, 30, 30]
    assert by_least(np.array([0, 10, 11, 21]), {"few": 0, "more": 11}).of.tolist() == [0, 0, 1, 1]


def test_an_error_beyond_a_quarter_of_the_box_is_astray():
    error = np.array([[0.1] * 21, [0.2] * 20 + [1.6], [0.4] * 21, [np.nan] * 21])
    views = Views(np.array([1, 1, 1, 0], bool), error, np.array([1, 0, 1, 0], bool), np.ones(4), np.arange(4))
    told = figures(views)
    assert told["astray"] == pytest.approx(2 / 3), "the second's mean is 0.267"
    assert told["side"]["mean"] == pytest.approx(2 / 3)


def test_intervals_are_those_of_a_literal_bootstrap_of_subjects():
    rng = np.random.default_rng(8)
    subject = rng.permutation(np.arange(60) % 12)
    values = rng.normal(subject / 12, 0.1)
    means = []
    draws = np.random.default_rng(0).multinomial(12, np.full(12, 1 / 12), 2000)
    for often in draws:
        weight = [1 + stretch(12, 0.95) * (often[k] - 1) for k in subject]
        means.append(np.average(values, weights=weight))
    assert mean_interval(values, subject) == pytest.approx(tuple(np.quantile(means, (0.025, 0.975))))
    assert mean_interval(values[:4], np.arange(4)) is None, "four subjects are too few"
    assert mean_interval(np.ones(60), subject) is None, "what never varies has no interval that means anything"


def test_views_come_in_the_order_of_samples(seen, labels):
    views = views_of(seen, labels)
    assert views.found.reshape(4, 8).tolist() == seen.found.tolist()
