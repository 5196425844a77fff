"""Sleeves as a release asks for them: where they begin, and of what cloth beside which skin."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from blender_scripts.looks.colour import linear_to_srgb8
from blender_scripts.looks.look import Cloth, LookSettings, draw_cloth, draw_look
from blender_scripts.looks.sleeves import LEAST_DIFFERENCE, difference, with_sleeve
from rigging.hand.cuffs import LEAST_CUFF
from rigging.skin.tone import ITA_LIMITS, ita_to_albedo

SLEEVES = LookSettings(backgrounds={"none": 1}, sleeve=1.0)


def look_of(settings: LookSettings, seed: int, ita: float = 30.0):
    look = draw_look(np.random.default_rng(seed), settings, ("city",))
    return look, with_sleeve(np.random.default_rng((seed, 1)), look, settings, ita)


def test_at_the_defaults_a_look_stays_as_it_is():
    for seed in range(20):
        drawn, dressed = look_of(SLEEVES, seed)
        assert dressed == drawn


def test_cuffs_are_spread_over_their_range_and_those_near_the_wrist_stay_there():
    settings = dataclasses.replace(SLEEVES, cuff=(0.04, 0.18))
    cuffs = np.array([look_of(settings, seed)[1].cuff for seed in range(400)])
    rolled = cuffs[cuffs > 0]
    assert abs(len(rolled) / 400 - (0.18 - LEAST_CUFF) / 0.14) < 0.08
    assert LEAST_CUFF <= rolled.min() < 0.095 < 0.175 < rolled.max() <= 0.18


def test_bare_arms_stay_as_they_are():
    settings = dataclasses.replace(SLEEVES, sleeve=0.0, cuff=(0.1, 0.1), cloth="unlike skin")
    drawn, dressed = look_of(settings, 3)
    assert dressed == drawn
    assert dressed.arm_shape == "bare"


@pytest.mark.parametrize("ita", [-60, -30, 0, 30, 60])
def test_no_cloth_has_the_colour_of_the_skin_if_asked(ita: float):
    settings, changed = dataclasses.replace(SLEEVES, cloth="unlike skin"), 0
    for seed in range(60):
        drawn, dressed = look_of(settings, seed, ita)
        assert difference(dressed.cloth, ita) >= LEAST_DIFFERENCE
        assert (dressed.cloth == drawn.cloth) == (difference(drawn.cloth, ita) >= LEAST_DIFFERENCE)
        changed += dressed.cloth != drawn.cloth
    assert 0 < changed < 50


@pytest.mark.parametrize("ita", ITA_LIMITS)
def test_the_colour_of_the_skin_itself_is_no_difference_and_only_shown_colours_count(ita: float):
    skin = tuple(linear_to_srgb8(ita_to_albedo(ita).astype(np.float32)) / 255)
    blue = (0.1, 0.2, 0.9)
    assert difference(Cloth("plain", (skin, blue, blue), 1.0, 0), ita) < 1
    assert difference(Cloth("plain", (blue, skin, skin), 1.0, 0), ita) > 2 * LEAST_DIFFERENCE
    assert difference(Cloth("striped", (blue, blue, skin), 1.0, 0), ita) < 1


def test_enough_cloths_are_unlike_any_skin():
    """`with_sleeve` would find one: a hundred tries all fail with a chance of 10^-15."""
    rng = np.random.default_rng(0)
    cloths = [draw_cloth(rng) for _ in range(150)]
    for ita in np.linspace(*ITA_LIMITS, 11):
        assert np.mean([difference(cloth, ita) >= LEAST_DIFFERENCE for cloth in cloths]) > 0.3
