"""What is not published: one clear line each, and nothing is written."""

from __future__ import annotations

import json

import numpy as np
import pytest
from publishing import CHECK, SETTINGS, contents, gate_report, run, write_plan, write_report, write_shard_of

from dataset_tools.load.index import build_index
from dataset_tools.release.licences import licences
from rigging.errors import InputError
from rigging.files import file_sha256
from rigging.hand.asset import DEFAULT_ASSET


def refused(folder, told, *words, version="1.0.0"):
    before = contents(folder) if folder.is_dir() else {}
    ran = run("release", folder, "--version", version, *words)
    assert ran.code == 2 and told in ran.err and "\n" not in ran.err, ran
    assert (contents(folder) if folder.is_dir() else {}) == before


def change_manifest(folder, shard, **changes):
    path = folder / f"shard-{shard:05d}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def unlink(name):
    return lambda folder: (folder / name).unlink()


def text(name, content):
    return lambda folder: (folder / name).write_text(content)


def flip(name):
    def break_(folder):
        data = bytearray((folder / name).read_bytes())
        data[len(data) // 2] ^= 1
        (folder / name).write_bytes(data)

    return break_


def quarantine(folder):
    (folder / "shard-00001.h5").unlink()
    (folder / "shard-00001.json").unlink()
    (folder / "shard-00001.incomplete.json").write_text("{}")


INCOMPLETE = {
    "a shard is missing": (unlink("shard-00001.h5"), "1 of 2 shards are not whole: shard-00001 missing"),
    "the plan is missing": (unlink("plan.npz"), "plan.npz: missing"),
    "the plan is foreign": (text("plan.npz", "x"), "plan.npz: not a plan"),
    "a shard is in no plan": (
        lambda folder: write_plan(folder, SETTINGS | {"samples": 3}),
        "shard-00001 is not in the plan, which has shards 0 to 0",
    ),
    "a shard is too short": (
        lambda folder: write_plan(folder, SETTINGS | {"samples": 5}), "holds 1 samples, the plan has 2"
    ),
    "samples are quarantined": (
        quarantine, "1 of 2 shards are not whole: shard-00001 incomplete"
    ),
    "a shard has no manifest": (unlink("shard-00001.json"), "shard-00001 partial: has no manifest"),
    "a manifest is foreign": (
        text("shard-00001.json", "[]"), "shard-00001 damaged: its manifest is not one of a shard"
    ),
    "a manifest is half": (
        lambda folder: change_manifest(folder, 1, package_versions="1"), "shard-00001.json: not a whole manifest"
    ),
    "a shard is truncated": (
        lambda folder: (folder / "shard-00001.h5").write_bytes(b"x"), "shard-00001 damaged: has 1 bytes, its"
    ),
    "a manifest lies about samples": (
        lambda folder: change_manifest(folder, 1, samples=2), "samples is 1, its manifest says 2"
    ),
    "a shard is damaged": (flip("shard-00001.h5"), "shard-00001.h5: "),
}  # fmt: skip


@pytest.mark.parametrize("case", INCOMPLETE)
def test_what_is_not_whole(data, case):
    break_, told = INCOMPLETE[case]
    break_(data)
    refused(data, told)


def test_mixed_configurations(data, records):
    write_shard_of(data, 1, records[3:], configuration_hash="1" * 16)
    write_report(data)
    refused(data, "mixed configurations: configuration_hash of shard-00001.h5 is 1111111111111111")


def shards_of(sha256s):
    return {"expected": 2, "present": 2, "sha256": sha256s}


def report_of(**changes):
    return lambda folder: write_report(folder, **changes)


def forget_sample(folder):
    path = folder / "validation" / "report.json"
    report = json.loads(path.read_text())
    write_report(folder, results=report["results"][:-1])


NOT_VALIDATED = {
    "no report": (unlink("validation/report.json"), "no validation report; run mvhm validate"),
    "foreign": (text("validation/report.json", "{}"), "not the report of a validation"),
    "not JSON": (text("validation/report.json", "{"), "cannot be read as a report"),
    "it failed": (
        report_of(verdict="fail", checks=[CHECK | {"name": "flow", "failed": 2}]),
        "the verdict is 'fail', only 'pass' is published (failed: flow)",
    ),
    "not all was there": (report_of(verdict="incomplete"), "the verdict is 'incomplete'"),
    "other bytes": (
        report_of(shards=shards_of({"shard-00000.h5": "0" * 64, "shard-00001.h5": "0" * 64})),
        "not of these bytes: shard-00000.h5 was another when it was validated",
    ),
    "fewer shards": (report_of(shards=shards_of({})), "shard-00000.h5: the report does not know it"),
    "another configuration": (report_of(configuration_hash="f" * 16), "of another configuration (ffffffffffff..)"),
    "a sample was not looked at": (forget_sample, "has verdicts of 3 samples only"),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_VALIDATED)
def test_what_did_not_validate(data, case):
    break_, told = NOT_VALIDATED[case]
    break_(data)
    refused(data, told)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--homepage", "example.org"), "--homepage 'example.org': an address"),
        (("--date", "3.2.2026"), "--date '3.2.2026': a date such as 2026-01-31"),
        (("--date", "2026-02-30"), "--date '2026-02-30': a date such as 2026-01-31"),
        (("--changes", "CHANGES.md"), "--changes CHANGES.md: no such file"),
        (("--gate", "gate.json"), "--gate gate.json: no such file"),
        (("--licence", "photographs"), "--licence 'photographs': WHAT=TERMS is wanted"),
        (("--licence", "photographs=CC0"), "--licence photographs: terms are to be stated only for nothing here"),
    ],
)
def test_options_that_cannot_be_meant(data, words, told):
    refused(data, told, *words)


def test_an_install_that_cannot_publish(data, monkeypatch):
    monkeypatch.setattr("dataset_tools.release.publish.find_spec", lambda name: None)
    refused(data, "publishing needs pyarrow, mlcroissant: pip install")


def test_a_folder_that_is_not_there(tmp_path):
    refused(tmp_path / "nowhere", "nowhere: no such folder of shards")


@pytest.mark.parametrize("version", ["1.0.0", "0.9.9", "1.0.0-rc.1", "1.0.0+later"])
def test_a_version_that_is_not_higher(copy, version):
    refused(copy, "a version higher than 1.0.0 is wanted, which is published there", version=version)


def test_a_version_that_is_not_higher_than_the_one_elsewhere(data, whole, tmp_path):
    told = "a version higher than 1.0.0 is wanted"
    refused(data, told, "--previous", whole, version="1.0.0")
    refused(data, "no manifest.json there, so it is no published release", "--previous", tmp_path, version="2.0.0")


def test_a_manifest_that_is_not_ours_is_not_overwritten(data):
    (data / "manifest.json").write_text('{"name": "somebody else"}')
    refused(data, "manifest.json: not the manifest of a release")


def test_texts_that_are_not_ours_are_not_overwritten(data):
    (data / "README.md").write_text("My notes.")
    refused(data, "README.md: not written by mvhm release; move it away")


def test_a_gate_report_that_lies_there_is_not_passed_over(data):
    (data / "gate.json").write_text("{}")
    refused(data, "gate.json: lies there, but --gate was not given")


# paths of somebody's machine


@pytest.mark.parametrize("place", ["shard", "plan", "report"])
def test_home_folders_are_published_only_on_purpose(data, records, place):
    settings = {"release": {"name": "test", "files": {"hdris": "/home/ann/hdris"}}}
    if place == "shard":
        write_shard_of(data, 0, records[:3], configuration=json.dumps(settings))
        write_report(data)
    elif place == "plan":
        write_plan(data, SETTINGS | settings["release"])
    else:
        write_report(data, problems=["looked at /home/ann/hdris"])
    refused(data, "names a home folder ('/home/ann/hdris')")
    assert run("release", data, "--version", "1.0.0", "--keep-paths").code == 0
    for name in ("manifest.json", "README.md", "croissant.json", "datasheet.md"):
        assert "/home/ann" not in (data / name).read_text()


def test_words_that_name_a_path_are_not_published(data, tmp_path):
    refused(data, "'/data/ann/x' would be published", "--changes", "Better than /data/ann/x, by far.")
    report = tmp_path / "gate.json"
    report.write_text(json.dumps(gate_report(data) | {"summary": "trained in /home/ann/runs"}))
    refused(data, "names a home folder ('/home/ann/runs')", "--gate", report)
    refused(data, "'/home/ann/runs' would be published", "--gate", report, "--keep-paths")


# licences


@pytest.fixture(scope="module")
def index(ready):
    return build_index([ready / "shard-00000.h5"])


def terms(index, clips=(), settings=None, asset=None, **stated):
    asset = file_sha256(DEFAULT_ASSET) if asset is None else asset
    return {x.what: x for x in licences(settings or {}, clips, asset, index, stated)}


def test_panoramas_of_blender_are_attributed(index):
    lit = index.with_column("light", np.array(["city", "forest", "city"]))
    panoramas = terms(lit)["panoramas that light the hand and stand behind it"]
    assert panoramas.licence == "CC0-1.0" and "Poly Haven" in panoramas.attribution
    assert [source.split(":")[0] for source in panoramas.sources] == ["city", "forest"]


@pytest.mark.parametrize(
    ("key", "used"),
    [
        ("panoramas", {"settings": {"files": {"hdris": "mine"}}}),
        ("photographs", {}),
        ("webxr", {"clips": ({"source": "webxr", "licence": "unknown"},)}),
        ("npz", {"clips": ({"source": "npz", "licence": "CC0"}, {"source": "npz", "licence": "unknown"})}),
        ("hand", {"asset": "0" * 64}),
    ],
)
def test_unknown_terms_are_to_be_stated(index, key, used):
    if key == "photographs":
        index = index.with_column("background", np.array(["none", "folder", "none"]))
    lit = index.with_column("light", np.array(["city", "forest", "city"]))
    with pytest.raises(InputError, match=f"licence unknown; state it, as in --licence '{key}="):
        terms(lit, **used)
    made = terms(lit, **used, **{key: "CC-BY-4.0, A. Author"})
    assert any((x.licence, x.attribution) == ("CC-BY-4.0", "A. Author") for x in made.values())


def test_terms_of_a_recording_without_an_identifier_make_the_whole_other(index):
    clips = ({"source": "nyu", "licence": "NYU Hand Pose: academic use, terms unclear"},)
    nyu = terms(index, clips)["nyu poses"]
    assert nyu.identifier == "other" and "Tompson" in nyu.attribution
    clips = ({"source": "interhand", "licence": "InterHand2.6M: CC BY-NC 4.0"},)
    assert terms(index, clips)["interhand poses"].identifier == "cc-by-nc-4.0"
