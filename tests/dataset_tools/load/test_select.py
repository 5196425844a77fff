"""Selections and single views: by the index, without opening shards; and releases of more shards than may be open."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from records import make_record, shard_record

import dataset_tools.load.shard_set as shard_set_module
from dataset_tools import HandDataset
from dataset_tools.format.schema import SAMPLE_FIELDS
from dataset_tools.load.index import index_of, write_index
from dataset_tools.load.select import matching
from dataset_tools.store.encode import encode_sample
from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.manifest import write_manifest
from dataset_tools.store.shard_file import ShardError, ShardFile
from dataset_tools.store.writer import write_shard
from rigging.errors import InputError

SPLITS = ("train", "train", "val", "train", "test_pose", "val", "train")


def small(sample: int) -> dict:
    """A record that is quick to write: few views of few pixels of a hand of one triangle."""
    record = make_record(sample, views=2, size=8)
    record |= {"vertices_world": record["vertices_world"][:3], "arm_vertices_world": record["arm_vertices_world"][:3]}
    return record | {"subject": sample // 2, "split": SPLITS[sample % len(SPLITS)], "ita": float(10 * sample)}


def small_shard(number: int) -> dict:
    one = np.array([[0, 1, 2]], np.int32)
    return shard_record() | {"shard": number, "faces": one, "face_part": np.ones(1, np.uint8), "arm_faces": one}


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    """A folder of three shards of 3, 3 and 1 samples; not to be changed."""
    folder = ReleaseFolder(tmp_path_factory.mktemp("selected"))
    for number, samples in enumerate((range(3), range(3, 6), range(6, 7))):
        path = folder.shard(number)
        write_manifest(path, write_shard(path, [encode_sample(small(i)) for i in samples], small_shard(number)))
    return folder.path


@pytest.fixture
def folder(written, tmp_path) -> Path:
    """A copy of it, without an index."""
    copy = tmp_path / "release"
    shutil.copytree(written, copy, ignore=shutil.ignore_patterns(".*"))
    return copy


@pytest.fixture
def hands(folder) -> HandDataset:
    return HandDataset(folder, fields=["rgb", "joints_world", "sample", "subject", "split"])


def numbers(hands: HandDataset) -> list[int]:
    return [item["meta"]["sample"] for item in hands]


def test_splits_subjects_and_columns_choose_samples(hands):
    assert numbers(hands.select(split="train")) == [0, 1, 3, 6]
    assert numbers(hands.select(split=["val", "test_pose"])) == [2, 4, 5]
    assert numbers(hands.select(subject=1)) == [2, 3]
    assert numbers(hands.select(subject=range(1, 3), split="val")) == [2, 5]
    assert numbers(hands.select(subject=np.array([0, 3]))) == [0, 1, 6]
    assert numbers(hands.select(where={"ita": lambda ita: ita > 25, "split": "train"})) == [3, 6]
    assert numbers(hands.select(where={"sample": {5, 2}, "background": "stripes"})) == [2, 5]
    assert numbers(hands.select(where=lambda c: (c["row"] == 0) | (c["subject"] == 0))) == [0, 1, 3, 6]
    assert numbers(hands.select()) == list(range(7))


def test_selections_follow_each_other_and_may_be_empty(hands):
    train = hands.select(split="train")
    assert numbers(train.select(subject=[0, 3])) == [0, 1, 6]
    assert numbers(train.select(where=lambda c: np.arange(len(c["sample"])) == 2)) == [3]
    assert train.index["sample"].tolist() == [0, 1, 3, 6]
    assert numbers(hands) == list(range(7))
    nothing = train.select(split="val")
    assert (len(nothing), list(nothing), nothing[:]) == (0, [], [])
    with pytest.raises(IndexError, match="sample 0 of a data set of 0"):
        nothing[0]


def test_a_selection_is_a_data_set(hands, folder):
    train = hands.select(split="train")
    assert len(train) == 4
    assert train[-1]["meta"]["sample"] == 6
    assert [item["meta"]["sample"] for item in train[1:3]] == [1, 3]
    assert train.locate(2) == (folder / "shard-00001.h5", 0)
    assert train.shard_lengths.tolist() == [2, 1, 1]
    assert numbers(pickle.loads(pickle.dumps(train))) == [0, 1, 3, 6]
    assert pickle.loads(pickle.dumps(train)).select(subject=1).locate(0) == (folder / "shard-00001.h5", 0)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(numbers, (train,)) == [0, 1, 3, 6]
    train.close()
    assert numbers(train) == [0, 1, 3, 6]


def test_the_rows_are_those_a_naive_search_finds(hands):
    index, rng = hands.index, np.random.default_rng(0)
    for _ in range(50):
        splits = list(rng.choice(np.unique(index["split"]), 2))
        subjects = [int(n) for n in rng.choice(4, 2)]
        low = rng.integers(60)
        mask = matching(index, splits, subjects, {"ita": lambda ita, low=low: ita >= low})
        naive = [index["split"][i] in splits and index["subject"][i] in subjects and index["ita"][i] >= low
                 for i in range(len(index))]  # fmt: skip
        assert mask.tolist() == naive


UNKNOWN = {
    "split": (dict(split="tset"), r"split: no sample has 'tset'; there are: test_pose, train, val"),
    "splits": (dict(split=["train", "b", "a"]), "split: no sample has 'b', 'a'; there are"),
    "subject": (dict(subject=9), "subject: no sample has 9; there are: 0, 1, 2, 3"),
    "column": (dict(where={"colour": 1}), "index: no column 'colour'; there are: shard, row, sample, split, subject"),
    "table": (dict(subject=np.array([[1, 2]])), "subject: no sample has array"),
    "column in a function": (dict(where=lambda c: c["colour"] == 1), "index: no column 'colour'; there are: shard"),
    "value": (dict(where={"hand": "up"}), "hand: no sample has 'up'; there are: right"),
    "where": (dict(where=["train"]), "where: a function of the columns or a dict is wanted, got list"),
    "mask": (dict(where=lambda c: [0, 1]), r"where: a mask of 7 booleans is wanted, got int64 of shape \(2,\)"),
    "column's mask": (dict(where={"ita": lambda c: c * 2}), r"ita: a mask of 7 booleans is wanted, got float32"),
}


@pytest.mark.parametrize("kind", UNKNOWN)
def test_what_is_unknown_is_named_in_one_line(kind, hands):
    conditions, message = UNKNOWN[kind]
    with pytest.raises(InputError, match=message) as error:
        hands.select(**conditions)
    assert "\n" not in str(error.value)
    with pytest.raises(TypeError, match="colour"):
        hands.select(colour=1)


def opened(monkeypatch) -> list[str]:
    """Names of the shards that are opened from now on."""
    names: list[str] = []

    def note(path: Path, *options: object) -> ShardFile:
        names.append(Path(path).name)
        return ShardFile(path, *options)

    monkeypatch.setattr(shard_set_module, "ShardFile", note)
    return names


def test_only_the_shards_that_are_read_are_opened(folder, monkeypatch):
    index_of(folder)
    names = opened(monkeypatch)
    hands = HandDataset(folder, fields=["sample"])
    assert (len(hands), len(hands.select(split="val")), len(hands.views_as_items())) == (7, 2, 14)
    assert names == ["shard-00000.h5"]  # sizes, triangles and names are in it
    assert hands.select(where={"sample": 6})[0]["meta"]["sample"] == 6
    assert names == ["shard-00000.h5", "shard-00002.h5"]


def test_a_list_of_shards_is_selected_from_too(folder):
    paths = [folder / "shard-00002.h5", folder / "shard-00000.h5", folder / "shard-00002.h5"]
    hands = HandDataset(paths, fields=["sample"])
    assert numbers(hands.select(split="train")) == [6, 0, 1, 6]
    assert numbers(HandDataset(paths[1], fields=["sample"]).select(split="val")) == [2]


def test_a_published_index_serves_a_part_of_the_release_and_must_fit_it(folder):
    release = ReleaseFolder(folder)
    index = index_of(folder)
    write_index(release.index, index)
    for path in (release.shard(1), release.manifest(1)):
        path.unlink()
    assert numbers(HandDataset(folder, fields=["sample"]).select(split="train")) == [0, 1, 6]
    write_index(release.index, index.take(index["sample"] != 2))
    with pytest.raises(InputError, match=r"index.npz: does not fit the shards beside it"):
        HandDataset(folder).select(split="train")


# Single views


def test_an_item_can_be_one_view(hands, folder):
    views = hands.views_as_items()
    assert (len(views), views.items) == (14, "view")
    for i in (0, 3, -1):
        item, sample = views[i], hands[(i % 14) // 2]
        assert item["rgb"].shape == (8, 8, 3)
        assert np.array_equal(item["rgb"], sample["rgb"][i % 2])
        assert np.array_equal(item["joints_world"], sample["joints_world"])
        assert item["meta"] == sample["meta"] | {"view": i % 2}
    assert views.select(split="val").shard_lengths.tolist() == [2, 2, 0]
    assert [item["meta"]["view"] for item in views.select(split="val")[1:]] == [1, 0, 1]
    with pytest.raises(IndexError, match="view 14 of a data set of 14"):
        views[14]
    chosen = HandDataset(folder, fields=["rgb"], views=[1], items="view")
    assert len(chosen) == 7
    assert chosen[4]["meta"] == {"view": 1}
    assert np.array_equal(chosen[4]["rgb"], hands[4]["rgb"][1])
    with pytest.raises(InputError, match="items: 'sample', 'view', 'clip' are allowed, got 'views'"):
        HandDataset(folder, items="views")


def test_every_field_of_a_view_is_its_part_of_the_sample(shard):
    whole, views = HandDataset(shard), HandDataset(shard, items="view")
    sample, item = whole[1], views[1 * 8 + 5]
    for name, value in sample.items():
        if name != "meta":
            assert np.array_equal(item[name], value[5] if SAMPLE_FIELDS[name].per == "view" else value), name


# Many shards, and what is wrong with some

READ_MANY = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
from dataset_tools import HandDataset
hands = HandDataset(sys.argv[1], fields=["sample", "joints_world"])
used = resource.getrusage(resource.RUSAGE_SELF)
seconds = used.ru_utime + used.ru_stime
val = hands.select(split="val")
read = [val[i]["meta"]["sample"] for i in range(0, len(val), 7)]
whole = sum(hands[i]["joints_world"].shape == (21, 3) for i in range(0, len(hands), 9))
print(json.dumps([len(hands), len(val), len(read), whole, seconds]))
"""


def test_1200_shards_read_with_64_files_allowed(tmp_path, measured):
    """One shard and its manifest, copied: the test is of files, not of samples."""
    release = ReleaseFolder(tmp_path)
    write_manifest(release.shard(0), write_shard(release.shard(0), [encode_sample(small(2))], small_shard(0)))
    data, manifest = release.shard(0).read_bytes(), json.loads(release.manifest(0).read_bytes())
    for number in range(1, 1200):
        release.shard(number).write_bytes(data)
        ours = manifest | {"file": release.shard(number).name, "shard": number}
        release.manifest(number).write_text(json.dumps(ours))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", READ_MANY, tmp_path], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    samples, val, read, whole, seconds = json.loads(done.stdout)
    assert (samples, val, read, whole) == (1200, 1200, 172, 134)
    measured(f"loader: 1,200 shards are a data set after {seconds:.2f} s of processor time, imports included")


def test_the_limit_of_open_files_leaves_room_for_others(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (100, 100))
    assert shard_set_module.open_limit() == 25
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY,) * 2)
    assert shard_set_module.open_limit() == shard_set_module.OPEN_SHARDS


def lie(path: Path, **entries: object) -> None:
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | entries))


def test_a_shard_that_goes_missing_or_is_none_is_named_when_it_is_read(folder):
    hands = HandDataset(folder, fields=["sample"])
    (folder / "shard-00002.h5").unlink()
    with pytest.raises(FileNotFoundError, match=r"shard-00002.h5: no such shard"):
        hands[6]
    (folder / "shard-00002.h5").write_text("hello")
    with pytest.raises(ShardError, match=r"shard-00002.h5: not an HDF5 file"):
        hands[6]
    assert hands[0]["meta"]["sample"] == 0
    with pytest.raises(FileNotFoundError, match=r"shard-00009.h5: no such shard"):
        HandDataset([folder / "shard-00000.h5", folder / "shard-00009.h5"])


def test_a_foreign_shard_among_them_is_named_when_it_is_read(folder):
    path, other = folder / "shard-00001.h5", small_shard(1) | {"faces": np.array([[0, 2, 1]], np.int32)}
    samples = [encode_sample(small(i)) for i in range(3)]
    write_manifest(path, write_shard(path, samples, other))
    with pytest.raises(ShardError, match=r"shard-00001.h5: shard/faces differs from that of .*shard-00000.h5"):
        HandDataset(folder)[3]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"bytes": 5}, "its manifest says 5"),
        ({"file": "shard-00009.h5"}, "is not the manifest's shard-00009.h5"),
    ],
)
def test_one_shard_by_its_path_is_held_against_its_manifest_too(said, message, folder):
    lie(folder / "shard-00001.json", **said)
    with pytest.raises(ShardError, match=message):
        HandDataset(folder / "shard-00001.h5")
    assert len(HandDataset(folder / "shard-00001.h5", verify=False)) == 3


def test_a_lying_manifest_is_named(folder):
    lie(folder / "shard-00001.json", samples=4)
    hands = HandDataset(folder, fields=["sample"])
    with pytest.raises(ShardError, match=r"shard-00001.h5: holds 3 samples, its manifest says 4"):
        hands[3]
    with pytest.raises(InputError, match="does not fit the shards"):
        hands.select(split="train")
    for samples in (0, "many", None):
        lie(folder / "shard-00001.json", samples=samples)
        with pytest.raises(ShardError, match=r"shard-00001.h5: its manifest is not one of a shard"):
            HandDataset(folder)
    lie(folder / "shard-00000.json", samples=2)
    lie(folder / "shard-00001.json", samples=3)
    with pytest.raises(ShardError, match=r"shard-00000.h5: holds 3 samples, its manifest says 2"):
        HandDataset(folder)
