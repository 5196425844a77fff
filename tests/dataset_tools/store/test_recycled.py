"""Memory is used again only once nobody can see it, and no more of it is kept than is allowed."""

from __future__ import annotations

import pickle
import resource
import threading
from pathlib import Path

import numpy as np
import pytest

import dataset_tools.store.recycled as recycled_module
from dataset_tools import HandDataset
from dataset_tools.store.recycled import VECTOR, Recycled

SHAPE = (8, 64, 64, 3)


def place(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


@pytest.mark.parametrize("hold", [
    lambda array: array[2:4, ::2], lambda array: array.reshape(-1)[5:].view(np.int8), memoryview, np.asarray,
    lambda array: np.frombuffer(array, np.uint8), lambda array: array.T[0].T[1:], lambda array: iter(array),
])  # fmt: skip
def test_memory_goes_back_when_the_last_view_of_it_is_gone(hold):
    recycled = Recycled()
    array = recycled.empty(SHAPE, np.uint8)
    at, held = place(array), hold(array)
    del array
    assert place(recycled.empty(SHAPE, np.uint8)) != at
    del held
    assert at in [place(each) for each in [recycled.empty(SHAPE, np.uint8) for _ in range(2)]]


def test_a_tensor_holds_its_memory():
    torch = pytest.importorskip("torch")
    recycled = Recycled()
    tensor = torch.from_numpy(recycled.empty(SHAPE, np.uint8))[3:].clamp_(0, 0)
    for _ in range(3):
        recycled.empty(SHAPE, np.uint8).fill(7)
    assert not tensor.any()


def test_arrays_are_as_numpy_makes_them_but_do_not_begin_where_vectors_do():
    recycled = Recycled()
    for shape, dtype in ((SHAPE, np.uint8), ((2, 128, 128), np.float32), ((3, 99, 101), np.uint16), ((2,), bool)):
        array = recycled.empty(shape, dtype)
        assert (array.shape, array.dtype) == (shape, dtype)
        assert array.flags.c_contiguous and array.flags.writeable and array.flags.aligned
        assert array.nbytes < recycled_module.SMALLEST or place(array) % VECTOR == VECTOR // 2


def test_no_more_is_kept_than_allowed(monkeypatch):
    monkeypatch.setattr(recycled_module, "MOST_KEPT", 250_000)
    recycled = Recycled()
    many = [recycled.empty(SHAPE, np.uint8) for _ in range(5)]  # 98,304 bytes each
    del many
    assert recycled.kept() == 2 * 98_304


def test_threads_never_share_memory():
    recycled, wrong = Recycled(), []

    def work(number: int) -> None:
        for _ in range(300):
            array = recycled.empty(SHAPE, np.uint8)
            array.fill(number)
            if (array != number).any():
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_copy_of_another_process_begins_with_none():
    recycled = Recycled()
    array = recycled.empty(SHAPE, np.uint8)
    del array
    assert recycled.kept() and not pickle.loads(pickle.dumps(recycled)).kept()


def test_samples_that_are_kept_stay_as_they_are_while_others_are_read(shard):
    dataset = HandDataset(shard)
    first = dataset[0]
    before = {name: value.copy() for name, value in first.items() if isinstance(value, np.ndarray)}
    for _ in range(3):
        dataset[1]["rgb"].fill(0)
        dataset[2]["depth"].fill(9)
    assert all(np.array_equal(first[name], value) for name, value in before.items())
    assert np.array_equal(dataset[1]["rgb"], HandDataset(shard)[1]["rgb"])


def test_memory_is_flat_over_epochs(shard):
    """A sample is a megabyte: one that was lost in each epoch would show."""
    dataset = HandDataset(shard)

    def epochs(count: int) -> int:
        for number in list(range(len(dataset))) * count:
            dataset[number]
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()

    before = epochs(3)
    assert epochs(40) - before < 8 << 20
    assert dataset._shards._recycled.kept() < 8 << 20
