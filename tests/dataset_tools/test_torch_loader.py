"""The torch wrapper in a DataLoader."""

from __future__ import annotations

import numpy as np
import pytest

from dataset_tools import HandDataset, TorchHandDataset

torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra `train`)")

FIELDS = ["rgb", "mask", "depth", "joints_2d", "K", "flow_forward_valid", "meta"]


def test_tensors_equal_the_arrays(shard):
    arrays, tensors = HandDataset(shard)[1], TorchHandDataset(shard)[1]
    assert tensors.keys() == arrays.keys()
    for name, array in arrays.items():
        if name != "meta":
            assert np.array_equal(tensors[name].numpy(), array), name
            assert tensors[name].numpy().dtype == array.dtype
    assert tensors["meta"]["light"] == arrays["meta"]["light"]


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
