"""Claims: what holds, what does not, and what must."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.gate.claims import CLAIMS, HOLDS, NOT_RUN, Arm, Claim, judge, judge_all, unmet

SUBJECTS = np.repeat(np.arange(24), 3)
CLAIM = Claim("first", "a", "b", "a is better than b", must=True)


def arms(difference: float, rng: np.random.Generator, spread: float = 1.0, seeds: int = 3) -> dict[str, Arm]:
    """Two arms whose errors differ by so many mm on average."""
    errors = 10 + rng.normal(size=(seeds, len(SUBJECTS)))
    return {"b": Arm(errors, ""), "a": Arm(errors + difference + spread * rng.normal(size=errors.shape), "")}


@pytest.mark.parametrize(("difference", "verdict"), [(-2, HOLDS), (2, "opposite"), (0, "not separable")])
def test_the_interval_decides(difference, verdict, rng):
    finding = judge(CLAIM, arms(difference, rng), SUBJECTS, rng, 500)
    assert finding.verdict == verdict and finding.holds == (verdict == HOLDS)
    assert finding.better - finding.worse == pytest.approx(finding.interval.mean)


def test_fewer_than_twenty_subjects_are_too_small_however_large_the_difference(rng):
    finding = judge(CLAIM, arms(-9, rng), SUBJECTS % 19, rng, 500)
    assert finding.verdict == "too small" and not finding.holds
    assert judge(CLAIM, arms(-9, rng), SUBJECTS % 20, rng, 500).holds


def test_an_arm_that_nobody_ran_decides_nothing(rng):
    finding = judge(CLAIM, {"a": Arm(np.ones((1, 72)), "")}, SUBJECTS, rng, 500)
    assert (finding.verdict, finding.interval) == (NOT_RUN, None)


@pytest.mark.parametrize("difference", [2, 0])
def test_what_must_hold_and_does_not_is_a_problem(difference, rng):
    finding = judge(CLAIM, arms(difference, rng), SUBJECTS, rng, 500)
    assert unmet([finding]) == (f"a is better than b: {finding.verdict}",)


def test_what_is_only_reported_is_none(rng):
    reported = Claim("second", "a", "b", "a is better than b")
    assert unmet([judge(reported, arms(2, rng), SUBJECTS, rng, 500)]) == ()


def test_three_claims_must_hold_and_averages_stand_beside_the_network():
    assert [claim.name for claim in CLAIMS if claim.must] == ["views beat a view", "8 beat 2", "RANSAC beats DLT"]
    beside = {claim.worse for claim in CLAIMS if claim.name.startswith("fusion")}
    assert beside == {"mean of views", "median of views", "DLT of mvhm_sv's joints"}


def test_findings_are_the_same_every_time_and_each_claim_has_its_own_draws(rng):
    errors = {name: Arm(10 + rng.normal(size=(2, 72)), "") for claim in CLAIMS for name in (claim.better, claim.worse)}
    whole = judge_all(errors, SUBJECTS, 5, 200)
    assert whole == judge_all(errors, SUBJECTS, 5, 200)
    less = judge_all({name: arm for name, arm in errors.items() if name != CLAIMS[2].worse}, SUBJECTS, 5, 200)
    assert less[2].verdict == NOT_RUN and less[:2] + less[3:] == whole[:2] + whole[3:]
