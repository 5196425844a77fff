"""HandDataset: what it returns, what it reads, where it can be carried, and what it says of bad files."""

from __future__ import annotations

import pickle
import shutil

import h5py
import numpy as np
import pytest
from records import make_record, shard_record

import dataset_tools.load.shard_set as shard_set_module
from dataset_tools import HandDataset
from dataset_tools.format.schema import METADATA, SAMPLE_FIELDS
from dataset_tools.store.encode import encode_sample
from dataset_tools.store.shard_file import ShardError
from dataset_tools.store.writer import write_shard
from rigging.geometry.projection import depth_to_distance


@pytest.fixture(scope="module")
def dataset(shard):
    return HandDataset(shard)


def test_a_sample_has_every_field_with_the_dtype_and_shape_of_the_schema(shard):
    dataset = HandDataset(shard, fields=[*SAMPLE_FIELDS])
    sample = dataset[0]
    names = {field.name for field in METADATA}
    assert set(sample) | names == set(SAMPLE_FIELDS) | {"meta"}
    assert set(sample["meta"]) == names
    for name, value in sample.items():
        if name != "meta":
            wanted = tuple(dataset.sizes.get(size, size) for size in SAMPLE_FIELDS[name].shape)
            assert (value.shape, value.dtype) == (wanted, SAMPLE_FIELDS[name].dtype), name


def test_the_whole_release_is_one_sequence(release, shard):
    whole = HandDataset(release)
    assert len(whole) == 4
    assert [sample["meta"]["sample"] for sample in whole] == [0, 1, 2, 3]
    assert whole.locate(3) == (release / "shard-00001.h5", 0)
    assert whole[-1]["meta"]["sample"] == 3
    assert [sample["meta"]["sample"] for sample in whole[1:3]] == [1, 2]
    assert len(HandDataset([shard, shard])) == 6
    for index in (4, -5):
        with pytest.raises(IndexError, match=f"sample {index} of a data set of 4"):
            whole[index]
    with pytest.raises(TypeError):
        whole["0"]


def test_derived_fields_are_computed_from_what_is_stored(dataset):
    """The naive twin: one joint, one view at a time."""
    sample = dataset[1]
    assert (sample["mask"] == ((sample["parts"] >= 1) & (sample["parts"] <= 17))).all()
    for v, (K, world_to_cam) in enumerate(zip(sample["K"], sample["world_to_cam"])):
        for j, joint in enumerate(sample["joints_world"].astype(float)):
            x, y, z, _ = world_to_cam @ [*joint, 1]
            assert np.abs(sample["joints_cam"][v, j] - [x, y, z]).max() < 1e-7
            pixel = (K @ [x, y, z])[:2] / z
            assert np.abs(sample["joints_2d"][v, j] - pixel).max() < 1e-5


def test_distance_is_the_length_of_the_back_projected_pixel(dataset):
    sample = dataset[0]
    distance = depth_to_distance(sample["depth"], sample["K"])
    v, y, x = np.argwhere(sample["depth"] > 0)[100]
    point = np.linalg.inv(sample["K"][v]) @ [x + 0.5, y + 0.5, 1] * sample["depth"][v, y, x]
    assert distance[v, y, x] == pytest.approx(np.linalg.norm(point), abs=1e-6)
    assert not distance[sample["depth"] == 0].any()


def test_chosen_views_are_those_views(dataset, shard):
    some = HandDataset(shard, views=(5, 2))[1]
    for name, value in dataset[1].items():
        if name != "meta":
            expected = value[[5, 2]] if SAMPLE_FIELDS[name].per == "view" else value
            assert np.array_equal(some[name], expected), name


def test_only_the_chosen_fields_and_views_are_read(shard, tmp_path):
    """Nothing that is not asked for is touched: its absence, or damage to it, goes unnoticed."""
    copy = tmp_path / "a.h5"
    shutil.copy(shard, copy)
    with h5py.File(copy, "r+") as file:
        del file["images/normals"]
        del file["metadata/light"]
        damaged = file["images/depth/code"].id.get_chunk_info(6).byte_offset
    data = bytearray(copy.read_bytes())
    data[damaged + 30] ^= 1
    copy.write_bytes(data)

    sample = HandDataset(copy, fields=["rgb", "mask", "depth", "subject"], views=[0, 7])[0]
    assert set(sample) == {"rgb", "mask", "depth", "meta"}
    assert sample["meta"] == {"subject": 3}
    assert sample["depth"].shape == (2, 64, 64)
    for fields, message in ((["normals"], "normals of sample 0"), (["meta"], "light of"), (["depth"], "depth of")):
        with pytest.raises(ShardError, match=message):
            HandDataset(copy, fields=fields)[0]


def test_unknown_fields_and_views_are_named(shard):
    with pytest.raises(ValueError, match=r"no colour, dept; there are: meta, rgb"):
        HandDataset(shard, fields=["rgb", "dept", "colour"])
    with pytest.raises(ValueError, match="a list of names"):
        HandDataset(shard, fields="rgb")
    for fields in (3, ["rgb", 3], [["rgb"]]):
        with pytest.raises(ValueError, match="a list of names"):
            HandDataset(shard, fields=fields)
    for path in (None, 3):
        with pytest.raises(ValueError, match=f"a list of shards is wanted, got {path}"):
            HandDataset(path)
    for views in ([8], [-1], [], [1.5], "ab", 3):
        with pytest.raises(ValueError, match="some of 0 to 7"):
            HandDataset(shard, views=views)


def test_the_dataset_says_what_a_user_needs_to_draw_and_to_cite(dataset):
    assert dataset.faces.shape == (5298, 3)
    assert dataset.face_part.shape == (5298,)
    assert dataset.arm_faces.max() == dataset.sizes["A"] - 1
    assert dataset.joint_names[8] == "index_tip"
    assert dataset.part_names[18] == "arm"
    assert dataset.attrs["configuration"]["release"]["name"] == "test"
    assert dataset.attrs["licence"] == "CC0-1.0"


def test_it_can_be_pickled_and_closed(shard):
    dataset = HandDataset(shard, fields=["joints_world"])
    again = pickle.loads(pickle.dumps(dataset))
    dataset.close()
    assert np.array_equal(again[2]["joints_world"], dataset[2]["joints_world"])


def newer(path, shard):
    shutil.copy(shard, path)
    with h5py.File(path, "r+") as file:
        file.attrs["schema_version"] = 4


def foreign(path, shard):
    with h5py.File(path, "w") as file:
        file["data"] = [1, 2]


BAD = {
    "missing": (lambda path, shard: None, "no such shard"),
    "text": (lambda path, shard: path.write_text("hello"), "not an HDF5 file"),
    "empty": (lambda path, shard: path.write_bytes(b""), "not an HDF5 file: it is empty"),
    "truncated": (lambda path, shard: path.write_bytes(shard.read_bytes()[:-5000]), "truncated"),
    "head only": (lambda path, shard: path.write_bytes(shard.read_bytes()[:600]), "truncated"),
    "foreign": (foreign, "not a shard of this project"),
    "newer": (newer, "schema version 4, this mvhm reads versions 1 to 3; upgrade the mvhm package"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_one_clear_line(kind, shard, tmp_path):
    make, message = BAD[kind]
    make(tmp_path / "a.h5", shard)
    with pytest.raises((ShardError, FileNotFoundError), match=message) as error:
        HandDataset(tmp_path / "a.h5")
    assert str(error.value).startswith(str(tmp_path / "a.h5"))
    assert "\n" not in str(error.value)


def test_no_shards_at_all_is_said(tmp_path):
    for nothing in (tmp_path, []):
        with pytest.raises(FileNotFoundError, match="no shard"):
            HandDataset(nothing)


def test_shards_of_different_sizes_are_not_one_dataset(shard, tmp_path):
    other = tmp_path / "shard-00007.h5"
    write_shard(other, [encode_sample(make_record(0, views=2, size=16))], shard_record())
    with pytest.raises(ShardError, match=r"shard-00007.h5: sizes .* differ from those of .*shard-00000.h5"):
        HandDataset([shard, other])


def test_more_shards_than_may_be_open_still_read(release, monkeypatch):
    monkeypatch.setattr(shard_set_module, "OPEN_SHARDS", 1)
    whole = HandDataset(release, fields=["sample"])
    assert [whole[i]["meta"]["sample"] for i in (0, 3, 1, 3, 2)] == [0, 3, 1, 3, 2]
    assert len(whole._shards._files) == 1
