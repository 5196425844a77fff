"""Colours changed one by one: against loops over pixels, by hand, and with what must not change."""

from __future__ import annotations

import colorsys
import dataclasses

import pytest
import torch

from baselines.config import Augment
from baselines.data.augment import jitter_colours
from baselines.data.colour import brightened, contrasted, hue_turned, luma, saturated


def one(*values: float) -> torch.Tensor:
    """A number for each picture (B, 1, 1, 1)."""
    return torch.tensor(values).view(-1, 1, 1, 1)


@pytest.fixture
def images() -> torch.Tensor:
    """Pictures (2, 3, 4, 4) whose colours leave room on both sides."""
    return 0.35 + 0.3 * torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))


def test_by_hand():
    """(0.2, 0.4, 0.6) has luma 0.2 x 0.299 + 0.4 x 0.587 + 0.6 x 0.114 = 0.363."""
    pixel = torch.tensor([0.2, 0.4, 0.6]).view(1, 3, 1, 1)
    torch.testing.assert_close(luma(pixel).item(), 0.363)
    torch.testing.assert_close(brightened(pixel, one(1.5)).flatten(), torch.tensor([0.3, 0.6, 0.9]))
    torch.testing.assert_close(saturated(pixel, one(2.0)).flatten(), torch.tensor([0.037, 0.437, 0.837]))
    torch.testing.assert_close(contrasted(pixel, one(0.0)).flatten(), torch.full((3,), 0.363))


def test_contrast_is_about_the_mean_of_the_picture(images):
    found = contrasted(images, one(0.5, 1.5))
    for picture, factor in enumerate((0.5, 1.5)):
        mean = sum(float(luma(images)[picture, 0, y, x]) for y in range(4) for x in range(4)) / 16
        expected = mean + factor * (images[picture] - mean)
        torch.testing.assert_close(found[picture], expected.clamp(0, 1))


def test_saturation_zero_is_grey_and_luma_stays(images):
    grey = saturated(images, one(0.0, 0.0))
    assert (grey.amax(1) - grey.amin(1)).max() < 1e-6
    torch.testing.assert_close(luma(saturated(images, one(0.5, 1.3))), luma(images), atol=1e-5, rtol=0)


def test_a_turn_of_the_hue_keeps_luma_comes_back_and_turns_the_way_of_the_circle(images):
    turned = hue_turned(images, one(0.1, -0.1))
    torch.testing.assert_close(luma(turned), luma(images), atol=1e-3, rtol=0)
    torch.testing.assert_close(hue_turned(turned, one(-0.1, 0.1)), images, atol=1e-3, rtol=0)
    torch.testing.assert_close(hue_turned(images, one(1.0, -2.0)), images, atol=1e-3, rtol=0)
    red = torch.tensor([0.6, 0.4, 0.4]).view(1, 3, 1, 1)
    hue = colorsys.rgb_to_hsv(*hue_turned(red, one(1 / 3)).flatten().tolist())[0]
    assert abs(hue - 1 / 3) < 0.05 or abs(hue - 2 / 3) < 0.05


def test_each_is_drawn_by_itself_and_from_the_generator_alone(images):
    def draw(augment: Augment) -> torch.Tensor:
        return jitter_colours(images, augment, torch.Generator().manual_seed(3))

    assert torch.equal(draw(Augment()), images)
    whole = Augment(brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1)
    assert torch.equal(draw(whole), draw(whole))
    for name in ("brightness", "contrast", "saturation", "hue"):
        single = draw(dataclasses.replace(Augment(), **{name: 0.1}))
        assert not torch.equal(single, images) and (single - images).abs().max() < 0.15


def test_factors_lie_where_the_settings_say():
    """Grey 0.5 brightened by factors of 0.2 to 1.8, HAMR's, is 0.1 to 0.9, evenly."""
    grey = torch.full((4000, 3, 1, 1), 0.5)
    found = jitter_colours(grey, Augment(brightness=0.8), torch.Generator().manual_seed(0))[:, 0, 0, 0]
    assert found.min() >= 0.1 and found.max() <= 0.9 and abs(found.mean() - 0.5) < 0.01
    assert abs(found.std() - 0.8 / 12**0.5) < 0.01
