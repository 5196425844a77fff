"""Consistent records, samples as the checks see them, and a small release of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for `paired`

from paired import SAMPLES, SHARD_SIZE, pair_records, paired_shard_record, write_release

from dataset_tools.check.sample import link
from dataset_tools.check.stored import Stored
from dataset_tools.check.surface import Topology
from dataset_tools.format.schema import METADATA
from dataset_tools.store.layout import ReleaseFolder
from rigging.joints import JOINT_NAMES

META = {field.name for field in METADATA}


@pytest.fixture(scope="session")
def pairs() -> list[list[dict]]:
    """Two pairs of records: pairs 0 and 1 of the release below."""
    return [pair_records(0), pair_records(1)]


@pytest.fixture(scope="session")
def as_samples() -> Callable[[list[dict]], list[Stored]]:
    """Turns the records of one pair into what the checks take, without a file."""
    shard = paired_shard_record(SAMPLES, SHARD_SIZE)
    topology = Topology(shard["faces"], shard["arm_faces"], shard["face_part"], 2651)
    attrs = {
        "retarget": "directions", "configuration": json.loads(shard["configuration"]), "joint_names": JOINT_NAMES,
    }  # fmt: skip

    def make(records: list[dict]) -> list[Stored]:
        samples = [
            Stored({k: v for k, v in one.items() if k not in META}, {k: one[k] for k in META}, topology, attrs)
            for one in records
        ]
        link(samples)
        return samples

    return make


@pytest.fixture(scope="session")
def unfinished(pairs, tmp_path_factory) -> ReleaseFolder:
    """Two of three shards of a release that is being rendered. Not to be changed: copy it."""
    return write_release(tmp_path_factory.mktemp("unfinished") / "out", pairs)
