"""Sources: what a folder of shards gives is what the loader gives; what is wrong is one line."""

from __future__ import annotations

import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
import pytest

from baselines.config import Augment
from baselines.data.opening import open_source
from baselines.data.source import BASIC_FIELDS, require, wanted_fields
from dataset_tools import HandDataset
from rigging.errors import InputError, MvhmError


def test_a_sample_is_the_loader_s(hands_folder):
    source, loader = open_source(hands_folder), HandDataset(hands_folder, fields=BASIC_FIELDS)
    for views in (None, (1,), (2, 0)):
        for sample in range(4):
            read, loaded = source.read(sample, views), loader[sample]
            assert set(read) == set(BASIC_FIELDS) == source.fields
            for name, value in read.items():
                chosen = slice(None) if views is None or name == "vertices_world" else list(views)
                np.testing.assert_array_equal(value, loaded[name][chosen], err_msg=name)


def test_it_says_what_it_holds(hands_folder):
    source = open_source(hands_folder)
    assert (source.samples, source.views, source.image_size) == (4, 3, (64, 64))
    assert source.numbers.tolist() == [0, 1, 2, 3]
    assert source.subjects.tolist() == [10, 11, 12, 13]
    assert source.splits.tolist() == ["train", "train", "val", "train"]


def test_a_split_is_its_samples(hands_folder):
    train, every = open_source(hands_folder, "train"), open_source(hands_folder)
    assert train.numbers.tolist() == [0, 1, 3] and train.subjects.tolist() == [10, 11, 13]
    np.testing.assert_array_equal(train.read(2)["rgb"], every.read(3)["rgb"])


def test_threads_read_at_once_what_one_reads(hands_folder):
    source = open_source(hands_folder)
    alone = [source.read(i)["rgb"] for i in range(4)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda i: source.read(i % 4)["rgb"], range(40)))
    for i, rgb in enumerate(together):
        np.testing.assert_array_equal(rgb, alone[i % 4])


def test_it_travels_to_another_process(hands_folder):
    source = open_source(hands_folder, "val")
    source.read(0)
    there = pickle.loads(pickle.dumps(source))
    np.testing.assert_array_equal(there.read(0)["rgb"], source.read(0)["rgb"])


def test_wanted_fields_are_those_of_losses_and_augmentation():
    assert wanted_fields(("rgb", "mask")) == (*BASIC_FIELDS, "mask")
    assert wanted_fields((), Augment(background=0.5)) == (*BASIC_FIELDS, "alpha")


def test_a_label_that_is_missing_is_named(hands_folder):
    source = open_source(hands_folder, fields=("rgb", "K"))
    with pytest.raises(
        InputError, match=r"training needs mask, joints_2d, which the data do not have; there are: K, r"
    ):
        require(source, ("rgb", "mask", "joints_2d"))


@pytest.mark.parametrize(
    ("path", "split", "told"),
    [("nowhere", "", "nowhere: no such data set"), (".", "tset", "no sample has 'tset'; there are: train, val")],
)
def test_what_is_not_there_is_said(hands_folder, path, split, told):
    with pytest.raises((FileNotFoundError, InputError), match=told):
        open_source(hands_folder / path, split)


def test_a_broken_picture_is_told_with_file_and_sample(hands_folder, tmp_path):
    folder = tmp_path / "broken"
    shutil.copytree(hands_folder, folder)
    path = folder / "shard-00001.h5"
    with h5py.File(path, "r+") as file:
        start = int(file["images/rgb/offsets"][3])
        file["images/rgb/jpeg"][start : start + 40] = 0
    source = open_source(folder)
    for views in (None, (0,)):
        with pytest.raises(MvhmError, match=r"shard-00001\.h5.*\(sample 3\)") as caught:
            [source.read(sample, views) for sample in range(4)]
        assert "\n" not in str(caught.value)
