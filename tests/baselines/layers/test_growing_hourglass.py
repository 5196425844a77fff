"""HAMR's hourglass: widths that grow downwards, maps that come back into the next stack, an encoder down to a point."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import avg_pool2d, interpolate

from baselines.layers.growing_hourglass import GrowingHourglass, GrowingStack, StridedEncoder


def test_levels_are_128_features_wider_each_as_published():
    widths = [one.out_channels for one in GrowingHourglass(4, 256, 128).modules() if isinstance(one, nn.Conv2d)]
    assert sorted(set(widths)) == [256, 384, 512, 640, 768]


def test_an_hourglass_is_what_its_levels_say():
    hourglass = GrowingHourglass(2, 4, 2).eval()
    x = torch.randn(1, 4, 8, 8)
    low = hourglass.down(avg_pool2d(x, 2))
    inner = hourglass.inner
    lowest = inner.up(inner.inner(inner.down(avg_pool2d(low, 2))))
    middle = inner.skip(low) + interpolate(lowest, scale_factor=2, mode="nearest")
    expected = hourglass.skip(x) + interpolate(hourglass.up(middle), scale_factor=2, mode="nearest")
    torch.testing.assert_close(hourglass(x), expected)


def test_the_second_stack_is_given_features_and_maps_of_the_first():
    torch.manual_seed(0)
    stack = GrowingStack(2, 8, 4, 2, 24).eval()
    images = torch.randn(1, 3, 32, 32)
    maps, seen = stack(images)
    assert maps.shape == (1, 2, 24, 8, 8) and seen.shape == (1, 8, 8, 8)
    first = stack.hourglasses[0](seen)
    torch.testing.assert_close(maps[:, 0], stack.heads[0](first))
    given = seen + stack.features_back[0](first) + stack.maps_back[0](maps[:, 0])
    torch.testing.assert_close(maps[:, 1], stack.heads[1](stack.hourglasses[1](given)))


@pytest.mark.parametrize(
    ("side", "widths"),
    [
        (64, [320, 320, 320, 640, 1280, 2048]),  # as published
        (16, [320, 640, 1280, 2048]),
        (128, [320, 320, 320, 320, 640, 1280, 2048]),
    ],
)
def test_the_encoder_halves_until_one_pixel_is_left(side, widths):
    with torch.device("meta"):
        encoder = StridedEncoder(side, 320, 2048)
        assert encoder(torch.empty(2, 320, side, side)).shape == (2, 2048)
    assert [one.out_channels for one in encoder.modules() if isinstance(one, nn.Conv2d)] == widths


def test_the_encoder_learns_from_a_single_crop():
    StridedEncoder(8, 4, 6).train()(torch.randn(1, 4, 8, 8)).sum().backward()
