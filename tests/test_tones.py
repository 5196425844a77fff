"""The benchmark of the same hands in several tones: nothing but the tone differs, and its lines say what was found."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from dataset_tools.judge.groups import TONE_GROUPS, by_least
from dataset_tools.statistics.looks import tone_of
from render_farm.planning.ensure_plan import ensure_plan
from render_farm.planning.release import load_release
from tests.benchmarks.ablate.judged import Views
from tests.benchmarks.tones import GROUPS, OWN, in_group, in_tone, row

RELEASE = """
name = "tones"
seed = 4
samples = 8
shard_size = 8
[poses]
candidates = 100
[subjects]
count = 4
run = 1
"""


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tones")
    (folder / "tones.toml").write_text(RELEASE)
    return ensure_plan(load_release(str(folder / "tones.toml")), folder)


def test_only_the_tone_of_the_subjects_of_the_samples_changes(plan):
    before, darker = plan.ita.copy(), in_tone(plan, [0], "-50")
    whose = plan.subject[plan.pair_of(0)]
    assert darker.ita[whose] == -50 != before[whose]
    assert (np.delete(darker.ita, whose) == np.delete(before, whose)).all()
    assert (plan.ita == before).all()
    assert in_tone(plan, [0], OWN) is plan
    names = {field.name for field in dataclasses.fields(plan)} - {"ita"}
    assert all(getattr(darker, name) is getattr(plan, name) for name in names)


@pytest.mark.parametrize(("number", "group"), list(enumerate(GROUPS)))
def test_hands_in_a_group_are_of_it_and_as_far_in_it_as_in_all(number, group):
    ita = np.linspace(-60, 65, 26)[:-1]
    inside = in_group(ita, group)
    assert (by_least(tone_of(inside), TONE_GROUPS).of == number).all()
    low, high = GROUPS[group]
    np.testing.assert_allclose((inside - low) / (high - low), (ita + 60) / 125)


def test_a_line_tells_shares_and_the_paired_difference_with_its_interval():
    subject = np.repeat(np.arange(8), 2)
    palm = np.arange(16) % 2 == 0
    groups = {"all": np.ones(16, bool), "seen from: palm": palm, "seen from: back": ~palm}
    first = Views(np.ones(16, bool), subject, groups)
    darker = Views(palm | (subject < 4), subject, groups)
    cells = row("mild", "-60", darker, first).strip("| ").split(" | ")
    assert [*cells[:3], *cells[4:]] == ["mild", "-60", "75.0", "100.0", "50.0"]
    assert cells[3].startswith("-25.0 (-")
    assert row("mild", "28", first, first).split(" | ")[3] == "+0.0"
