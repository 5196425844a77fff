"""Heat-maps: what is drawn is found again, to a thousandth of a pixel, and no half pixel is lost."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.layers.heatmap import gaussian_maps, peaks

SIZE, SIDE = 64, 16


def drawn(joints_2d: torch.Tensor, sigma: float) -> torch.Tensor:
    """`gaussian_maps`, element by element."""
    stride = SIZE / SIDE
    maps = torch.zeros(*joints_2d.shape[:2], SIDE, SIDE)
    for b, joints in enumerate(joints_2d.tolist()):
        for k, (u, v) in enumerate(joints):
            for row in range(SIDE):
                for column in range(SIDE):
                    x, y = ((column + 0.5) * stride - u) / stride, ((row + 0.5) * stride - v) / stride
                    maps[b, k, row, column] = math.exp(-(x**2 + y**2) / (2 * sigma**2))
    return maps


def test_maps_are_gaussians_around_the_joints():
    joints = torch.tensor([[[10.0, 20.0], [33.3, 1.2]], [[63.0, 63.9], [-3.0, 30.0]]])
    for sigma in (1.0, 1.7):
        torch.testing.assert_close(gaussian_maps(joints, SIZE, SIDE, sigma), drawn(joints, sigma))


def test_the_centre_of_an_element_is_half_an_element_from_its_edge():
    maps = torch.zeros(1, 1, SIDE, SIDE)
    maps[0, 0, 5, 3] = 1
    assert peaks(maps, SIZE)[0].tolist() == [[[14.0, 22.0]]]
    assert gaussian_maps(torch.tensor([[[14.0, 22.0]]]), SIZE, SIDE, 1.0)[0, 0, 5, 3] == 1


@given(st.floats(0, SIZE), st.floats(0, SIZE), st.floats(0.8, 3))
@settings(max_examples=100, deadline=None)
def test_peaks_of_gaussians_are_found_exactly_also_at_borders(u, v, sigma):
    joints = torch.tensor([[[u, v]]])
    found, height = peaks(gaussian_maps(joints, SIZE, SIDE, sigma), SIZE)
    torch.testing.assert_close(found, joints, atol=1e-2, rtol=0)
    assert 0.6 < height.item() <= 1


def test_a_lower_map_has_the_same_peak_and_less_confidence():
    joints = torch.tensor([[[30.7, 41.3]]])
    maps = gaussian_maps(joints, SIZE, SIDE, 1.0)
    (full, high), (faint, low) = peaks(maps, SIZE), peaks(0.1 * maps, SIZE)
    torch.testing.assert_close(faint, full, atol=1e-3, rtol=0)
    torch.testing.assert_close(low, 0.1 * high)


@pytest.mark.parametrize("value", [0.0, -1.0, 1.0])
def test_flat_maps_give_numbers_inside(value):
    found, height = peaks(torch.full((1, 2, SIDE, SIDE), value), SIZE)
    assert found.isfinite().all() and (found >= 0).all() and (found <= SIZE).all()
    assert height.isfinite().all()


def test_peaks_pass_gradients_to_the_elements_around_them():
    maps = gaussian_maps(torch.tensor([[[30.7, 41.3]]]), SIZE, SIDE, 1.0).requires_grad_()
    peaks(maps, SIZE)[0][0, 0, 0].backward()
    rows, columns = maps.grad[0, 0].nonzero().unbind(1)
    assert maps.grad.isfinite().all() and set(rows.tolist()) == {9, 10, 11} and set(columns.tolist()) <= {6, 7, 8}
