"""A mutated release is broken where it says, and is written so that no sum or manifest betrays it."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from differences import CHANGES, differing, same_bytes

from dataset_tools.__main__ import main
from dataset_tools.check import mutate as mutate_module
from dataset_tools.check.mutate import mutate
from dataset_tools.check.mutations import MUTATIONS
from dataset_tools.check.shard import check_shard
from dataset_tools.load.dataset import HandDataset
from dataset_tools.store.carry import STORED, encoded_of, record_of, shard_record_of
from dataset_tools.store.encode import encode_sample
from dataset_tools.store.errors import ShardError
from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.manifest import read_manifest
from dataset_tools.store.release_manifest import KEYS, manifest_hash, read_release_manifest, sealed
from dataset_tools.store.shard_file import ShardFile
from dataset_tools.store.writer import write_shard
from rigging.errors import InputError
from rigging.files import file_sha256

PLACES = [(0, 0), (0, 1), (0, 2), (1, 0)]  # of the small release: pairs 0 and 1, cut in two by its shards


@pytest.fixture(scope="module")
def mutant(release, tmp_path_factory):
    """mutant(name, rows): folder of the broken copy of the small release, and what is broken in it."""
    root, made = tmp_path_factory.mktemp("mutants"), {}

    def make(name: str, rows: str) -> tuple[Path, list]:
        if (name, rows) not in made:
            folder = root / f"{name}-{rows}"
            made[name, rows] = folder, mutate(release, folder, name, rows, np.random.default_rng(4))
        return made[name, rows]

    return make


@pytest.mark.parametrize("rows", ["one", "all"])
@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutated_release_is_whole_and_differs_where_it_says(name, rows, release, mutant):
    folder, places = mutant(name, rows)
    wanted = 1 if rows == "one" else 2 if MUTATIONS[name].needs_original else 4
    assert len(places) == len(set(places)) == wanted
    for number in (0, 1):
        path, source = ReleaseFolder(folder).shard(number), ReleaseFolder(release).shard(number)
        manifest = read_manifest(path)
        assert (manifest["sha256"], manifest["bytes"]) == (file_sha256(path), path.stat().st_size)
        if number not in {shard for shard, _ in places}:
            assert path.read_bytes() == source.read_bytes()
        with ShardFile(path) as opened, ShardFile(source) as original:
            assert not differing(shard_record_of(opened), shard_record_of(original))
            assert len(opened) == len(original)
            for row in range(len(opened)):
                opened.read(row, STORED)
                same = same_bytes(encoded_of(opened, row), encoded_of(original, row))
                assert same == ((number, row) not in places), f"shard {number}, row {row}"
    assert len(list(HandDataset(folder))) == 4


@pytest.mark.parametrize("name", MUTATIONS)
def test_fields_that_are_not_broken_are_stored_as_before(name, release, mutant):
    folder, [(number, row)] = mutant(name, "one")
    with (
        ShardFile(ReleaseFolder(folder).shard(number)) as opened,
        ShardFile(ReleaseFolder(release).shard(number)) as original,
    ):
        found = differing(record_of(opened, row), record_of(original, row))
    assert found and found <= CHANGES[name]


def test_depth_in_millimetres_is_stored_as_the_writer_would(release, mutant):
    folder, _ = mutant("depth-millimetres", "all")
    for broken, sample in zip(HandDataset(folder, fields=["depth"]), HandDataset(release, fields=["depth"])):
        span = max(np.ptp(view[view > 0]) for view in broken["depth"])
        np.testing.assert_allclose(broken["depth"], 1000 * sample["depth"], atol=span / 131068 + 1e-3)
        assert ((broken["depth"] > 0) == (sample["depth"] > 0)).all()


def test_pictures_that_move_are_not_compressed_again(release, mutant):
    folder, places = mutant("labels-shuffled", "all")
    streams = {place: _streams(release, place) for place in PLACES}
    owners = {place: [other for other in PLACES if streams[other] == _streams(folder, place)] for place in places}
    pairs = {place: place in ((0, 0), (0, 1)) for place in PLACES}
    assert all(len(owner) == 1 and pairs[owner[0]] != pairs[place] for place, owner in owners.items())
    assert len({owner[0] for owner in owners.values()}) == 4, "a permutation"


def _streams(folder: Path, place: tuple[int, int]) -> tuple[bytes, ...]:
    with ShardFile(ReleaseFolder(folder).shard(place[0])) as shard:
        return shard.streams(place[1])


def test_the_quick_check_sees_what_it_looks_at(release, mutant):
    assert not [line for path in sorted(release.glob("*.h5")) for line in check_shard(path).problems]
    for name in ("intrinsics-shifted", "vertices-permuted", "depth-millimetres", "masks-shifted"):
        assert check_shard(mutant(name, "all")[0] / "shard-00000.h5").problems, name


def test_chosen_rows_are_broken(release, tmp_path):
    assert mutate(release, tmp_path / "out", "hand-renamed", [(1, 0), (0, 2)], np.random.default_rng(0)) == [
        (0, 2), (1, 0)]  # fmt: skip
    assert [sample["meta"]["hand"] for sample in HandDataset(tmp_path / "out", fields=["hand"])] == [
        "right", "right", "left", "left"]  # fmt: skip


def test_the_same_generator_gives_the_same_bytes(release, mutant, tmp_path):
    folder, _ = mutant("vertices-permuted", "all")
    mutate(release, tmp_path / "again", "vertices-permuted", "all", np.random.default_rng(4))
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


def test_a_published_release_stays_published_without_its_report(release, tmp_path):
    source = ReleaseFolder(shutil.copytree(release, tmp_path / "source"))
    source.validation.mkdir()
    source.report.write_text("{}")
    (source.path / ".events").mkdir()
    (source.path / ".events" / "log").write_text("x")
    source.card.write_text("card")
    paths = [path for path in source.path.rglob("*") if path.is_file() and ".events" not in path.parts]
    files = [
        {"path": str(p.relative_to(source.path)), "bytes": p.stat().st_size, "sha256": file_sha256(p)} for p in paths
    ]
    values = {name: kind() for name, kind in KEYS.items() if name != "manifest_hash"}
    source.release_manifest.write_bytes(sealed(values | {"version": "1.0.0", "files": files}))
    mutate(source.path, tmp_path / "out", "hand-renamed", "one", np.random.default_rng(0))
    out = ReleaseFolder(tmp_path / "out")
    manifest = read_release_manifest(out.release_manifest)
    assert manifest["manifest_hash"] == manifest_hash(manifest)
    told = {entry["path"]: (entry["bytes"], entry["sha256"]) for entry in manifest["files"]}
    assert told == {
        path.name: (path.stat().st_size, file_sha256(path))
        for path in out.path.iterdir()
        if path.name != "manifest.json"
    }
    assert manifest["version"] == "1.0.0" and "README.md" in told and not (out.path / ".events").exists()


def test_a_published_index_says_what_the_shards_say(release, tmp_path):
    from dataset_tools.load.index import build_index, read_index, write_index

    source = ReleaseFolder(shutil.copytree(release, tmp_path / "source"))
    index = build_index([source.shard(number) for number in source.shards()])
    write_index(source.index, index.with_column("verdict", np.array(["pass"] * 4)))
    mutate(source.path, tmp_path / "out", "hand-renamed", [(1, 0)], np.random.default_rng(0))
    found = read_index(ReleaseFolder(tmp_path / "out").index)
    assert found["hand"].tolist() == ["right"] * 3 + ["left"] and found["verdict"].tolist() == ["pass"] * 4


# bad input


def test_what_is_there_is_never_overwritten(release, tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="is there already"):
        mutate(release, tmp_path / "out", "hand-renamed", "one", np.random.default_rng(0))
    assert list(tmp_path.rglob("*")) == [tmp_path / "out"]


def test_bad_requests_leave_nothing_behind(release, records, tmp_path):
    single, empty = tmp_path / "single", tmp_path / "empty"
    empty.mkdir(), single.mkdir()
    still = records[0] | {name: np.zeros_like(records[0][name]) for name in ("flow_forward", "flow_backward")}
    with ShardFile(release / "shard-00000.h5") as opened:
        write_shard(single / "shard-00000.h5", [encode_sample(still)], shard_record_of(opened))
    for source, name, rows, message in (
        (release, "cameras-lost", "one", "no mutation is called 'cameras-lost'; there are labels-shuffled"),
        (release, "hand-renamed", [(0, 3)], "no row 3 in shard 0"),
        (release, "hand-renamed", [], "no sample has what hand-renamed breaks"),
        (empty, "hand-renamed", "one", "no shards in this folder"),
        (tmp_path / "none", "hand-renamed", "one", "none: no such folder; a folder of shards is wanted"),
        (single, "labels-shuffled", "all", "needs samples of two pairs"),
        (single, "flow-flipped", "one", "no sample has what flow-flipped breaks"),
        (single, "flow-flipped", "all", "no sample has what flow-flipped breaks"),
    ):
        with pytest.raises((InputError, FileNotFoundError), match=message):
            mutate(source, tmp_path / "out", name, rows, np.random.default_rng(0))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "single"]


@pytest.mark.parametrize(
    ("lie", "message"),
    [
        ({"bytes": 5}, "its manifest says 5"),
        ({"samples": 2}, "its manifest says 2"),
        ({"file": "shard-00009.h5"}, "is not the manifest's shard-00009.h5"),
        ({"shard": 9}, "its manifest says shard 9, the shard 1"),
    ],
)
def test_a_lying_manifest_is_not_made_true(lie, message, release, tmp_path):
    shutil.copytree(release, tmp_path / "in")
    path = ReleaseFolder(tmp_path / "in").manifest(1)
    path.write_text(json.dumps(json.loads(path.read_text()) | lie))
    with pytest.raises(ShardError, match=message):
        mutate(tmp_path / "in", tmp_path / "out", "hand-renamed", [(0, 0)], np.random.default_rng(0))
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_full_disk_names_the_copy(release, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device", str(release / "shard-00000.h5"))

    monkeypatch.setattr(mutate_module.shutil, "copyfile", full)
    with pytest.raises(OSError, match="No space") as error:
        mutate(release, tmp_path / "out", "hand-renamed", "one", np.random.default_rng(0))
    assert error.value.filename == str(tmp_path / "out") and not list(tmp_path.iterdir())


def test_the_table_wants_processes_and_a_folder(release, tmp_path, capsys):
    none = tmp_path / "none"
    for words, message in (
        (["--workers", "0"], "--workers 0: a number from 1 is wanted"),
        ([str(none)], f"{none}: no such folder; --table wants one to put its copies in for a while"),
    ):
        assert main(["mutate", str(release), *words, "--table"]) == 2
        assert capsys.readouterr().err == f"error: {message}\n"


def test_an_interrupted_copy_leaves_nothing(release, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(mutate_module, "write_manifest", stop)
    with pytest.raises(KeyboardInterrupt):
        mutate(release, tmp_path / "out", "hand-renamed", "all", np.random.default_rng(0))
    assert not list(tmp_path.iterdir())
