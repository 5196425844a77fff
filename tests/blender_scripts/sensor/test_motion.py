"""Motion blur along the flow: symmetric about what the labels show, of the right length, opaque inside."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blender_scripts.sensor.layers import box_around, nearest_seen, over
from blender_scripts.sensor.motion import shutter

SIZE = 48


def square(low: int = 18, high: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """A layer (H, W, 4) with an opaque square of many colours, and the pixels that see it (H, W)."""
    hand = np.zeros((SIZE, SIZE, 4), np.float32)
    hand[low:high, low:high, :3] = np.random.default_rng(2).random((high - low, high - low, 3), np.float32)
    hand[low:high, low:high, 3] = 1
    return hand, hand[..., 3] > 0


def even(seen: np.ndarray, flow: tuple[float, float]) -> np.ndarray:
    """(H, W, 2) px: everywhere the same, 0 where nothing is seen."""
    return np.where(seen[..., None], np.float32(flow), np.float32(0))


def middle(layer: np.ndarray) -> np.ndarray:
    """(x, y) px: the coverage's centre of mass."""
    y, x = np.mgrid[:SIZE, :SIZE]
    return np.array([(layer[..., 3] * at).sum() for at in (x, y)]) / layer[..., 3].sum()


def slow_shutter(
    hand: np.ndarray, seen: np.ndarray, forward: np.ndarray, backward: np.ndarray, share: float
) -> np.ndarray:
    """Every pixel leaves its light along its way, stop by stop; then all is divided by what a full hand would leave."""
    at = np.argwhere(seen)
    total, weight = np.zeros(hand.shape), np.zeros((SIZE, SIZE, 1))
    for y in range(SIZE):
        for x in range(SIZE):
            nearest = tuple(at[np.argmin(np.hypot(*(at - (y, x)).T))])
            v, b = (forward[nearest] - backward[nearest]) / 2, (forward[nearest] + backward[nearest]) / 2
            length = share * np.linalg.norm(v) + share**2 / 2 * np.linalg.norm(b)
            half = int(np.ceil(min(length, 4 + length / 2))) if length >= 0.5 else 0
            for stop in range(-half, half + 1):
                u = stop * share / (2 * half + 1)
                row, column = int(np.rint(y + u * v[1] + u * u * b[1])), int(np.rint(x + u * v[0] + u * u * b[0]))
                if 0 <= row < SIZE and 0 <= column < SIZE:
                    total[row, column] += hand[y, x] / (2 * half + 1)
                    weight[row, column] += 1 / (2 * half + 1)
    return total / np.maximum(weight, 1e-6)


@given(flow=st.tuples(*[st.floats(-20, 20)] * 2), share=st.floats(0.1, 0.9))
@settings(max_examples=40, deadline=None)
def test_even_motion_keeps_light_and_place(flow, share):
    """Labels hold: the blur's middle is where the hand is in the middle of the exposure, whichever flow is known."""
    hand, seen = square()
    for known in ((even(seen, flow), None), (None, -even(seen, flow)), (even(seen, flow), -even(seen, flow))):
        moved = shutter(hand, seen, *known, share)
        assert moved.sum((0, 1)) == pytest.approx(hand.sum((0, 1)), rel=1e-4)
        assert middle(moved) == pytest.approx(middle(hand), abs=1e-3)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.75])
def test_the_blur_is_as_long_as_the_way_in_the_open_shutter(share):
    """A line of light along x gains the variance of an even spread over share * flow pixels."""
    hand = np.zeros((SIZE, SIZE, 4), np.float32)
    hand[10:38, 24] = 1
    moved = shutter(hand, hand[..., 3] > 0, even(hand[..., 3] > 0, (20, 0)), None, share)
    x = np.arange(SIZE) - 24
    assert (moved[24, :, 3] * x**2).sum() == pytest.approx((20 * share) ** 2 / 12, rel=0.15)


def test_with_both_flows_a_point_goes_through_both_its_places():
    """Over a whole step either way it ends where the flows say, at one time each."""
    hand, seen = square(23, 24)
    moved = shutter(hand, seen, even(seen, (10, 4)), even(seen, (-6, 4)), 2.0)
    rows, columns = np.nonzero(moved[..., 3])
    assert (columns.min(), columns.max()) == (23 - 6, 23 + 10)
    assert (rows.min(), rows.max()) == (23, 23 + 4)


def test_uneven_motion_is_that_of_pixel_by_pixel():
    hand, seen = square(19, 29)
    hand[18, 19:29] = (0.1, 0.2, 0.3, 0.4)  # a rim whose centres see nothing
    rng = np.random.default_rng(3)
    forward, backward = (rng.normal(0, 8, (SIZE, SIZE, 2)).astype(np.float32) * seen[..., None] for _ in range(2))
    moved = shutter(hand, seen, forward, backward, 0.6)
    assert moved == pytest.approx(slow_shutter(hand, seen, forward, backward, 0.6), abs=1e-4)


@pytest.mark.parametrize("growth", [-0.6, 0.6])
def test_a_hand_that_grows_or_shrinks_has_no_holes(growth):
    hand, seen = square(10, 38)
    y, x = np.mgrid[:SIZE, :SIZE] - 23.5
    flow = (np.stack([x, y], -1) * growth * seen[..., None]).astype(np.float32)
    moved = shutter(hand, seen, flow, None, 0.5)
    assert moved[..., 3].max() <= 1 + 1e-5
    assert moved[18:30, 18:30, 3] == pytest.approx(1, abs=1e-5)


def test_a_closed_shutter_a_still_hand_and_an_unknown_flow_change_nothing():
    hand, seen = square()
    fast, slow = even(seen, (9, 9)), even(seen, (0.3, 0))
    for given_flows, share in (((fast, None), 0.0), ((slow, None), 0.5), ((None, None), 0.5)):
        assert (shutter(hand, seen, *given_flows, share) == hand).all()


@given(seed=st.integers(0, 1000), share=st.floats(0.01, 0.5))
@settings(max_examples=10, deadline=None)
def test_the_nearest_seen_pixel_is_about_the_nearest(seed, share):
    """Distances on a grid of 3 x 3 steps are within a tenth of Euclid's."""
    seen = np.random.default_rng(seed).random((20, 30)) < share
    seen[3, 4] = True
    at = np.argwhere(seen)
    nearest = nearest_seen(seen)
    assert seen.flat[nearest].all()
    for y, x in np.ndindex(20, 30):
        found = np.hypot(*(np.array(np.divmod(nearest[y, x], 30)) - (y, x)))
        assert found <= np.hypot(*(at - (y, x)).T).min() * 1.1


def test_the_box_holds_what_is_covered_and_a_margin_within_the_image():
    coverage = np.zeros((20, 30), np.float32)
    coverage[5, 7] = coverage[9, 28] = 0.1
    assert coverage[box_around(coverage, 0)].shape == (5, 22)
    assert coverage[box_around(coverage, 6)].shape == (16, 29)


def test_a_layer_before_a_background_hides_its_share_of_it():
    layer = np.array([[[0.1, 0.2, 0.3, 0.25]]], np.float32)
    assert over(layer, np.ones((1, 1, 3), np.float32)) == pytest.approx(np.array([[[0.85, 0.95, 1.05]]]))
