"""Mixtures: every batch holds each source's share, each source is read through, and what one lacks is said or NaN."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from stand_in_source import StandInSource

from baselines.config import Augment, Data
from baselines.data.mixture import MixedBatches, shared_out
from rigging.errors import InputError

SMALL = Data(size=16, batch=8, views=4, workers=2)


def two(**options) -> list[StandInSource]:
    real = StandInSource(samples=3, seed=1, **options)
    real.numbers = real.numbers + 900
    return [real, StandInSource(samples=6)]


def test_every_batch_holds_each_source_s_share():
    mixed = MixedBatches(two(), (1, 3), SMALL)
    batches = list(mixed.epoch(0, 0))
    assert len(batches) == len(mixed) == (12 + 24) // 8
    for batch in batches:
        assert len(batch) == 8 and (batch.sample >= 1000).tolist() == [True] * 2 + [False] * 6


def test_each_source_is_read_through_before_it_is_read_again():
    mixed = MixedBatches(two(), (1, 1), SMALL)
    crops = [pair for epoch in range(3) for batch in mixed.epoch(0, epoch)
             for pair in zip(batch.sample.tolist(), batch.view.tolist()) if pair[0] >= 1000]  # fmt: skip
    for start in range(0, len(crops) - 12, 12):
        assert len(set(crops[start : start + 12])) == 12
    assert crops[:12] != crops[12:24]


def test_an_epoch_goes_on_where_it_was_left():
    whole = list(MixedBatches(two(), (1, 1), SMALL, Augment(noise=0.1), seed=4).epoch(2, 3))
    rest = list(MixedBatches(two(), (1, 1), SMALL, Augment(noise=0.1), seed=4).epoch(2, 3, start_step=2))
    assert len(rest) == len(whole) - 2
    assert all(torch.equal(a.rgb, b.rgb) for a, b in zip(whole[2:], rest))


def test_vertices_that_a_source_lacks_are_nan_and_other_labels_none():
    sources = two(lacks=("vertices_world", "joint_visible"))
    batch = next(MixedBatches(sources, (1, 1), SMALL, needed=("vertices_world",)).epoch(0, 0))
    assert batch.vertices_cam.isnan().all((1, 2)).tolist() == [True] * 4 + [False] * 4
    assert batch.joint_visible is None and batch.mask is not None
    with pytest.raises(InputError, match="stand-in: training needs joint_visible"):
        MixedBatches(sources, (1, 1), SMALL, needed=("joint_visible",))
    with pytest.raises(InputError, match="training needs normals, which none of the data have"):
        MixedBatches(sources, (1, 1), SMALL, needed=("normals",))


def test_masks_that_a_source_lacks_are_empty():
    batch = next(MixedBatches(two(lacks=("mask",)), (1, 1), SMALL, needed=("mask",)).epoch(0, 0))
    assert batch.mask.dtype == torch.bool and batch.mask.any((1, 2)).tolist() == [False] * 4 + [True] * 4
    neither = [StandInSource(samples=6, seed=seed, lacks=("mask",)) for seed in (1, 2)]
    assert next(MixedBatches(neither, (1, 1), SMALL).epoch(0, 0)).mask is None


def test_multi_view_batches_share_out_whole_samples():
    mixed = MixedBatches(two(), (1, 3), dataclasses.replace(SMALL, batch=16), multi_view=True)
    for batch in mixed.epoch(0, 0):
        assert batch.views == 4 and (batch.sample >= 1000).sum() == 4
        assert (batch.sample.reshape(-1, 4) == batch.sample.reshape(-1, 4)[:, :1]).all()


def test_in_order_it_is_every_crop_once():
    samples = [number for batch in MixedBatches(two(), (1, 3), SMALL).ordered() for number in batch.sample.tolist()]
    assert samples == [1000 + i // 4 for i in range(12)] + [100 + i // 4 for i in range(24)]


@given(st.integers(4, 300), st.lists(st.floats(0.01, 100), min_size=1, max_size=4))
def test_shares_add_up_and_nobody_goes_without(count, weights):
    shares = shared_out(count, weights, ["a"] * len(weights))
    exact = count * np.array(weights) / sum(weights)
    assert shares.sum() == count and shares.min() >= 1
    assert ((shares == 1) | (shares < exact + 1)).all()


@pytest.mark.parametrize("weights", [(1,), (1, 0), (1, -1), (1, float("nan")), ()])
def test_weights_that_do_not_fit_are_said(weights):
    with pytest.raises(InputError, match="a number above 0 for each of stand-in, stand-in"):
        MixedBatches(two(), weights, SMALL)


def test_a_batch_too_small_for_all_is_said():
    with pytest.raises(InputError, match="too small to hold something of each"):
        MixedBatches(two(), (1, 1), dataclasses.replace(SMALL, batch=1))
