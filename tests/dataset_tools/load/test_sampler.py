"""The sampler: exact epochs over all ranks, whole shards where they can be, and a resume point that leaves the rest."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_tools import HandDataset
from dataset_tools.load.sampler import ShardSampler, epoch_order
from rigging.errors import InputError

few = settings(max_examples=150, deadline=None)
lengths = st.lists(st.integers(0, 9), min_size=1, max_size=12)
seeds = st.integers(0, 2**31)


@dataclass(frozen=True)
class Shards:
    """A data set that knows its shards only."""

    shard_lengths: tuple[int, ...]


def orders(sizes: list[int], ranks: int, **options) -> list[np.ndarray]:
    """The items of every rank."""
    return [epoch_order(np.array(sizes), rank=rank, ranks=ranks, **options) for rank in range(ranks)]


@few
@given(lengths, st.integers(1, 6), seeds, st.integers(0, 5), st.integers(1, 20), st.booleans())
def test_every_item_comes_once_over_all_ranks(sizes, ranks, seed, epoch, window, shuffle):
    parts = orders(sizes, ranks, seed=seed, epoch=epoch, window=window, shuffle=shuffle)
    assert sorted(np.concatenate(parts).tolist()) == list(range(sum(sizes)))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@few
@given(lengths, st.integers(1, 6), seeds, st.integers(0, 5))
def test_dropped_and_padded_parts_are_equally_long(sizes, ranks, seed, epoch):
    total = sum(sizes)
    dropped = np.concatenate(orders(sizes, ranks, seed=seed, epoch=epoch, uneven="drop"))
    assert len(dropped) == len(set(dropped.tolist())) == total // ranks * ranks
    parts = orders(sizes, ranks, seed=seed, epoch=epoch, uneven="pad")
    assert {len(part) for part in parts} == {-(-total // ranks)}
    counts = np.bincount(np.concatenate(parts).astype(int), minlength=total)
    assert set(counts) <= {1, 2} or total < ranks
    assert (counts >= 1).all()


@few
@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(1, 6), seeds, st.integers(1, 9))
def test_shards_are_whole_but_where_a_cut_falls(sizes, ranks, seed, window):
    shard = np.repeat(np.arange(len(sizes)), sizes)
    owners = [set(shard[part]) for part in orders(sizes, ranks, seed=seed, epoch=1, window=window)]
    assert sum(map(len, owners)) <= len(sizes) + ranks - 1
    if len(sizes) % ranks == 0:
        equal = [set(np.repeat(np.arange(len(sizes)), 4)[part]) for part in orders([4] * len(sizes), ranks, epoch=1)]
        assert sum(map(len, equal)) == len(sizes)


@few
@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), seeds, st.integers(1, 30))
def test_a_window_holds_few_shards(sizes, seed, window):
    shard = np.repeat(np.arange(len(sizes)), sizes)
    order = epoch_order(np.array(sizes), epoch=0, seed=seed, window=window)
    for start in range(0, len(order), window):
        inside = shard[order[start : start + window]]
        assert len(set(inside)) <= 2 + window // min(sizes)
        later = order[start + window :]
        assert len(set(inside) & set(shard[later])) <= 1  # a shard is done with, but for the one at the window's end


def test_epochs_and_seeds_differ_and_repeat():
    sizes = np.array([40, 50, 60])
    first = epoch_order(sizes, epoch=0, seed=1)
    assert np.array_equal(first, epoch_order(sizes, epoch=0, seed=1))
    for other in (epoch_order(sizes, epoch=1, seed=1), epoch_order(sizes, epoch=0, seed=2)):
        assert not np.array_equal(first, other)
    assert np.array_equal(epoch_order(sizes, epoch=3, shuffle=False), np.arange(150))


def test_one_window_over_everything_leaves_no_trace_of_the_shards():
    """The mean place of each shard's items is the middle of the epoch, to three standard errors."""
    shard = np.repeat(np.arange(4), 500)
    places = np.argsort(epoch_order(np.full(4, 500), epoch=0, window=2000))
    for number in range(4):
        assert abs(places[shard == number].mean() - 999.5) < 3 * 2000 / np.sqrt(12 * 500)


@few
@given(lengths, st.integers(1, 3), seeds, st.data())
def test_a_resumed_epoch_is_exactly_the_rest_and_then_the_next(sizes, ranks, seed, data):
    def sampler() -> ShardSampler:
        return ShardSampler(Shards(tuple(sizes)), seed=seed, rank=ranks - 1, ranks=ranks, window=5)

    whole = sampler()
    epochs = [list(whole) for _ in range(3)]
    assert [len(epoch) for epoch in epochs] == [len(whole)] * 3
    interrupted, done = sampler(), data.draw(st.integers(0, len(whole)))
    list(interrupted)
    draws = iter(interrupted)
    assert [next(draws) for _ in range(done)] == epochs[1][:done]
    resumed = sampler()
    resumed.load_state_dict(json.loads(json.dumps(interrupted.state_dict())))
    assert list(resumed) == epochs[1][done:]
    assert list(resumed) == epochs[2]
    again = sampler()
    again.load_state_dict(interrupted.state_dict(epoch=2, consumed=done))
    assert list(again) == epochs[2][done:]


def test_a_loaded_state_is_a_state_and_an_epoch_can_be_set():
    sampler = ShardSampler(Shards((4, 5)), seed=3)
    fifth = list(epoch_order(np.array([4, 5]), epoch=5, seed=3))
    sampler.load_state_dict(sampler.state_dict(epoch=5, consumed=2))
    assert sampler.state_dict() == sampler.state_dict(epoch=5, consumed=2)
    assert list(sampler) == fifth[2:]
    sampler.set_epoch(5)
    next(iter(sampler))  # broken off: the epoch starts anew
    assert list(sampler) == fifth
    assert sampler.epoch == 6


def test_it_numbers_the_items_of_a_data_set(release):
    hands = HandDataset(release, fields=["sample"])
    read = [hands[i]["meta"]["sample"] for i in ShardSampler(hands, seed=5)]
    assert sorted(read) == [0, 1, 2, 3]
    views = hands.select(where={"shard": 1}).views_as_items()
    assert sorted(ShardSampler(views)) == list(range(8))


OPTIONS = {
    "rank": (dict(rank=2, ranks=2), "rank is 2, 0 to 1 is wanted"),
    "ranks": (dict(ranks=0), "ranks is 0, a whole number from 1 on"),
    "window": (dict(window=0.5), "window is 0.5, a whole number"),
    "seed": (dict(seed=-1), "seed is -1, a whole number from 0 on"),
    "uneven": (dict(uneven="cut"), "uneven is 'cut', 'keep', 'drop', 'pad' are allowed"),
}


@pytest.mark.parametrize("kind", OPTIONS)
def test_options_that_make_no_sense_are_named(kind):
    options, message = OPTIONS[kind]
    with pytest.raises(InputError, match=message):
        ShardSampler(Shards((3,)), **options)


def test_a_state_of_something_else_is_refused():
    sampler = ShardSampler(Shards((3, 4)))
    state = sampler.state_dict()
    for wrong, message in (
        (state | {"items": 9}, "the state has items = 9, this one 7"),
        (state | {"seed": 1}, "the state has seed = 1, this one 0"),
        (state | {"drawn": 8}, "drawn 8 items, an epoch has 7"),
        (state | {"drawn": 1.5}, "drawn 1.5 items"),
        (state | {"epoch": -3}, "epoch is -3, a whole number from 0 on"),
        (None, "no state of a sampler"),
        ({"epoch": 3}, "no state of a sampler"),
    ):
        with pytest.raises(InputError, match=message):
            sampler.load_state_dict(wrong)
    with pytest.raises(InputError, match="8 items consumed"):
        sampler.state_dict(consumed=8)
    with pytest.raises(InputError, match="'x' items consumed"):
        sampler.state_dict(consumed="x")
    for epoch in (-1, 1.5, "x", None):
        with pytest.raises(InputError, match=r"epoch is .*, a whole number from 0 on is wanted"):
            sampler.set_epoch(epoch)
