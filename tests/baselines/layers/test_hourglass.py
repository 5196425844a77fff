"""Hourglasses: shapes, what they cost, and where the features come from."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from baselines.layers.hourglass import Hourglass, Residual, StackedHourglass


@pytest.mark.parametrize(("inputs", "outputs"), [(8, 8), (8, 16)])
def test_a_residual_adds_its_branch_to_what_it_was_given(inputs, outputs):
    residual = Residual(inputs, outputs).eval()
    x = torch.randn(2, inputs, 6, 5)
    with torch.no_grad():
        for parameter in residual.branch[-1].parameters():
            parameter.zero_()
        torch.testing.assert_close(residual(x), x if inputs == outputs else residual.skip(x))


def test_an_hourglass_sees_everything():
    """One pixel in a corner changes all of the output, through the lowest level."""
    torch.manual_seed(0)
    hourglass = Hourglass(depth=4, width=8, modules=1).eval().double()
    x = torch.randn(1, 8, 16, 16, dtype=torch.float64)
    y = x.clone()
    y[..., 0, 0] += 1
    assert ((hourglass(x) - hourglass(y)).abs().amax(1) > 0).all()


@pytest.mark.parametrize(("stacks", "modules"), [(1, 1), (2, 2)])
def test_shapes(stacks, modules):
    net = StackedHourglass(stacks, width=16, depth=2, modules=modules, joints=21)
    maps, given, features = net(torch.rand(3, 3, 64, 64))
    assert maps.shape == (3, stacks, 21, 16, 16)
    assert given.shape == features.shape == (3, 16, 16, 16)


def test_heatmaps_are_read_from_the_features_and_the_first_stack_reaches_the_second():
    net = StackedHourglass(2, width=8, depth=2, modules=1, joints=5).eval()
    images = torch.rand(1, 3, 32, 32)
    maps, given, features = net(images)
    torch.testing.assert_close(maps[:, 1], net.heads[1](features))
    first = net.hourglasses[0](net.stem(images))
    torch.testing.assert_close(given, net.stem(images) + net.features_back[0](first) + net.maps_back[0](maps[:, 0]))


def test_the_full_network_costs_what_the_papers_does():
    net = StackedHourglass(stacks=2, width=256, depth=4, modules=2, joints=21).to("meta").eval()
    assert sum(parameter.numel() for parameter in net.parameters()) / 1e6 == pytest.approx(12.6, rel=0.01)
    with FlopCounterMode(display=False) as counter:
        net(torch.empty(1, 3, 256, 256, device="meta"))
    assert counter.get_total_flops() / 1e9 == pytest.approx(27.2, rel=0.01)
