"""Pictorial structure: its minimum is exact, and bones' lengths mend what pixels alone get wrong."""

from __future__ import annotations

import itertools

import torch
from geometry_cases import HAND, PARENTS, hands, pixels_of, ring
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.geometry.camera import bone_lengths
from baselines.geometry.pictorial import pictorial, pictorial_structure
from baselines.geometry.simulate import PixelNoise, simulate_detections
from baselines.geometry.triangulate import triangulate

FEW = settings(max_examples=5, deadline=None)

TOLERANCE = 0.004


def naive_cost(joints: torch.Tensor, unary: torch.Tensor, bones: torch.Tensor, which: list[int]) -> float:
    """Cost of the bones that end in joints `which`, and of those joints."""
    cost = 0.0
    for j in which:
        length = (joints[j] - joints[PARENTS[j - 1]]).norm()
        cost += float(((length - bones[j - 1]) / TOLERANCE) ** 2 / 2 + unary[j])
    return cost


def naive_best(candidates: torch.Tensor, unary: torch.Tensor, bones: torch.Tensor) -> float:
    """The least cost over all choices for candidates (C, 21, 3), by trying each finger's for each of the wrist's."""
    count, best = len(candidates), []
    for wrist in range(count):
        total = float(unary[wrist, 0])
        for first in range(1, 21, 4):
            which = list(range(first, first + 4))
            tries = []
            for choice in itertools.product(range(count), repeat=4):
                joints, costs = torch.zeros(21, 3, dtype=candidates.dtype), torch.zeros(21, dtype=unary.dtype)
                joints[0] = candidates[wrist, 0]
                for j, c in zip(which, choice):
                    joints[j], costs[j] = candidates[c, j], unary[c, j]
                tries.append(naive_cost(joints, costs, bones, which))
            total += min(tries)
        best.append(total)
    return min(best)


@FEW
@given(seed=st.integers(0, 10**6))
def test_no_choice_costs_less(seed):
    generator = torch.Generator().manual_seed(seed)
    candidates = HAND + 0.01 * torch.randn(2, 21, 3, dtype=torch.float64, generator=generator)
    unary, bones = 3 * torch.rand(2, 21, dtype=torch.float64, generator=generator), bone_lengths(HAND)
    points, choice = pictorial_structure(candidates[None], unary[None], bones, TOLERANCE)
    assert torch.equal(points[0], candidates[choice[0], torch.arange(21)])
    chosen = unary[choice[0], torch.arange(21)]
    cost = naive_cost(points[0], chosen, bones, list(range(1, 21))) + float(chosen[0])
    assert abs(cost - naive_best(candidates, unary, bones)) < 1e-9


def test_the_true_candidate_is_found_among_wrong_ones_by_lengths_alone():
    generator = torch.Generator().manual_seed(0)
    true, place = hands(4), torch.randint(0, 6, (4, 1, 21, 1), generator=generator)
    candidates = true[:, None] + 0.03 * torch.randn(4, 6, 21, 3, dtype=torch.float64, generator=generator)
    candidates = torch.where(torch.arange(6)[None, :, None, None] == place, true[:, None], candidates)
    points, _ = pictorial_structure(candidates, torch.zeros(4, 6, 21), bone_lengths(true), tolerance=1e-4)
    assert torch.equal(points, true)


def test_a_candidate_that_is_not_there_is_not_taken_and_no_candidate_is_nan():
    candidates = HAND.expand(1, 2, 21, 3).clone()
    candidates[:, 0, 3], candidates[:, :, 8] = torch.nan, torch.nan
    points, choice = pictorial_structure(candidates, torch.zeros(1, 2, 21), bone_lengths(HAND))
    assert choice[0, 3] == 1 and points[0, 8].isnan().all() and points.isnan().sum() == 3


def test_known_bones_help_where_most_views_are_wrong():
    K, cameras = ring(4)
    points = hands(30)
    noise = PixelNoise(1.0, outliers=0.3, outlier=30.0)
    pixels, _ = simulate_detections(pixels_of(points, K, cameras), noise, torch.Generator().manual_seed(0))
    ours = pictorial(pixels, K, cameras, bone_lengths(points), sigma=1.0)
    linear = triangulate(pixels, K, cameras)
    assert (ours - points).norm(dim=-1).mean() < 0.5 * (linear - points).norm(dim=-1).mean()
