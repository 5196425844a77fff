"""A release of two splits and both hands, and its exports, each written once per session when first asked for."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import pytest
from records import shard_record

from dataset_tools import HandDataset
from dataset_tools.export.run import export
from dataset_tools.format.schema import SAMPLE_FIELDS
from dataset_tools.load.transforms import mirror
from dataset_tools.store.encode import encode_sample
from dataset_tools.store.writer import write_manifest, write_shard

SPLITS = ("train", "train", "test_pose", "train")  # of samples 0 to 3, three in the first shard
ORDER = (0, 1, 3, 2)  # of samples, split by split


@pytest.fixture(scope="session")
def mixed(release, tmp_path_factory) -> Path:
    """Samples 0, 1, 3 (train) and 2 (test_pose), 3 in a second shard; 1 and 3 are left hands; each is its own pair."""
    folder = tmp_path_factory.mktemp("mixed")
    samples = [mirror(sample) if i % 2 else sample for i, sample in enumerate(HandDataset(release))]
    for sample, split in zip(samples, SPLITS):
        sample["meta"] |= {"split": split, "pair": sample["meta"]["sample"]}
    for number, chosen in enumerate((samples[:3], samples[3:])):
        path = folder / f"shard-{number:05d}.h5"
        records = [
            {name: (s | s["meta"])[name] for name in SAMPLE_FIELDS if SAMPLE_FIELDS[name].stored} for s in chosen
        ]
        digest = write_shard(path, map(encode_sample, records), shard_record() | {"shard": number})
        write_manifest(path, digest)
    return folder


@pytest.fixture(scope="session")
def samples(mixed) -> list[dict]:
    """The samples as the loader gives them, all fields: three of train, one of test_pose."""
    silhouettes = HandDataset(mixed, fields=["amodal_mask"])
    dataset = HandDataset(mixed)
    return [dataset[number] | silhouettes[number] for number in ORDER]


@pytest.fixture(scope="session")
def exported(mixed, tmp_path_factory) -> Callable[[str], Path]:
    """The folder of the export in a format."""

    @functools.cache
    def write(kind: str) -> Path:
        return export(kind, mixed, tmp_path_factory.mktemp("exports") / kind).parent

    return write
