"""Skin colour from ITA."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rigging.hand.shape import ITA_RANGE
from rigging.skin import tone
from rigging.skin.srgb import linear_to_srgb, srgb_to_linear

ITAS = st.floats(*tone.ITA_LIMITS)
QUICK = settings(max_examples=40, deadline=None)


@QUICK
@given(ITAS)
def test_colour_has_the_ita_it_was_made_from(ita):
    lab = tone.linear_to_lab(tone.ita_to_albedo(ita))
    assert tone.lab_to_ita(lab) == pytest.approx(ita, abs=0.2)


@QUICK
@given(ITAS, st.floats(1.0, 20.0))
def test_lightness_falls_with_ita(ita, step):
    darker = max(ita - step, tone.ITA_LIMITS[0])
    if darker < ita:
        assert tone.ita_to_lab(darker)[0] < tone.ita_to_lab(ita)[0]


@QUICK
@given(ITAS)
def test_colours_lie_inside_srgb(ita):
    for lab in (tone.ita_to_lab(ita), tone.palm_lab(ita)):
        rgb = tone.lab_to_linear(lab)
        assert rgb.min() > 0.001
        assert rgb.max() < 0.95
        assert rgb[0] > rgb[1] > rgb[2]  # skin is never blue or green


@QUICK
@given(st.lists(st.floats(0.0, 1.0), min_size=3, max_size=3))
def test_lab_and_srgb_conversions_invert_each_other(values):
    srgb = np.clip(np.array(values), 0.05, 1.0)
    linear = srgb_to_linear(srgb)
    np.testing.assert_allclose(linear_to_srgb(linear), srgb, atol=1e-6)
    np.testing.assert_allclose(tone.lab_to_linear(tone.linear_to_lab(linear)), linear, atol=1e-6)


def test_white_and_mid_grey_have_their_known_lab_values():
    np.testing.assert_allclose(tone.linear_to_lab(np.ones(3)), [100.0, 0.0, 0.0], atol=0.02)
    assert tone.linear_to_lab(srgb_to_linear(np.full(3, 119 / 255)))[0] == pytest.approx(50.0, abs=0.2)


def test_palm_of_dark_skin_is_much_lighter_than_its_back_and_of_light_skin_is_not():
    lift = [tone.palm_lab(ita)[0] - tone.ita_to_lab(ita)[0] for ita in (-50.0, 55.0)]
    assert lift[0] > 10.0
    assert abs(lift[1]) < 5.0


def test_monk_bins_rise_as_skin_darkens_and_people_fill_the_scale():
    bins = [tone.monk_bin(ita) for ita in np.linspace(ITA_RANGE[1], ITA_RANGE[0], 500)]
    assert (np.diff(bins) >= 0).all()
    assert (np.bincount(bins, minlength=11)[1:] > 0).all()
    assert tone.monk_bin(90.0) == 1
    assert tone.monk_bin(-90.0) == 10


def test_monk_swatches_are_those_published():
    swatches = ("f6ede4", "f3e7db", "f7ead0", "eadaba", "d7bd96", "a07e56", "825c43", "604134", "3a312a", "292420")
    srgb = np.array([list(bytes.fromhex(swatch)) for swatch in swatches]) / 255
    np.testing.assert_allclose(tone.lab_to_ita(tone.linear_to_lab(srgb_to_linear(srgb))), tone.MONK_ITA, atol=0.6)


def test_tone_outside_the_range_is_named():
    with pytest.raises(ValueError, match="ITA 90"):
        tone.ita_to_lab(90.0)
