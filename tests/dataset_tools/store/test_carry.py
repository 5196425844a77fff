"""Stored samples carried into another shard: the same bytes, and only what changed is encoded anew."""

from __future__ import annotations

import numpy as np
import pytest
from differences import same_bytes

from dataset_tools.store.carry import encoded_of, recoded, record_of, shard_record_of
from dataset_tools.store.shard_file import ShardFile
from dataset_tools.store.writer import write_shard
from rigging.files import file_sha256


def test_carried_samples_give_the_bytes_of_the_shard(shard, tmp_path):
    with ShardFile(shard) as opened:
        samples = (encoded_of(opened, row) for row in range(len(opened)))
        digest = write_shard(tmp_path / shard.name, samples, shard_record_of(opened))
    assert digest == file_sha256(shard)


def test_a_record_comes_back_as_it_was_written(shard, records):
    with ShardFile(shard) as opened:
        record, encoded = record_of(opened, 1), encoded_of(opened, 1)
    for name in ("joints_world", "K", "parts", "alpha", "hand", "shape", "flow_forward_visible"):
        assert np.array_equal(record[name], records[1][name]), name
    assert same_bytes(recoded(record, [(record, encoded)]), encoded)


def test_only_what_changed_is_encoded_anew(shard):
    with ShardFile(shard) as opened:
        record, encoded = record_of(opened, 0), encoded_of(opened, 0)
    depth, rgb = record["depth"].copy(), record["rgb"].copy()
    depth[3] *= 2
    rgb[5] = 255 - rgb[5]
    out = recoded(record | {"depth": depth, "rgb": rgb}, [(record, encoded)])
    assert [v for v in range(8) if out.jpeg[v] != encoded.jpeg[v]] == [5]
    chunks = {path: [v for v in range(8) if out.chunks[path][v] != encoded.chunks[path][v]] for path in out.chunks}
    assert {path: views for path, views in chunks.items() if views} in ({}, {"images/depth/code": [3]})
    assert out.values["images/depth/near"][3] == pytest.approx(2 * encoded.values["images/depth/near"][3])
    assert np.array_equal(
        np.delete(out.values["images/depth/step"], 3), np.delete(encoded.values["images/depth/step"], 3)
    )
