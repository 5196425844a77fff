"""Made shard-00000.h5, its manifest and expected.npz with a commit that wrote schema version 1 (see README.md)."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))  # for `records`

from records import make_record, shard_record  # noqa: E402

from dataset_tools import HandDataset  # noqa: E402
from dataset_tools.store.encode import encode_sample  # noqa: E402
from dataset_tools.store.manifest import write_manifest  # noqa: E402
from dataset_tools.store.writer import write_shard  # noqa: E402

VERTICES = 600  # of the hand's 2651, to keep the file small

path = HERE / "shard-00000.h5"
records = [make_record(i, views=2, size=24, seed=11) for i in range(2)]
for record in records:
    record["vertices_world"] = record["vertices_world"][:VERTICES]
shard = shard_record()
kept = (shard["faces"] < VERTICES).all(1)
shard |= {"faces": shard["faces"][kept], "face_part": shard["face_part"][kept]}
write_manifest(path, write_shard(path, map(encode_sample, records), shard))
dataset = HandDataset(path)
expected = {name: getattr(dataset, name) for name in ("faces", "face_part", "arm_faces")}
for name in dataset[0]:
    if name != "meta":
        expected[name] = np.stack([dataset[i][name] for i in range(2)])
for name in dataset[0]["meta"]:
    expected[f"meta/{name}"] = np.array([dataset[i]["meta"][name] for i in range(2)])
np.savez_compressed(HERE / "expected.npz", **expected)
