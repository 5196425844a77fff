"""Subjects and the hands that follow from them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hand_poses import flipped
from hypothesis import given, settings
from hypothesis import strategies as st

from rigging.geometry.mesh import volume
from rigging.hand.asset import load_asset
from rigging.hand.bones import bone_vectors
from rigging.hand.shape import (
    RestHand,
    Subject,
    chain_length,
    fit_subject,
    length_distribution,
    litres_of,
    rest_hand,
    sample_subject,
    stretch_rest,
)

ASSET = load_asset()
SEEDS = st.integers(0, 2**32 - 1)
PLAUSIBLE = (0.26, 0.58)  # litres at the mean length, as in the releases of this package
STOUT = 99660  # seed of a subject with 0.582 litres, as there is one in 700


def subject(seed: int) -> Subject:
    return sample_subject(np.random.default_rng(seed), ASSET)


def average(**coefficients: float) -> Subject:
    """A mean adult with some coefficients."""
    values = np.array([coefficients.get(name, 0.0) for name in ASSET.shape_names])
    return Subject(values, hand_length=0.187, age=30, gender=0.5, ita=20, skin_seed=0)


def lengths(rest: RestHand) -> np.ndarray:
    return np.linalg.norm(bone_vectors(rest.joints), axis=1)


@pytest.mark.parametrize("litres", [None, PLAUSIBLE])
@settings(max_examples=40, deadline=None)
@given(seed=SEEDS)
def test_sampled_hands_are_plausible(litres: tuple[float, float] | None, seed: int):
    person = sample_subject(np.random.default_rng(seed), ASSET, litres)
    rest = rest_hand(ASSET, person)
    assert flipped(ASSET.template, rest.vertices, ASSET.faces) == 0
    assert chain_length(rest.joints) == pytest.approx(person.hand_length)
    assert 0.10 < person.hand_length < 0.225
    relative = lengths(rest)[1:] / person.hand_length
    expected = lengths(RestHand(ASSET.template, ASSET.joints))[1:] / chain_length(ASSET.joints)
    assert np.abs(relative / expected - 1).max() < 0.2
    if litres:  # without, one in 700 is stouter
        assert 0.26e-3 < volume(rest.vertices, ASSET.faces) * (0.187 / person.hand_length) ** 3 < 0.58e-3  # m3


def test_a_subject_with_another_volume_is_drawn_anew_and_all_others_are_as_ever():
    rng, drawn = np.random.default_rng(STOUT), np.random.default_rng(STOUT)
    assert litres_of(ASSET, sample_subject(drawn, ASSET)) > PLAUSIBLE[1]
    again, following = sample_subject(rng, ASSET, PLAUSIBLE), sample_subject(drawn, ASSET)
    assert np.array_equal(again.coefficients, following.coefficients) and again.skin_seed == following.skin_seed
    for seed in range(20):
        limited = sample_subject(np.random.default_rng(seed), ASSET, PLAUSIBLE)
        assert np.array_equal(limited.coefficients, subject(seed).coefficients)


def test_litres_are_those_of_a_hand_of_the_middle_length():
    for seed in range(5):
        person = subject(seed)
        own = volume(rest_hand(ASSET, person).vertices, ASSET.faces)  # m3
        assert litres_of(ASSET, person) == pytest.approx(1e3 * own * (0.187 / person.hand_length) ** 3)


def test_hands_of_one_length_are_as_thin_and_stout_as_people_are():
    """Litres at the mean length, of people drawn once and for all."""
    rng = np.random.default_rng(0)
    people = [sample_subject(rng, ASSET) for _ in range(1000)]
    litres = [1e3 * volume(rest_hand(ASSET, p).vertices, ASSET.faces) * (0.187 / p.hand_length) ** 3 for p in people]
    thin, middle, stout = np.quantile(litres, [0.01, 0.5, 0.99])
    assert 0.30 < thin < 0.38 < middle < 0.48 < stout < 0.58
    assert min(litres) > 0.26 and max(litres) < 0.65


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_the_same_seed_gives_the_same_subject(seed: int):
    first, second = subject(seed), subject(seed)
    assert np.array_equal(first.coefficients, second.coefficients)
    fields = [field.name for field in dataclasses.fields(Subject) if field.name != "coefficients"]
    assert [getattr(first, name) for name in fields] == [getattr(second, name) for name in fields]


def test_subjects_cover_sexes_ages_and_skin_tones():
    rng = np.random.default_rng(0)
    people = [sample_subject(rng, ASSET) for _ in range(800)]
    ita = np.histogram([person.ita for person in people], bins=5, range=(-60, 65))[0]
    assert ita.min() > 0.7 * 160, "tones are spread evenly"
    assert 0.1 < np.mean([person.age < 18 for person in people]) < 0.2
    assert 0.4 < np.mean([person.gender > 0.5 for person in people]) < 0.6


@pytest.mark.parametrize(("male", "mean", "deviation"), [(True, 0.194, 0.0098), (False, 0.1805, 0.0097)])
def test_adult_hand_lengths_follow_the_published_survey(male: bool, mean: float, deviation: float):
    assert length_distribution(30, male) == (mean, deviation)
    rng = np.random.default_rng(1)
    drawn = [
        p.hand_length
        for p in (sample_subject(rng, ASSET) for _ in range(1500))
        if p.age >= 18 and (p.gender > 0.5) == male
    ]
    assert np.mean(drawn) == pytest.approx(mean, abs=0.0015)
    assert np.std(drawn) == pytest.approx(deviation, rel=0.2)


def test_children_grow():
    means = [length_distribution(age, True)[0] for age in (6, 9, 12, 15, 18)]
    assert means == sorted(means)
    assert means[0] < 0.14


def test_named_directions_do_what_they_say():
    plain = rest_hand(ASSET, average())
    longer = rest_hand(ASSET, average(finger_length=2))
    fingers, palm = [6, 7, 8, 10, 11, 12], 9
    assert (lengths(longer)[fingers] / lengths(longer)[palm]).sum() > 1.05 * (
        lengths(plain)[fingers] / lengths(plain)[palm]
    ).sum()
    thicker = rest_hand(ASSET, average(finger_girth=2))
    segment = np.unique(ASSET.faces[ASSET.face_part == 7])
    assert np.ptp(thicker.vertices[segment, 0]) > 1.025 * np.ptp(plain.vertices[segment, 0])
    wider = rest_hand(ASSET, average(palm_width=2))
    breadth = [np.linalg.norm(rest.joints[17] - rest.joints[5]) for rest in (plain, wider)]
    assert breadth[1] == pytest.approx(1.08 * breadth[0], rel=0.02)
    stronger = rest_hand(ASSET, average(muscle=2))
    assert volume(stronger.vertices, ASSET.faces) > 1.02 * volume(plain.vertices, ASSET.faces)


@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_shape_is_linear_before_scaling(seed: int):
    person = subject(seed)
    rest = rest_hand(ASSET, person)
    shaped = ASSET.template.copy()
    for coefficient, direction in zip(person.coefficients, ASSET.shape_vertices):
        shaped += coefficient * direction
    ratio = rest.vertices / shaped
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-6)


@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_stretching_gives_the_bones_their_lengths_and_flips_few_triangles(seed: int):
    rng = np.random.default_rng(seed)
    rest = rest_hand(ASSET, subject(seed))
    wanted = lengths(rest) * rng.uniform(0.9, 1.1, 21)
    stretched = stretch_rest(rest, ASSET, wanted)
    np.testing.assert_allclose(lengths(stretched)[1:], wanted[1:])
    before, after = bone_vectors(rest.joints)[1:], bone_vectors(stretched.joints)[1:]
    np.testing.assert_allclose(np.cross(before, after), 0, atol=1e-15)
    assert flipped(rest.vertices, stretched.vertices, ASSET.faces) <= 25
    np.testing.assert_allclose(stretched.vertices[ASSET.cut_loop], rest.vertices[ASSET.cut_loop], atol=1e-6)


def test_stretching_by_ten_percent_flips_a_few_triangles_at_most_in_the_mean():
    rng, rest = np.random.default_rng(5), rest_hand(ASSET, average())
    counts = [
        flipped(
            rest.vertices, stretch_rest(rest, ASSET, lengths(rest) * rng.uniform(0.9, 1.1, 21)).vertices, ASSET.faces
        )
        for _ in range(40)
    ]
    assert np.mean(counts) < 4


def test_stretching_by_nothing_changes_nothing():
    rest = rest_hand(ASSET, average())
    np.testing.assert_allclose(stretch_rest(rest, ASSET, lengths(rest)).vertices, rest.vertices, atol=1e-15)


@settings(max_examples=10, deadline=None)
@given(SEEDS)
def test_a_fitted_subject_has_the_bones_of_a_subject_it_was_fitted_to(seed: int):
    other, start = subject(seed), subject(seed + 1)
    wanted = lengths(rest_hand(ASSET, other))
    fitted = fit_subject(ASSET, wanted, start)
    error = np.abs(lengths(rest_hand(ASSET, fitted))[1:] / wanted[1:] - 1)
    unfitted = np.abs(lengths(rest_hand(ASSET, start))[1:] / wanted[1:] - 1)
    assert error.mean() < 0.03
    assert error.mean() <= unfitted.mean() + 1e-9
    assert np.abs(fitted.coefficients).max() <= 2.5 + 1e-9
    assert (fitted.age, fitted.ita, fitted.skin_seed) == (start.age, start.ita, start.skin_seed)


def test_unknown_bones_are_ignored_when_fitting():
    wanted = np.full(21, np.nan)
    wanted[9] = 0.12
    fitted = fit_subject(ASSET, wanted, average())
    assert lengths(rest_hand(ASSET, fitted))[9] == pytest.approx(0.12, rel=0.02)


def test_bad_subjects_are_named():
    with pytest.raises(ValueError, match=r"got \(3,\) shape coefficients"):
        rest_hand(ASSET, dataclasses.replace(average(), coefficients=np.zeros(3)))
    with pytest.raises(ValueError, match="hand length is 187"):
        rest_hand(ASSET, dataclasses.replace(average(), hand_length=187))
    with pytest.raises(ValueError, match="bone lengths"):
        stretch_rest(rest_hand(ASSET, average()), ASSET, np.zeros(21))
    with pytest.raises(ValueError, match="bone lengths"):
        fit_subject(ASSET, np.full(21, np.nan), average())
