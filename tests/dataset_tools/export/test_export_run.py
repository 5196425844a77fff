"""Exports as runs: splits kept, resumed where they stopped, nothing half written, one line for what is wrong."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from dataset_tools.commands.export_data import FORMATS
from dataset_tools.export import interhand
from dataset_tools.export import run as runs
from dataset_tools.export.conventions import CONVENTIONS
from dataset_tools.export.run import TARGETS, export
from dataset_tools.export.source import open_source, read_part
from dataset_tools.store.writer import write_manifest
from rigging.command_line import main
from rigging.files import file_sha256
from tests.small_disks import small_disk


def contents(folder):
    """Every file below a folder, hidden ones too, and its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_every_format_is_in_every_table():
    assert FORMATS == tuple(TARGETS) == tuple(CONVENTIONS)


@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_data_give_the_same_bytes_and_export_json_says_what_is_there(kind, exported, mixed, tmp_path):
    there = contents(exported(kind))
    assert contents(export(kind, mixed, tmp_path / "again").parent) == there
    told = json.loads(there.pop("export.json"))
    assert told["format"] == kind and told["splits"] == {"train": 3, "test_pose": 1} and told["licence"] == "CC0-1.0"
    assert told["files"] == {name: len(data) for name, data in there.items()}
    assert any("train" in name for name in there) and any("test_pose" in name for name in there)
    assert not [name for name in there if name.startswith(".") or "/." in name]


def test_a_shard_alone_is_exported_too(mixed, tmp_path, capsys):
    assert main(["export-data", "obj", str(mixed / "shard-00001.h5"), "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'out' / 'export.json'}\n"
    assert [path.name for path in (tmp_path / "out").rglob("*.obj")] == ["0000003.obj"]


def test_the_folder_is_called_after_the_data_and_the_format(mixed, tmp_path):
    data = shutil.copytree(mixed, tmp_path / "hands-1.0.0")
    assert main(["export-data", "ply", str(data)]) == 0
    assert (tmp_path / "hands-1.0.0-ply" / "export.json").is_file()
    assert main(["export-data", "ply", str(data / "shard-00000.h5")]) == 0
    assert (data / "shard-00000-ply" / "export.json").is_file()


def stopping(monkeypatch, fault):
    """Make exports fail in the second shard."""
    read = runs.read_part

    def read_part(part, fields):
        if part.number == 1:
            raise fault
        return read(part, fields)

    monkeypatch.setattr(runs, "read_part", read_part)


@pytest.mark.parametrize("kind", ["webdataset", "huggingface", "freihand", "interhand", "coco", "glb"])
def test_an_interrupted_export_goes_on(kind, exported, mixed, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    words = ["export-data", kind, str(mixed), "--out", str(out)]
    with monkeypatch.context() as patch:
        stopping(patch, KeyboardInterrupt())
        assert main(words) == 130
    assert capsys.readouterr().err == "interrupted: what is finished is kept; run it again to go on\n"
    assert not (out / "export.json").exists() and not list(out.rglob("*.tmp"))
    parts = [TARGETS[kind](source).file(part, out) for source in [open_source(mixed)] for part in source.parts]
    assert [path.is_file() for path in parts] == [True, True, False]
    first = parts[0].stat().st_mtime_ns
    (out / ".train-00001.tar.0123.tmp").write_bytes(b"what a killed run was writing")
    with monkeypatch.context() as patch:  # what is there is not read again
        read = runs.read_part
        patch.setattr(
            runs, "read_part", lambda part, fields: read(part, fields) if part.number else pytest.fail("read")
        )
        assert main(words) == 0
    assert not parts[0].exists() or parts[0].stat().st_mtime_ns == first
    assert contents(out) == contents(exported(kind))


def test_pictures_are_flushed_before_their_part_counts(mixed, tmp_path, monkeypatch):
    flushed = []

    def sync():
        parts = sorted(path.name for path in (tmp_path / "out" / ".parts").glob("[!.]*"))
        flushed.append((parts, len(list((tmp_path / "out").rglob("*.obj")))))

    monkeypatch.setattr(runs.os, "sync", sync)
    export("obj", mixed, tmp_path / "out")
    train, test = "train-00000", "test_pose-00000"
    assert flushed == [([], 2), ([train], 3), ([test, train], 4)]


def test_a_whole_export_is_left_as_it_is_and_what_is_missing_of_it_is_named(mixed, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    words = ["export-data", "coco", str(mixed), "--out", str(out)]
    assert main(words) == 0
    with monkeypatch.context() as patch:
        patch.setattr(runs, "read_part", lambda *_: pytest.fail("read"))
        assert main(words) == 0
    (out / "images" / "train" / "0000000-0.jpg").unlink()
    capsys.readouterr()
    assert main(words) == 2
    assert "0000000-0.jpg: missing or changed since it was exported" in capsys.readouterr().err


def refused(words, capsys):
    """The one line by which a command refuses."""
    assert main([str(word) for word in words]) == 2
    told = capsys.readouterr()
    assert told.out == "" and told.err.count("\n") == 1
    return told.err


def test_a_folder_that_holds_something_else_is_left_alone(mixed, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.tex").write_text("years of work")
    assert "holds something else" in refused(["export-data", "obj", mixed, "--out", out], capsys)
    assert contents(out) == {"thesis.tex": b"years of work"}
    file = tmp_path / "file"
    file.touch()
    assert "a file is there; a folder is wanted" in refused(["export-data", "obj", mixed, "--out", file], capsys)
    export("obj", mixed, tmp_path / "first")
    told = refused(["export-data", "ply", mixed, "--out", tmp_path / "first"], capsys)
    assert "holds an export that differs in format" in told
    told = refused(["export-data", "obj", mixed / "shard-00000.h5", "--out", tmp_path / "first"], capsys)
    assert "differs in shards" in told
    (tmp_path / "first" / "export.json").write_text("{")
    assert "damaged or from elsewhere" in refused(["export-data", "obj", mixed, "--out", tmp_path / "first"], capsys)


def test_bad_input_is_one_line(mixed, tmp_path, capsys):
    assert "invalid choice: 'zip'" in refused(["export-data", "zip", mixed], capsys)
    assert "no shards in this folder" in refused(["export-data", "obj", tmp_path, "--out", tmp_path / "o"], capsys)
    assert "no such shard" in refused(["export-data", "obj", "/nowhere.h5", "--out", tmp_path / "o"], capsys)
    twins = shutil.copytree(mixed, tmp_path / "twins")
    shutil.copy(twins / "shard-00001.h5", twins / "shard-00002.h5")
    write_manifest(twins / "shard-00002.h5", file_sha256(twins / "shard-00002.h5"))
    told = refused(["export-data", "obj", twins, "--out", tmp_path / "o"], capsys)
    assert "2 samples have the number 3" in told
    assert not (tmp_path / "o").exists()


def test_damage_stops_an_export_before_the_damaged_part_is_there(mixed, tmp_path, capsys):
    damaged = shutil.copytree(mixed, tmp_path / "damaged")
    shard = damaged / "shard-00001.h5"
    data = bytearray(shard.read_bytes())
    place = data.find(b"\xff\xd8\xff")  # a photograph
    data[place + 400] ^= 255
    shard.write_bytes(data)
    assert main(["export-data", "webdataset", str(damaged), "--out", str(tmp_path / "out")]) != 0
    assert "shard-00001.h5" in capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / "out").glob("*.tar")) == ["test_pose-00000.tar", "train-00000.tar"]


def test_a_pair_whose_cameras_move_is_no_capture(mixed, tmp_path, capsys, monkeypatch):
    moving = iter(range(100))
    monkeypatch.setattr(interhand, "cameras", lambda sample, convention: {"campos": next(moving)})
    monkeypatch.setattr(runs, "read_part", lambda part, fields: one_pair(read_part(part, fields)))
    assert "has moving cameras" in refused(["export-data", "interhand", mixed, "--out", tmp_path / "out"], capsys)
    assert not (tmp_path / "out" / "export.json").exists()


def one_pair(samples):
    for sample in samples:
        yield replace(sample, values={**sample.values, "meta": sample.values["meta"] | {"pair": 0}})


@pytest.mark.parametrize("kind", ["webdataset", "huggingface", "interhand"])
def test_a_full_disk_is_one_line_and_the_export_goes_on_once_there_is_room(kind, exported, mixed, tmp_path, capsys):
    disk = tmp_path / "disk"
    words = ["export-data", kind, str(mixed), "--out", str(disk / "out")]
    with small_disk(disk, "size=16m"):
        (disk / "ballast").write_bytes(bytes(shutil.disk_usage(disk).free - (48 << 10)))
        assert main(words) == 75
        told = capsys.readouterr().err
        assert "No space left on device" in told and told.count("\n") == 1
        assert not (disk / "out" / "export.json").exists() and not list(disk.rglob("*.tmp"))
        (disk / "ballast").unlink()
        assert main(words) == 0
        assert contents(disk / "out") == contents(exported(kind))


def test_parts_are_the_splits_of_a_shard_and_count_on(mixed):
    source = open_source(mixed)
    assert [(part.name, part.rows, part.first) for part in source.parts] == [
        ("train-00000", (0, 1), 0), ("test_pose-00000", (2,), 0), ("train-00001", (0,), 2)
    ]  # fmt: skip
    assert source.splits == {"train": 3, "test_pose": 1} and len(source) == 4
    assert np.array_equal(source.sizes["V"], 8)
