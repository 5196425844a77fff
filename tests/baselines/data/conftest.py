"""A small release for the tests of this folder, made without a renderer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))  # for `stand_in_source`
sys.path.insert(0, str(Path(__file__).parents[2] / "dataset_tools"))  # for `records`

from records import make_record, shard_record

from dataset_tools.store.encode import encode_sample
from dataset_tools.store.writer import write_manifest, write_shard

SPLITS = ("train", "train", "val", "train")


@pytest.fixture(scope="session")
def hands_folder(tmp_path_factory) -> Path:
    """Two shards of two samples, 3 views of 64 px; sample i is number i, of subject 10 + i. Not to be changed."""
    folder = tmp_path_factory.mktemp("hands")
    records = [make_record(i, views=3) | {"split": split, "subject": 10 + i} for i, split in enumerate(SPLITS)]
    for number, chosen in enumerate((records[:2], records[2:])):
        path = folder / f"shard-{number:05d}.h5"
        write_manifest(path, write_shard(path, map(encode_sample, chosen), shard_record() | {"shard": number}))
    return folder


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(7)
