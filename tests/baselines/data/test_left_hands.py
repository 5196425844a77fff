"""Sources of right hands only: a left one comes as its mirror image, of shards and of packs."""

from __future__ import annotations

import numpy as np
import pytest
from records import make_record, shard_record

from baselines.data.opening import open_source
from baselines.data.packing import USUAL, pack
from dataset_tools import HandDataset
from dataset_tools.format.schema import SAMPLE_FIELDS
from dataset_tools.load.transforms import mirror
from dataset_tools.store.encode import encode_sample
from dataset_tools.store.writer import write_manifest, write_shard
from rigging.geometry.mesh import volume

LEFT = (False, True)  # of the two samples


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A right hand and the mirror image of another, 3 views of 64 px."""
    folder = tmp_path_factory.mktemp("sides")
    path = folder / "shard-00000.h5"
    records = [make_record(number, views=3) | {"hand": "left" if left else "right"} for number, left in enumerate(LEFT)]
    mirrored = mirror({name: value for name, value in records[1].items() if SAMPLE_FIELDS[name].group != "metadata"})
    write_manifest(path, write_shard(path, map(encode_sample, (records[0], records[1] | mirrored)), shard_record()))
    return folder


@pytest.mark.parametrize("views", [None, (2, 0)])
def test_what_shards_give_is_a_right_hand(folder, views):
    source, loader = open_source(folder, fields=USUAL), HandDataset(folder, fields=USUAL)
    chosen = slice(None) if views is None else list(views)
    for sample, left in enumerate(LEFT):
        wanted = mirror(loader[sample]) if left else loader[sample]
        read = source.read(sample, views)
        assert set(read) == source.fields
        for name, value in read.items():
            own = wanted[name] if name == "vertices_world" else wanted[name][chosen]
            np.testing.assert_array_equal(value, own, err_msg=name)


def test_the_mesh_of_either_sample_is_wound_as_the_right_hand_s(folder):
    """So one list of triangles serves: the volume of a mesh is positive if its faces look outwards."""
    source, faces = open_source(folder), HandDataset(folder).faces
    for sample, left in enumerate(LEFT):
        stored = HandDataset(folder)[sample]["vertices_world"]
        assert volume(source.read(sample)["vertices_world"], faces) > 0
        assert (volume(stored, faces) < 0) == left


def test_a_pack_holds_right_hands(folder, tmp_path):
    pack(folder, tmp_path / "hands.pack")
    shards, packed = open_source(folder, fields=USUAL), open_source(tmp_path / "hands.pack", fields=USUAL)
    for sample in range(len(LEFT)):
        old, new = shards.read(sample), packed.read(sample)
        for name in ("alpha", "mask", "K", "world_to_cam", "joint_visible"):
            np.testing.assert_array_equal(new[name], old[name], err_msg=name)
        for name in ("joints_cam", "joints_2d"):  # there projected from the mirrored joints, here mirrored: roundings
            np.testing.assert_allclose(new[name], old[name], rtol=1e-6, atol=1e-6, err_msg=name)
        assert np.linalg.norm(new["vertices_world"] - old["vertices_world"], axis=1).max() < 1e-4
        assert 10 * np.log10(255**2 / np.square(new["rgb"].astype(float) - old["rgb"]).mean()) > 45
