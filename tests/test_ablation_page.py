"""The ablation's figures: paired differences, rates by group, and a page that says what was measured."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from baselines.evaluate.measures import Measured
from rigging.errors import InputError
from tests.benchmarks.ablate import __main__ as command
from tests.benchmarks.ablate.judged import Views, rates
from tests.benchmarks.ablate.learn import AGAINST, MEASURES, OTHERS, OWN, Lessons, learned_table, real_set
from tests.benchmarks.ablate.page import judge_section, learned_sections, pictures_section
from tests.benchmarks.ablate.stage import Stage
from tests.benchmarks.ablate.study import HERE, Study, Variant, load_study

VARIANTS = (
    Variant("plain", "no sensor"),
    Variant("phone", "a sensor", look={"sensor": {"preset": "phone"}}),
    Variant("two", "2 samples per pixel", like="phone", render={"samples_per_pixel": 2}),
)


@pytest.fixture(scope="module")
def study() -> Study:
    return dataclasses.replace(load_study(HERE / "release.toml", HERE / "variants.toml"), variants=VARIANTS)


@pytest.mark.parametrize("text", ["hanco", "=/data", "hanco="])
def test_a_real_set_needs_name_and_path(text):
    with pytest.raises(InputError, match="NAME=PATH"):
        real_set(text)


def errors_of(study: Study, seeds: int = 3, samples: int = 40) -> dict[str, dict[str, list[Measured]]]:
    """Made-up errors: each variant's runs on every test, two samples a subject."""
    rng, sample = np.random.default_rng(1), np.arange(samples)
    tests = [*(one.name for one in study.variants), "hanco"]

    def measured(level: float) -> Measured:
        values = {measure: level + rng.normal(0, 0.1, samples) for measure in MEASURES}
        return Measured(sample, sample // 2, np.zeros(51), values)

    return {
        one.name: {test: [measured(30.0 + 2 * number + k) for _ in range(seeds)] for k, test in enumerate(tests)}
        for number, one in enumerate(study.variants)
    }


def test_figures_are_those_of_literal_means(study):
    errors, measure = errors_of(study), MEASURES[0]
    lessons = Lessons(Stage(Path()), ("plain", "phone", "two"), 3, (("hanco", "hanco:x"),))
    row = learned_table(errors, study, lessons)["rows"]["two"]

    def mean(trained: str, *tests: str) -> float:
        return float(np.mean([one.values[measure].mean() for test in tests for one in errors[trained][test]]))

    assert row["mm"][OWN][measure]["mean"] == pytest.approx(mean("two", "two"), abs=1e-3)
    assert row["mm"][OTHERS][measure]["mean"] == pytest.approx(mean("two", "plain", "phone"), abs=1e-3)
    assert row["less"][AGAINST][measure]["mean"] == pytest.approx(
        mean("two", "phone") - mean("phone", "phone"), abs=1e-3
    )
    assert row["less"][OTHERS][measure]["mean"] == pytest.approx(
        mean("two", "plain") - mean("phone", "plain"), abs=1e-3
    )
    assert row["less"]["hanco"][measure]["verdict"] == "worse", "2 mm, of 0.1 mm noise, in 20 subjects"


def test_the_page_has_every_variant_with_intervals(study):
    lessons = Lessons(Stage(Path()), ("plain", "phone", "two"), 3, (("hanco", "hanco:x"),))
    table = learned_table(errors_of(study), study, lessons)
    how, errors, cross = learned_sections(table, study, {"render": 61.0})
    assert "40 samples of 20 subjects" in how
    assert "render 1 min 01 s" in how
    assert "A trial" not in how
    line = next(line for line in errors.splitlines() if line.startswith("| two"))
    assert line.count(" to ") == 6, "own, others, real, and three differences"
    assert "**+2.0**" in line
    assert len(cross.splitlines()) == 1 + 1 + 2 + 2 + 3


def test_rates_are_paired_and_counted_by_group():
    rng = np.random.default_rng(2)
    subject, dark = np.repeat(np.arange(12), 10), rng.random(120) < 0.5
    groups = {"all": np.ones(120, bool), "tones: dark": dark, "background: hdri": rng.random(120) < 0.5}
    one, other = (Views(rng.random(120) < share, subject, groups) for share in (0.9, 0.7))
    other = dataclasses.replace(other, groups=groups | {"background: hdri": ~groups["background: hdri"]})
    found = rates(one, other)
    assert found["tones: dark"]["views"] == dark.sum()
    assert found["tones: dark"]["found"]["mean"] == np.mean([hit for hit, is_dark in zip(one.found, dark) if is_dark])
    assert found["all"]["more"]["mean"] == pytest.approx(np.mean(one.found) - np.mean(other.found))
    low, high = found["all"]["more"]["interval"]
    assert 0 < low < found["all"]["more"]["mean"] < high
    assert "more" not in found["background: hdri"], "other views are before it there"


def test_the_judges_section_has_a_column_for_each_variant(study):
    rate = {"views": 1200, "subjects": 9, "found": {"mean": 0.9, "interval": [0.85, 0.95]}}
    more = rate | {"more": {"mean": 0.015, "interval": None}}
    section = judge_section({"plain": {"all": rate}, "phone": {"all": more}, "two": {"all": more}}, study)
    assert "| all (1200 views) | 90.0 (85.0 to 95.0) | 90.0 (85.0 to 95.0); +1.5 |" in section


def test_statistics_stand_beside_those_of_photographs():
    measures = {"spectrum_2_4": {"mean": -0.009, "std": 0.137}, "noise": {"mean": 2.4, "std": 0.5}}
    section = pictures_section({"plain": {"pictures": 9, "measures": measures | {"spectrum_4_8": measures["noise"]}},
                                "photographs": {"pictures": 13, "measures": measures}})  # fmt: skip
    assert "| photographs (13) | -0.009 ± 0.137 | - | 2.4 ± 0.5 |" in section


def test_the_judge_needs_an_environment(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("sys.argv", ["ablate", "--folder", str(tmp_path / "out"), "--parts", "judge"])
    assert command.main() == 2
    assert "make judge makes" in capsys.readouterr().err
