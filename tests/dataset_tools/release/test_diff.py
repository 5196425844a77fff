"""What changed between two releases, field by field."""

from __future__ import annotations

import json
import shutil

import pytest
from publishing import SETTINGS, contents, copy_of, published, run, write_plan, write_report, write_shard_of

from dataset_tools.release.field_diff import compare_pair
from dataset_tools.store.shard_file import ShardFile


def release_of(folder, records, version, **changes):
    """A release whose shards hold three records each, and the rest."""
    for shard, start in enumerate(range(0, len(records), 3)):
        write_shard_of(folder, shard, records[start : start + 3], **changes)
    write_plan(folder, SETTINGS | {"samples": len(records)})
    write_report(folder)
    return published(folder, version)


@pytest.fixture(scope="module")
def newer(records, tmp_path_factory):
    """A later version: joints of sample 1 moved, a picture changed, sample 3 in another split, sample 4 new."""
    moved = records[1]["joints_world"].copy()
    moved[4, 2] += 0.002
    dark = records[2]["alpha"].copy()
    dark[5, 10:20, 10:20] ^= 8
    split = records[3] | {"split": "val"}
    another = records[0] | {"sample": 4, "pair": 2}
    new = [records[0], records[1] | {"joints_world": moved}, records[2] | {"alpha": dark}, split, another]
    configuration = json.dumps({"release": {"name": "test", "look": {"noise": [0, 0.1]}}})
    folder = tmp_path_factory.mktemp("newer") / "data"
    folder.mkdir()
    return release_of(folder, new, "2.0.0", configuration=configuration, configuration_hash="1" * 16)


@pytest.fixture(scope="module")
def told(whole, newer):
    ran = run("diff", whole, newer, "--json")
    assert (ran.code, ran.err) == (0, "")
    return json.loads(ran.out)


def named(entries):
    return {entry["name"]: (entry["old"], entry["new"]) for entry in entries}


def test_a_release_and_its_copy_differ_in_nothing(whole, copy):
    assert run("diff", whole, copy).out == "1.0.0 -> 1.0.0\n  shards: the same bytes\n"


def test_versions_settings_and_counts(told):
    assert told["versions"] == ["1.0.0", "2.0.0"]
    assert named(told["about"])["configuration_hash"] == ("0" * 16, "1" * 16)
    assert named(told["settings"]) == {"release.look.noise": (None, [0, 0.1])}
    assert named(told["splits"]) == {"val": (None, 1)}


def test_samples_that_came_went_and_moved(told, whole, newer):
    assert (told["added"], told["removed"]) == ([4], [])
    assert [(c["name"], c["samples"], c["example"], c["old"], c["new"]) for c in told["columns"]] == [
        ("split", 1, 3, "train", "val")
    ]
    back = json.loads(run("diff", newer, whole, "--json").out)
    assert (back["added"], back["removed"]) == ([], [4])


def test_stored_fields_say_where_and_by_how_much(told):
    fields = {change["name"]: change for change in told["fields"]}
    assert set(fields) == {"joints_world", "alpha", "split"}
    assert (told["compared"], told["changed"]) == (4, [1, 2, 3])
    joints = fields["joints_world"]
    assert joints["samples"] == 1 and joints["unit"] == "m"
    assert joints["largest"] == pytest.approx(0.002, rel=1e-4) and joints["elements"] == pytest.approx(1 / 63)
    assert joints["example"].startswith("sample 1: at [4, 2] ")
    assert (fields["alpha"]["largest"], fields["alpha"]["mean"]) == (8.0, 8.0)
    assert fields["alpha"]["elements"] == pytest.approx(100 / (8 * 64 * 64))
    assert fields["split"]["example"] == "sample 3: 'train' -> 'val'" and fields["split"]["largest"] is None


def test_the_text_says_the_same(whole, newer):
    out = run("diff", whole, newer).out
    for line in (
        "1.0.0 -> 2.0.0", "setting release.look.noise: none -> [0, 0.1]", "samples in val: 0 -> 1",
        "samples added: 1 (4)", "split of 1 sample, such as 3: train -> val", "shards: 2 changed",
        "stored fields: 3 of 4 samples that both have, in changed shards, differ",
        "joints_world: 1 sample, by up to 0.002 m, mean 0.002, in 1.59 % of the values (sample 1: at [4, 2] ",
    ):  # fmt: skip
        assert line in out


def test_manifests_alone_are_compared(whole, newer, tmp_path):
    (tmp_path / "old.json").write_bytes((whole / "manifest.json").read_bytes())
    ran = run("diff", tmp_path / "old.json", newer)
    assert ran.code == 0 and "samples in val: 0 -> 1" in ran.out
    assert "no index beside" in ran.out and "samples were not compared" in ran.out


def test_without_the_old_shards_the_indices_are_compared(whole, newer, tmp_path):
    old = copy_of(whole, tmp_path / "old")
    for path in old.glob("*.h5"):
        path.unlink()
    ran = run("diff", old, newer)
    assert ran.code == 0 and "split of 1 sample, such as 3: train -> val" in ran.out
    assert "2 shards that changed are not there: their fields were not compared" in ran.out


def test_samples_that_only_moved_to_another_row_are_the_same(records, whole, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    moved = release_of(folder, [records[i] for i in (2, 0, 1, 3)], "1.0.1")
    out = json.loads(run("diff", whole, moved, "--json").out)
    assert (out["compared"], out["changed"], out["fields"], out["columns"]) == (3, [], [], [])


def test_a_damaged_shard_is_named(newer, copy):
    (copy / "shard-00001.h5").write_bytes(b"x")
    ran = run("diff", copy, newer)
    assert ran.code == 2 and "shard-00001.h5: not an HDF5 file" in ran.err


def test_what_is_no_release(whole, ready):
    ran = run("diff", whole, ready)
    assert ran.code == 2 and "manifest.json: missing; a published release is wanted" in ran.err


@pytest.mark.parametrize("command", ["diff", "release"])
def test_a_manifest_that_was_edited_is_not_believed(command, newer, copy):
    path = copy / "manifest.json"
    path.write_text(path.read_text().replace('"samples": ', '"samples": 1'))
    words = ["diff", copy, newer] if command == "diff" else ["release", newer, "--version", "9.0.0", "--previous", copy]
    ran = run(*words)
    assert ran.code == 2 and "edited or damaged since it was published" in ran.err and "\n" not in ran.err


@pytest.mark.parametrize("where", ["in its place", "beside it"])
def test_the_changelog_of_a_next_release_tells_it(whole, newer, tmp_path, where):
    folder = copy_of(whole, tmp_path / "data")
    if where == "beside it":
        folder.rename(tmp_path / "old")
        folder.mkdir()
    for path in (*newer.glob("shard-*"), newer / "plan.npz"):
        shutil.copy(path, folder)
    write_report(folder)
    published(folder, "2.0.0", *(("--previous", tmp_path / "old") if where == "beside it" else ()))
    text = (folder / "CHANGELOG.md").read_text()
    assert "Since 1.0.0:" in text and "- samples added: 1 (4)" in text
    assert "- split of 1 sample, such as 3: train -> val" in text
    assert text.endswith("## 1.0.0\n\nFirst release.\n")
    assert set(contents(folder)) == set(contents(newer))


def test_fields_that_only_one_of_them_has_are_named(whole, copy, monkeypatch):
    fields, old, new = ShardFile.fields, whole / "shard-00000.h5", copy / "shard-00000.h5"
    lacks = {old: "alpha", new: "seed"}
    monkeypatch.setattr(
        ShardFile, "fields", lambda shard: {n: place for n, place in fields(shard).items() if n != lacks[shard.path]}
    )
    found = compare_pair((old, new, ((0, 0, 0),)))
    assert (found.only_old, found.only_new, found.changed) == ({"seed"}, {"alpha"}, [])
