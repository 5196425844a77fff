"""Shards for the tests of this folder, written once per session from records made without a renderer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for `records`

from records import make_record, shard_record

from dataset_tools.store.encode import encode_sample
from dataset_tools.store.writer import write_manifest, write_shard


@pytest.fixture(scope="session")
def records() -> list[dict]:
    """Four sample records, 8 views of 64 px."""
    return [make_record(i) for i in range(4)]


@pytest.fixture(scope="session")
def release(records, tmp_path_factory) -> Path:
    """A folder of two shards, of three samples and of one, with manifests."""
    folder = tmp_path_factory.mktemp("small-release")
    for number, chosen in enumerate((records[:3], records[3:])):
        path = folder / f"shard-{number:05d}.h5"
        digest = write_shard(path, map(encode_sample, chosen), shard_record() | {"shard": number})
        write_manifest(path, digest)
    return folder


@pytest.fixture(scope="session")
def shard(release) -> Path:
    """The shard of three samples. Not to be changed: copy it."""
    return release / "shard-00000.h5"
