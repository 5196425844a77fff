"""The torch wrapper in a DataLoader."""

from __future__ import annotations

import numpy as np
import pytest

from dataset_tools import HandDataset, TorchHandDataset

torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra `train`)")


def test_tensors_equal_the_arrays(shard):
    arrays, tensors = HandDataset(shard)[1], TorchHandDataset(shard)[1]
    assert tensors.keys() == arrays.keys()
    for name, array in arrays.items():
        if name != "meta":
            assert np.array_equal(tensors[name].numpy(), array), name
            assert tensors[name].numpy().dtype == array.dtype
    assert tensors["meta"]["light"] == arrays["meta"]["light"]
