"""Colours and labels of moved pictures, against their naive twins."""

from __future__ import annotations

import numpy as np
import pytest
from labelled import SIZE
from moved_samples import turn

from dataset_tools.load.resample import axis_weights, crop_colours, pick, sources, warp_colours
from dataset_tools.load.transforms import crop, rotate


def naive_axis(start: float, end: float, new: int, old: int) -> np.ndarray:
    """Weights one by one: the mean over the new pixel's span by a fine sum, or linear between two centres."""
    out, step = np.zeros((new, old)), (end - start) / new
    for j in range(new):
        if not 0 <= start + (j + 0.5) * step < old:
            continue
        if step > 1:
            points = start + (j + (np.arange(20000) + 0.5) / 20000) * step
            points = points[(points >= 0) & (points < old)]
            out[j] = np.bincount(points.astype(int), minlength=old) / len(points)
        else:
            at = min(max(start + (j + 0.5) * step - 0.5, 0), old - 1)
            low = min(int(at), old - 2)
            out[j, low], out[j, low + 1] = 1 - (at - low), at - low
    return out


@pytest.mark.parametrize(
    ("start", "end", "new"), [(0, 12, 12), (0, 12, 4), (1.3, 9.1, 3), (-4, 15.5, 8), (2.2, 5.7, 9), (-3, 6, 20)]
)
def test_weights_are_areas_or_linear(start, end, new):
    assert np.abs(axis_weights(start, end, new, 12) - naive_axis(start, end, new, 12)).max() < 2e-4


def test_cropped_colours_are_the_weighted_sums_of_both_axes(sample):
    box, size = (10.2, 7.5, 60.1, 71), (20, 90)
    got = crop_colours(sample["rgb"][:1], np.array([box]), size)[0]
    across, down = axis_weights(box[0], box[2], 20, SIZE), axis_weights(box[1], box[3], 90, SIZE)
    for y, x in ((3, 4), (50, 11), (89, 19)):
        exact = sum(down[y, i] * across[x, j] * sample["rgb"][0, i, j].astype(float)
                    for i in range(SIZE) for j in range(SIZE) if down[y, i] and across[x, j])  # fmt: skip
        assert np.abs(got[y, x] - exact).max() <= 0.501


def test_turned_colours_are_linear_between_centres_to_a_32nd_of_a_pixel():
    """Of a smooth picture, whose slope says what 1/64 px is worth."""
    y, x = np.mgrid[:40, :50] + 0.5
    smooth = np.rint(120 + 60 * np.sin(x / 5) * np.cos(y / 6)).astype(np.uint8)
    angle, middle = 0.7, np.array([25.0, 20.0])
    got = rotate({"alpha": smooth[None]}, angle)["alpha"][0].astype(float)
    for i, j in ((20, 25), (8, 30), (33, 20), (20, 3)):
        u, v = turn(-angle) @ (np.array([j + 0.5, i + 0.5]) - middle) + middle - 0.5
        a, b = int(np.floor(u)), int(np.floor(v))
        corners = smooth[b : b + 2, a : a + 2].astype(float)
        exact = np.array([1 - (v - b), v - b]) @ corners @ np.array([1 - (u - a), u - a])
        assert abs(got[i, j] - exact) <= 12 / 32 + 1


def test_labels_are_picked_where_the_centre_falls():
    """The naive twin: one pixel at a time."""
    rng = np.random.default_rng(1)
    image, matrix = rng.integers(0, 99, (1, 7, 9, 2)), np.array([[0.7, -0.4, 1.0], [0.3, 0.9, -2.0], [0, 0, 1]])
    got = pick(image, sources(matrix[None], (9, 7), (6, 5)))[0]
    for i in range(5):
        for j in range(6):
            u, v, _ = matrix @ [j + 0.5, i + 0.5, 1]
            inside = 0 <= u < 9 and 0 <= v < 7
            assert np.array_equal(got[i, j], image[0, int(v), int(u)] if inside else [0, 0])


def test_what_is_outside_is_black_and_background():
    image = np.full((1, 8, 8, 3), 200, np.uint8)
    new = crop({"rgb": image, "parts": image[..., 0]}, (-4, -8, 8, 4), 12)
    inside = np.zeros((12, 12), bool)
    inside[8:, 4:] = True
    assert np.array_equal(new["rgb"][0] == 200, np.repeat(inside[..., None], 3, 2))
    assert np.array_equal(new["parts"][0] == 200, inside)
    outside = sources(np.eye(3)[None], (8, 8), (10, 8)) < 0
    assert np.array_equal(warp_colours(image, np.eye(3)[None], np.where(outside, -1, 0))[0, :, 8:], np.zeros((8, 2, 3)))
