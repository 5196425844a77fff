"""The index: what its columns hold, when it is built again, and what is said of one that is none."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from records import make_record, shard_record

import dataset_tools.load.index as index_module
from dataset_tools import HandDataset
from dataset_tools.load.index import COLUMNS, KINDS, build_index, index_of, read_index, write_index
from dataset_tools.store.encode import encode_sample
from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.shard_file import ShardError
from dataset_tools.store.writer import write_shard
from rigging.errors import InputError


@pytest.fixture
def folder(release, tmp_path) -> Path:
    """A copy of the small release, without an index."""
    copy = tmp_path / "release"
    shutil.copytree(release, copy, ignore=shutil.ignore_patterns(".*"))
    return copy


def test_every_row_says_what_the_sample_says(release):
    index, samples = index_of(release), list(HandDataset(release, fields=["meta"]))
    assert len(index) == len(samples) == 4
    assert index["shard"].tolist() == [0, 0, 0, 1]
    assert index["row"].tolist() == [0, 1, 2, 0]
    assert set(index["verdict"]) == {""}
    for name, dtype in COLUMNS.items():
        assert index[name].dtype.kind == "U" if dtype == "str" else index[name].dtype == dtype, name
        if name in samples[0]["meta"] and name not in KINDS:
            assert index[name].tolist() == [sample["meta"][name] for sample in samples], name
    assert set(index["background"]) == {"stripes"}
    assert set(index["light"]) == {""}  # these samples have lamps only


@pytest.mark.parametrize(
    ("light", "kind"), [('{"hdri": "sunset"}', "sunset"), ("{}", ""), ("[1]", ""), ("dark", ""), ('{"hdri": "Ü"}', "Ü")]
)
def test_light_is_the_panoramas_name(light, kind, tmp_path):
    record = make_record(0, views=1, size=8) | {"light": light, "clip": "Übung"}
    path = tmp_path / "a.h5"
    write_shard(path, [encode_sample(record)], shard_record() | {"shard": 7})
    index = build_index([path])
    assert (index["light"][0], index["clip"][0]) == (kind, "Übung")
    assert index["shard"].tolist() == [7]  # of a file without a number in its name


def test_it_is_written_and_read_as_it_is_and_to_the_same_bytes(release, tmp_path):
    index = build_index(sorted(release.glob("*.h5")))
    write_index(tmp_path / "a.npz", index)
    again = read_index(tmp_path / "a.npz")
    for name in COLUMNS:
        assert again[name].dtype == index[name].dtype
        assert np.array_equal(again[name], index[name])
    write_index(tmp_path / "b.npz", again)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_a_folder_builds_its_index_once_and_again_after_a_change(folder, monkeypatch):
    calls = []
    monkeypatch.setattr(index_module, "build_index", lambda paths: calls.append(1) or build_index(paths))
    assert len(index_of(folder)) == len(index_of(folder)) == 4
    assert len(calls) == 1
    os.utime(folder / "shard-00001.h5", ns=(1, 1))
    index_of(folder)
    assert len(calls) == 2
    (folder / "shard-00001.h5").unlink()
    assert len(index_of(folder)) == 3
    ReleaseFolder(folder).built_index.write_bytes(b"damaged")
    assert len(index_of(folder)) == 3
    assert len(calls) == 4


def test_a_published_index_is_taken_as_it_is(folder):
    index = index_of(folder).with_column("verdict", np.array(["pass", "fail", "pass", "pass"]))
    write_index(ReleaseFolder(folder).index, index)
    assert index_of(folder)["verdict"].tolist() == ["pass", "fail", "pass", "pass"]


def test_a_read_only_folder_keeps_its_index_in_memory(folder, monkeypatch):
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(index_module, "write_atomic", refuse)
    assert len(index_of(folder)) == 4
    assert not ReleaseFolder(folder).built_index.exists()


def test_rows_can_be_taken_and_columns_replaced(release):
    index = index_of(release)
    assert index.take(index["row"] == 0)["shard"].tolist() == [0, 1]
    with pytest.raises(InputError, match="no column 'colour'; there are: shard, row"):
        index["colour"]
    with pytest.raises(InputError, match="2 values, the index 4 rows"):
        index.with_column("verdict", ["pass", "fail"])


def lacks_a_column(path: Path, index) -> None:
    np.savez(path, format="mvhm-index", version=1, shard=index["shard"])


def uneven(path: Path, index) -> None:
    np.savez(path, format="mvhm-index", version=1, **(dict(index.columns) | {"row": np.arange(2)}))


def mistyped(path: Path, index) -> None:
    columns = dict(index.columns) | {"subject": np.full(len(index), "a")}
    np.savez(path, format="mvhm-index", version=1, **columns)


BAD = {
    "mistyped": (mistyped, "column subject is <U1, int64 is wanted"),
    "text": (lambda path, index: path.write_text("hello"), "not an index"),
    "empty": (lambda path, index: path.write_bytes(b""), "not an index"),
    "foreign": (lambda path, index: np.savez(path, a=1), "not an index of samples"),
    "a single array": (lambda path, index: np.save(path.open("wb"), [1]), "not an index"),
    "objects": (lambda path, index: np.savez(path, format=np.array([{}], object)), "not an index"),
    "a column less": (lacks_a_column, "lacks row"),
    "uneven": (uneven, "not equally long"),
    "newer": (lambda path, index: np.savez(path, format="mvhm-index", version=9), "version 9, this mvhm reads up to 1"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_index_is_one_clear_line(kind, release, tmp_path):
    make, message = BAD[kind]
    make(tmp_path / "a.npz", index_of(release))
    with pytest.raises(InputError, match=message) as error:
        read_index(tmp_path / "a.npz")
    assert str(error.value).startswith(str(tmp_path / "a.npz"))
    assert "\n" not in str(error.value)


def test_truncated_and_flipped_indexes_are_refused_or_read_right(release, tmp_path):
    path, index = tmp_path / "a.npz", index_of(release)
    write_index(path, index)
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    for trial in range(100):
        data = bytearray(whole)
        if trial % 2:
            del data[rng.integers(len(data)) :]
        else:
            data[rng.integers(len(data))] ^= 1 << rng.integers(8)
        path.write_bytes(data)
        try:
            got = read_index(path)
        except InputError:
            continue
        assert all(np.array_equal(got[name], index[name]) for name in COLUMNS)


def test_what_is_no_shard_or_lacks_metadata_is_named(folder):
    with pytest.raises(FileNotFoundError, match="no shards in this folder"):
        index_of(folder / "nothing")
    with h5py.File(folder / "shard-00001.h5", "r+") as file:
        del file["metadata/clip"]
    with pytest.raises(ShardError, match=r"shard-00001.h5: metadata/clip is damaged or missing"):
        index_of(folder)
    (folder / "shard-00001.h5").write_text(json.dumps({}))
    with pytest.raises(ShardError, match="not an HDF5 file"):
        index_of(folder)
