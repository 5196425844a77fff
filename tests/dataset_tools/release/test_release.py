"""What a release consists of, read as its users would read it."""

from __future__ import annotations

import hashlib
import json
import logging

import mlcroissant
import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from publishing import contents, copy_of, gate_report, published, run, write_plan, write_report, write_shard_of

from dataset_tools.load.index import COLUMNS, read_index
from dataset_tools.release.paths import absolute_paths, paths_in_settings

WRITTEN = {"index.npz", "index.parquet", "preview.jpg", "README.md", "datasheet.md", "CHANGELOG.md", "croissant.json"}


@pytest.fixture(scope="module")
def manifest(whole):
    return json.loads((whole / "manifest.json").read_text())


@pytest.fixture(scope="module")
def card(whole):
    return (whole / "README.md").read_text()


def test_the_manifest_lists_every_file_with_its_size_and_hash(ready, whole, manifest):
    files = contents(whole)
    del files["manifest.json"]
    assert set(files) == set(contents(ready)) | WRITTEN
    assert {f["path"]: (f["bytes"], f["sha256"]) for f in manifest["files"]} == {
        path: (len(data), hashlib.sha256(data).hexdigest()) for path, data in files.items()
    }


def test_the_manifest_says_what_the_release_is(manifest):
    told = {
        key: manifest[key]
        for key in ("format", "name", "version", "schema_version", "samples", "images", "gate", "seeds")
    }
    assert told == {
        "format": "mvhm-release", "name": "test", "version": "1.0.0", "schema_version": manifest["schema_version"],
        "samples": 4, "images": 32, "gate": None, "seeds": {"release": None},
    }  # fmt: skip
    assert manifest["package_versions"] == {"numpy": "1.26.4"}
    assert manifest["validation"]["verdict"] == "pass"
    assert manifest["splits"] == {"train": {"samples": 4, "pairs": 2, "subjects": 1}}
    assert {(of["what"], of["licence"]) for of in manifest["licences"]} == {
        ("hand model", "CC0-1.0"), ("test poses", "CC-BY-4.0")
    }  # fmt: skip


def test_the_data_hash_can_be_computed_by_anybody(manifest):
    lines = sorted(f"{f['path']} {f['sha256']}\n" for f in manifest["files"] if f["path"].endswith(".h5"))
    assert manifest["data_hash"] == hashlib.sha256("".join(lines).encode()).hexdigest()


def test_both_indices_hold_a_row_a_sample_with_its_verdict(whole):
    index, table = read_index(whole / "index.npz"), pq.read_table(whole / "index.parquet")
    assert table.column_names == list(COLUMNS)
    for name in COLUMNS:
        np.testing.assert_array_equal(np.array(table[name].to_pylist()), index[name])
    assert table["sample"].to_pylist() == [0, 1, 2, 3] and table["shard"].to_pylist() == [0, 0, 0, 1]
    assert set(table["verdict"].to_pylist()) == {"pass"}


def test_the_same_release_is_the_same_bytes(ready, whole, tmp_path):
    again = published(copy_of(ready, tmp_path / "elsewhere" / "data"))
    assert contents(again) == contents(whole)


def test_croissant_validates_and_its_records_iterate(whole, caplog, monkeypatch):
    monkeypatch.setattr("requests.sessions.Session.request", lambda *_, **__: pytest.fail("the network was asked"))
    with caplog.at_level(logging.WARNING):
        dataset = mlcroissant.Dataset(whole / "croissant.json")
    assert not dataset.metadata.ctx.issues.errors
    assert json.loads((whole / "croissant.json").read_text())["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    records = list(dataset.records("samples"))
    assert [record["samples/sample"] for record in records] == [0, 1, 2, 3]
    assert records[3]["samples/split"] == b"train" and records[3]["samples/ita"].dtype == np.float32
    assert list(dataset.records("splits")) == [
        {"splits/name": "train", "splits/url": "http://mlcommons.org/croissant/TrainingSplit"}
    ]


def test_croissant_names_shards_as_hdf5_with_their_hashes(whole, manifest):
    files = {of["@id"]: of for of in json.loads((whole / "croissant.json").read_text())["distribution"]}
    assert set(files) == {"index.parquet", "shard-00000.h5", "shard-00001.h5"}
    for of in manifest["files"]:
        if of["path"] in files:
            told = files[of["path"]]
            assert (told["sha256"], told["contentSize"]) == (of["sha256"], f"{of['bytes']} B")
    assert files["shard-00000.h5"]["encodingFormat"] == "application/x-hdf5"


def test_the_card_has_a_head_that_the_hub_reads(card):
    _, head, _ = card.split("---\n", 2)
    values = yaml.safe_load(head)
    assert values["license"] == ["cc-by-4.0", "cc0-1.0"]
    assert values["pretty_name"] == "test: synthetic multi-view hands"
    assert values["size_categories"] == ["n<1K"]
    assert values["configs"][0]["data_files"] == [{"split": "samples", "path": "index.parquet"}]
    assert "keypoint-detection" in values["task_categories"]


@pytest.mark.parametrize(
    "told",
    [
        "estimators: not run", "| `train` | 4 | 32 | 2 | 1 |", "(preview.jpg)", "HandDataset(",
        "| test poses | CC-BY-4.0 |",
        "| depth | depth against rays | at most 0.2 mm | 0.0412 mm | 0 |", "MakeHuman", "@misc{test,",
        "`joint_visible`",
    ],
)  # fmt: skip
def test_the_card_tells(card, told):
    assert told in card


def test_no_published_text_names_a_path_of_this_machine(ready, tmp_path):
    folder = copy_of(ready, tmp_path / "data")
    published(folder)
    for path, data in contents(folder).items():
        if not path.endswith((".h5", ".npz", ".parquet", ".jpg")):
            assert absolute_paths(data.decode()) == [], path
        assert str(tmp_path).encode() not in data, path


def test_paths_in_the_configuration_are_published_as_names_only(records, data, caplog):
    settings = {
        "name": "test",
        "seed": 7,
        "poses": {"source": "nyu:/data/ann/nyu?views=0"},
        "files": {"photos": "/p/q"},
    }
    told = json.dumps({"release": settings})
    for shard, chosen in enumerate((records[:3], records[3:])):
        write_shard_of(data, shard, chosen, configuration=told)
    write_plan(data, settings | {"samples": 4, "shard_size": 3})
    write_report(data)
    with caplog.at_level(logging.WARNING):
        published(data)
    manifest = json.loads((data / "manifest.json").read_text())
    assert manifest["configuration"]["release"]["poses"]["source"] == "nyu:nyu?views=0"
    assert manifest["seeds"] == {"release": 7}
    assert paths_in_settings(manifest) == []
    assert "shard-00000.h5 names a path of this machine ('/data/ann/nyu')" in caplog.text


# versions


def test_the_next_version_keeps_the_changelog_and_says_what_changed(copy):
    changes = copy.parent / "changes.md"
    changes.write_text("A home at last.\n")
    words = ("--changes", changes, "--homepage", "https://example.org/test", "--date", "2026-02-03")
    published(copy, "1.1.0", *words)
    assert (copy / "CHANGELOG.md").read_text() == (
        "# Changelog of test\n\n## 1.1.0 (2026-02-03)\n\nA home at last.\n\nSince 1.0.0:\n\n"
        "- homepage: none -> https://example.org/test\n\n## 1.0.0\n\nFirst release.\n"
    )
    assert not (copy / ".previous").exists()
    assert "year = {2026}" in (copy / "README.md").read_text()
    assert run("verify", copy).code == 0


# the estimators' report


def gate(folder, **changes):
    path = folder.parent / "gate.json"
    path.write_text(json.dumps(gate_report(folder) | changes))
    return path


@pytest.mark.parametrize("verdict", ["pass", "fail"])
def test_a_gate_report_of_this_data_is_bound_to_the_release(data, verdict):
    report = gate(data, verdict=verdict)
    published(data, "1.0.0", "--gate", report)
    told = json.loads((data / "manifest.json").read_text())["gate"]
    assert told == {
        "verdict": verdict, "summary": {"pck": 0.91}, "sha256": hashlib.sha256(report.read_bytes()).hexdigest()
    }  # fmt: skip
    assert (data / "gate.json").read_bytes() == report.read_bytes()
    card = (data / "README.md").read_text()
    assert f"estimators: {verdict}" in card and "not run" not in card
    assert run("verify", data).code == 0


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"data_hash": "0" * 64}, "it is on other data (data_hash 0000000000000000..)"),
        ({"data_hash": None}, "it is on other data"),
        ({"format": "mvhm-validation"}, "not a gate report"),
        ({"version": 2}, "not a gate report"),
        ({"verdict": "splendid"}, "verdict 'splendid'; allowed are pass, fail"),
    ],
)
def test_another_gate_report_is_refused(data, changes, told):
    ran = run("release", data, "--version", "1.0.0", "--gate", gate(data, **changes))
    assert ran.code == 2 and told in ran.err and "\n" not in ran.err
    assert not (data / "manifest.json").exists()
