"""An opened data set in other processes, forked and spawned, and in the workers of a DataLoader.

Not collected by its name: `test_other_processes.py` runs it in a process of its own. The one that runs all tests has
threads of many libraries by then; a fork copies their locks as they are, and the child may wait for one for ever.
"""

from __future__ import annotations

import multiprocessing

import pytest
import torch

from dataset_tools import HandDataset, TorchHandDataset
from dataset_tools.load.sampler import ShardSampler
from dataset_tools.load.transforms import crop

FIELDS = ["rgb", "mask", "depth", "joints_2d", "K", "flow_forward_valid", "meta"]


def first_colour(dataset: HandDataset) -> int:
    return int(dataset[0]["rgb"].astype(int).sum())


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_an_opened_dataset_works_in_other_processes(shard, method):
    dataset = HandDataset(shard, fields=["rgb"])
    expected = first_colour(dataset)
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(first_colour, [dataset] * 4) == [expected] * 4
    assert first_colour(dataset) == expected


def read_inherited(queue) -> None:
    queue.put(first_colour(INHERITED[0]))


INHERITED: list[HandDataset] = []


def test_a_forked_child_uses_its_own_handles(shard):
    dataset = HandDataset(shard, fields=["rgb"])
    expected = first_colour(dataset)
    INHERITED[:] = [dataset]
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=read_inherited, args=(queue,))
    child.start()
    assert queue.get(timeout=30) == expected
    child.join()
    assert first_colour(dataset) == expected


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_batches_come_from_workers_of_either_kind(release, method):
    dataset = TorchHandDataset(release, fields=FIELDS, views=[0, 3])
    dataset[0]  # opened in the parent: children must not use its handles
    loader = torch.utils.data.DataLoader(dataset, batch_size=2, num_workers=1, multiprocessing_context=method)
    batches = list(loader)
    assert batches[0]["rgb"].shape == (2, 2, 64, 64, 3)
    assert batches[0]["rgb"].dtype == torch.uint8
    assert batches[1]["meta"]["sample"].tolist() == [2, 3]
    assert batches[1]["meta"]["hand"] == ["right", "right"]
    assert torch.equal(batches[1]["depth"][1], dataset[3]["depth"])


def small(sample: dict) -> dict:
    """A transform that workers can be sent."""
    return crop(sample, (8, 8, 56, 56), 32)


def test_selected_single_views_are_cropped_in_workers_in_the_samplers_order(release):
    views = TorchHandDataset(release, fields=["rgb", "K", "sample"], items="view", transform=small)
    chosen = views.select(where={"sample": [0, 2, 3]})
    assert (len(views), len(chosen)) == (32, 24)
    sampler = ShardSampler(chosen, seed=1)
    loader = torch.utils.data.DataLoader(chosen, batch_size=5, sampler=sampler, num_workers=1)
    batches = list(loader)
    assert batches[0]["rgb"].shape == (5, 32, 32, 3)
    assert batches[0]["K"].shape == (5, 3, 3)
    read = [pair for batch in batches for pair in zip(batch["meta"]["sample"].tolist(), batch["meta"]["view"].tolist())]
    assert sorted(read) == [(sample, view) for sample in (0, 2, 3) for view in range(8)]
    sampler.load_state_dict(sampler.state_dict(epoch=0, consumed=20))
    last = list(loader)
    assert len(last) == 1
    assert torch.equal(last[0]["rgb"], batches[4]["rgb"])
    assert len(TorchHandDataset(release, fields=["rgb"]).views_as_items()) == 32
