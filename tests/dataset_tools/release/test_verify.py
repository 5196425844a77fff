"""A copy of a release is checked: what is missing or broken is named, and a lying manifest is caught."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from publishing import contents, run, write_shard_of

from dataset_tools.load.index import read_index, write_index
from dataset_tools.store.release_manifest import data_hash, manifest_hash
from rigging.files import file_sha256

ROOT = Path(__file__).resolve().parents[3]


def test_a_whole_copy(whole):
    before = contents(whole)
    ran = run("verify", whole)
    assert ran.code == 0 and ran.out.startswith("test 1.0.0: whole; 13 files, ")
    assert contents(whole) == before


def flipped(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 4
    path.write_bytes(data)


BROKEN = {
    "missing": (lambda path: path.unlink(), "missing"),
    "truncated": (lambda path: path.write_bytes(path.read_bytes()[:-7]), "truncated ("),
    "empty": (lambda path: path.write_bytes(b""), "truncated (0 of "),
    "longer": (lambda path: path.write_bytes(path.read_bytes() + b"\n"), "changed ("),
    "a bit": (flipped, "changed (sha256 "),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "not a file"),
}


@pytest.mark.parametrize("name", ["shard-00001.h5", "shard-00000.json", "index.parquet", "validation/report.json"])
@pytest.mark.parametrize("case", BROKEN)
def test_every_broken_file_is_named(copy, case, name):
    break_, told = BROKEN[case]
    break_(copy / name)
    ran = run("verify", copy)
    first, *_, last = ran.out.splitlines()
    assert ran.code == 1 and first.startswith(f"{name}: {told}"), ran.out
    assert last.startswith("test 1.0.0: FAILED, 1 problem; ")


def test_all_that_is_broken_is_named_at_once(copy):
    flipped(copy / "shard-00000.h5")
    (copy / "shard-00001.h5").unlink()
    (copy / "plan.npz").write_bytes(b"x")
    ran = run("verify", copy)
    assert ran.code == 1 and [line.split(":")[0] for line in ran.out.splitlines()[:3]] == [
        "plan.npz", "shard-00000.h5", "shard-00001.h5"
    ]  # fmt: skip


def test_what_is_not_listed_is_a_note(copy):
    (copy / "notes.txt").write_text("mine")
    (copy / ".hidden").write_text("nobody's")
    (copy / "browse").mkdir()
    (copy / "browse" / "index.html").write_text("a site, which is made of the release")
    ran = run("verify", copy)
    assert ran.code == 0 and ran.out.startswith("note: notes.txt: not listed in manifest.json")
    assert ran.out.count("note: ") == 1
    assert ".hidden" not in ran.out


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "manifest.json: missing; not a published release, or publishing was interrupted"),
        ("{", "manifest.json: not JSON"),
        ("[]", "manifest.json: not the manifest of a release"),
        ("[" * 100_000, "manifest.json: not JSON"),
        ('{"format": "mvhm-release", "format_version": 2}', "format version 2, this mvhm reads up to 1; upgrade mvhm"),
        ('{"format": "mvhm-release", "format_version": 1}', "not a whole manifest of a release: version, name"),
    ],
)
def test_a_folder_that_is_no_release(copy, content, told):
    (copy / "manifest.json").unlink()
    if content is not None:
        (copy / "manifest.json").write_text(content)
    ran = run("verify", copy)
    assert ran.code == 2 and told in ran.err and "\n" not in ran.err
    assert run("verify", copy / "nowhere").err.endswith("nowhere: no such folder")


# manifests that lie


def read(folder):
    return json.loads((folder / "manifest.json").read_text())


def write(folder, manifest, seal=True):
    """Write a manifest that lies, with a hash that fits it if `seal`."""
    hashes = {"manifest_hash": manifest_hash(manifest)} if seal else {}
    (folder / "manifest.json").write_text(json.dumps(manifest | hashes))


def relist(folder, manifest, *names):
    """Make the manifest agree with files that were changed."""
    for entry in manifest["files"]:
        if entry["path"] in names:
            path = folder / entry["path"]
            entry |= {"bytes": path.stat().st_size, "sha256": file_sha256(path)}
    return manifest


def test_an_edited_manifest_is_caught_by_its_own_hash(copy):
    manifest = read(copy)
    write(copy, manifest | {"gate": {"verdict": "pass", "summary": None, "sha256": ""}}, seal=False)
    ran = run("verify", copy)
    assert ran.code == 1 and ran.out.startswith("changed: manifest.json")


def lie_about_a_shard(folder, records):
    flipped(folder / "shard-00001.h5")
    manifest = relist(folder, read(folder), "shard-00001.h5")
    shards = {of["path"]: of["sha256"] for of in manifest["files"] if of["path"].endswith(".h5")}
    return manifest | {"data_hash": data_hash(shards)}


def lie_about_the_data(folder, records):
    return read(folder) | {"data_hash": "0" * 64}


def lie_about_the_configuration(folder, records):
    return read(folder) | {"configuration_hash": "0" * 15 + "1"}


def lie_about_counts(folder, records):
    return read(folder) | {"samples": 5}


def lie_about_splits(folder, records):
    return read(folder) | {"splits": {"test": {"samples": 4, "pairs": 2, "subjects": 1}}}


def lie_about_the_index(folder, records):
    index = read_index(folder / "index.npz")
    write_index(folder / "index.npz", index.with_column("split", np.array(["val"] * 4)))
    return relist(folder, read(folder), "index.npz")


def lie_by_a_foreign_shard(folder, records):
    write_shard_of(folder, 1, records[:1], configuration_hash="2" * 16)
    return lie_about_a_shard_that_is_whole(folder)


def lie_about_a_shard_that_is_whole(folder):
    manifest = relist(folder, read(folder), "shard-00001.h5", "shard-00001.json")
    shards = {of["path"]: of["sha256"] for of in manifest["files"] if of["path"].endswith(".h5")}
    return manifest | {"data_hash": data_hash(shards)}


def lie_by_listing_twice(folder, records):
    manifest = read(folder)
    return manifest | {"files": [*manifest["files"], manifest["files"][0]]}


LIES = {
    lie_about_a_shard: "shard-00001.h5: manifest.json and the shard's own manifest disagree on sha256",
    lie_about_the_data: "manifest.json: its data_hash is not that of the shards it lists",
    lie_about_the_configuration: "shard-00000.h5: manifest.json and the shard's own manifest disagree on configuration",
    lie_about_counts: "manifest.json says 5 samples, the shards' manifests 4",
    lie_about_splits: "manifest.json and index.npz disagree on splits",
    lie_about_the_index: "manifest.json and index.npz disagree on splits",
    lie_by_a_foreign_shard: "shard-00001.h5: manifest.json and the shard's own manifest disagree on configuration_hash",
    lie_by_listing_twice: "manifest.json lists CHANGELOG.md twice",
}


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_a_lie_with_a_fitting_hash_is_caught(copy, records, lie):
    write(copy, lie(copy, records))
    ran = run("verify", copy)
    assert ran.code == 1 and LIES[lie] in ran.out, ran


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "a/../../b", "", r"..\secret"])
def test_a_manifest_never_leads_out_of_the_folder(copy, path):
    manifest = read(copy)
    manifest["files"][0]["path"] = path
    write(copy, manifest)
    ran = run("verify", copy)
    assert ran.code == 2 and "is not a path inside the folder" in ran.err


def test_the_core_install_is_enough(whole):
    code = (
        "import sys\n"
        "for name in ('pyarrow', 'mlcroissant', 'pandas', 'PIL', 'matplotlib', 'torch'): sys.modules[name] = None\n"
        "from pathlib import Path; from dataset_tools.release.verify import verify\n"
        "from dataset_tools.release.diff_releases import diff_releases\n"
        f"whole = Path({str(whole)!r}); assert not verify(whole).problems; diff_releases(whole, whole)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
