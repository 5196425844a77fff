"""Validation of a folder: what it says of a release that is whole, unfinished, published, or damaged."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from corruptions import CORRUPTIONS, VIEW
from paired import SAMPLES, pair_records, write_release

from dataset_tools.check.report import read_report
from dataset_tools.check.validate import validate
from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.release_manifest import KEYS, sealed
from dataset_tools.store.report_folder import report_folder
from dataset_tools.store.writer import write_manifest
from rigging.command_line import main
from rigging.errors import InputError, PassingError
from rigging.files import file_sha256


@pytest.fixture
def copy(unfinished, tmp_path) -> ReleaseFolder:
    """Two of three shards, to be changed."""
    shutil.copytree(unfinished.path, tmp_path / "release")
    return ReleaseFolder(tmp_path / "release")


@pytest.fixture(scope="module")
def whole(pairs, tmp_path_factory) -> ReleaseFolder:
    """All three shards. Not to be changed: copy it."""
    return write_release(tmp_path_factory.mktemp("whole") / "out", [*pairs, pair_records(2)])


def publish(folder: ReleaseFolder) -> None:
    """A release manifest of all that is there."""
    files = [
        {"path": path.name, "bytes": path.stat().st_size, "sha256": file_sha256(path)}
        for path in sorted(folder.path.iterdir())
        if path.is_file()
    ]
    values = {name: kind() for name, kind in KEYS.items() if name != "manifest_hash"}
    folder.release_manifest.write_bytes(sealed(values | {"version": "1.0.0", "files": files}))


def test_a_whole_release_passes_and_every_sample_has_a_verdict(whole):
    report = validate(whole).report
    assert report.verdict == "pass"
    assert (report.shards.present, report.shards.expected, report.samples) == (3, 3, SAMPLES)
    assert not report.problems
    assert {report.verdict_of(shard, row) for shard in range(3) for row in range(2)} == {"pass"}
    assert report.verdict_of(7, 0) == ""
    assert report.shards.sha256["shard-00001.h5"] == file_sha256(whole.shard(1))
    assert all(one.failed == 0 and one.worst is not None for one in report.checks)


def test_an_unfinished_folder_says_how_many_shards_there_are(unfinished):
    report = validate(unfinished).report
    assert report.verdict == "incomplete"
    assert report.state.startswith("incomplete: 2 of 3 shards, 4 samples, 0 failed")


def test_without_a_plan_the_extent_is_unknown(pairs, tmp_path):
    report = validate(write_release(tmp_path / "out", pairs[:1], plan=False)).report
    assert (report.verdict, report.shards.expected) == ("pass", None)


def test_a_sample_that_was_broken_fails_alone(pairs, tmp_path):
    broken = [CORRUPTIONS["depth"](pairs[0][0], {}), pairs[0][1]]
    report = validate(write_release(tmp_path / "out", [broken, pairs[1]])).report
    assert report.verdict == "fail"
    assert [(one.shard, one.row) for one in report.results if one.verdict == "fail"] == [(0, 0)]
    assert report.results[0].failed == ("depth",)
    assert f"view {VIEW}" in report.results[0].messages[0]
    assert report.results[0].score > 1 > report.results[1].score


def test_the_same_from_one_process_and_from_two(unfinished):
    assert validate(unfinished, 1).report.to_json() == validate(unfinished, 2).report.to_json()


def test_a_published_release_that_lacks_a_file_fails(whole, tmp_path):
    shutil.copytree(whole.path, tmp_path / "release")
    folder = ReleaseFolder(tmp_path / "release")
    publish(folder)
    assert validate(folder).report.verdict == "pass"
    folder.shard(2).unlink()
    report = validate(folder).report
    assert report.verdict == "fail"
    assert report.problems == ("shard-00002.h5: is in the release's manifest, but missing",)


def test_a_published_file_with_other_bytes_fails(whole, tmp_path):
    shutil.copytree(whole.path, tmp_path / "release")
    folder = ReleaseFolder(tmp_path / "release")
    (folder.path / "README.md").write_text("one")
    publish(folder)
    (folder.path / "README.md").write_text("two")
    assert any(line.startswith("README.md: sha256") for line in validate(folder).report.problems)


def test_a_release_manifest_that_is_none_is_a_problem(copy):
    copy.release_manifest.write_text("[]")
    report = validate(copy).report
    assert report.verdict == "fail"
    assert report.problems[0].startswith("manifest.json: not the manifest of a release")


def test_a_damaged_shard_is_a_problem_and_the_others_are_still_looked_at(copy):
    data = bytearray(copy.shard(0).read_bytes())
    data[len(data) // 2] ^= 0xFF
    copy.shard(0).write_bytes(data)
    report = validate(copy).report
    assert report.verdict == "fail"
    assert len(report.problems) == 1
    assert report.problems[0].startswith("shard-00000.h5: damaged, its sha256")
    assert {one.shard for one in report.results} == {1}


def test_a_shard_without_its_manifest_is_a_problem(copy):
    copy.manifest(1).unlink()
    assert validate(copy).report.problems == ("shard-00001.h5: no manifest beside it",)


def test_shards_of_two_configurations_do_not_go_together(pairs, copy, tmp_path):
    from paired import paired_shard_record

    from dataset_tools.store.encode import encode_sample
    from dataset_tools.store.writer import write_manifest, write_shard

    path = copy.shard(2)
    record = paired_shard_record(SAMPLES, 2) | {"shard": 2, "configuration_hash": "f" * 16}
    write_manifest(path, write_shard(path, map(encode_sample, pair_records(2)), record))
    assert any("configuration ffffffffffff" in line for line in validate(copy).report.problems)


def test_a_shard_in_the_place_of_another_is_a_problem(copy):
    copy.shard(1).rename(copy.shard(2))
    copy.manifest(1).rename(copy.manifest(2))
    assert "shard-00002.h5: is not the manifest's shard-00001.h5" in validate(copy).report.problems
    write_manifest(copy.shard(2), file_sha256(copy.shard(2)))
    problems = " ".join(validate(copy).report.problems)
    assert "shard-00002.h5: says that it is shard 1" in problems
    assert "shard-00002.h5: its samples are not numbers 4 and on" in problems


def test_an_incomplete_shard_keeps_the_folder_incomplete(whole, tmp_path):
    shutil.copytree(whole.path, tmp_path / "release")
    folder = ReleaseFolder(tmp_path / "release")
    folder.incomplete(2).write_text(json.dumps({"shard": 2, "lacks": 1, "samples": 2}))
    assert validate(folder).report.verdict == "pass"  # an old report beside a whole shard says nothing
    folder.shard(2).unlink()
    folder.manifest(2).unlink()
    assert validate(folder).report.verdict == "incomplete"


def test_bad_input_is_one_line(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        validate(ReleaseFolder(tmp_path / "nowhere"))
    with pytest.raises(InputError, match=r"no shard-\*.h5"):
        validate(ReleaseFolder(tmp_path))


def test_a_report_is_read_back_as_it_was_written(unfinished, tmp_path):
    report = validate(unfinished).report
    (tmp_path / "report.json").write_text(report.to_json())
    assert read_report(tmp_path / "report.json") == report
    table = json.loads((tmp_path / "report.json").read_text())
    assert (table["format"], table["version"], table["verdict"]) == ("mvhm-validation", 1, "incomplete")
    assert table["shards"]["expected"] == 3
    assert set(table["results"][0]) >= {"shard", "row", "sample", "verdict", "score", "failed", "messages", "figures"}


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("{", "cannot be read"), ("[]", "not the report"), ('{"format": "mvhm-validation", "version": 9}', "version 9"),
        ('{"format": "mvhm-validation", "version": 1}', "lacks"),
    ],
)  # fmt: skip
def test_what_is_no_report_says_so(text, about, tmp_path):
    (tmp_path / "report.json").write_text(text)
    with pytest.raises(InputError, match=about):
        read_report(tmp_path / "report.json")


def test_the_command_writes_a_page_that_opens_from_a_folder(copy, capsys):
    assert main(["validate", str(copy.path), "--workers", "1", "--pictures", "2"]) == 0
    assert "incomplete: 2 of 3 shards" in capsys.readouterr().out
    html = (copy.validation / "index.html").read_text()
    sources = re.findall(r'src="([^"]+)"', html)
    assert len(sources) == 2
    assert all((copy.validation / source).is_file() for source in sources)
    assert "http" not in html.replace("http-equiv", "")
    assert read_report(copy.report).verdict == "incomplete"
    assert sorted(path.name for path in copy.validation.iterdir()) == ["index.html", "pictures", "report.json"]


def test_the_worst_sample_comes_first_and_its_view_is_named(pairs, tmp_path):
    broken = [pairs[0][0], CORRUPTIONS["picture"](pairs[0][1], pairs[1][0])]
    folder = write_release(tmp_path / "out", [broken, pairs[1]])
    assert main(["validate", str(folder.path), "--workers", "1", "--pictures", "1"]) == 1
    html = (folder.validation / "index.html").read_text()
    assert html.index('id="s0-1"') < html.index("All that failed")
    assert f"(view {VIEW})" in html


def test_an_earlier_report_is_replaced_and_kept_if_the_run_breaks_off(copy, monkeypatch):
    main(["validate", str(copy.path), "--workers", "1", "--pictures", "0"])
    before = copy.report.read_bytes()
    with pytest.raises(RuntimeError), report_folder(copy, None, copy.report):
        raise RuntimeError("interrupted")
    assert copy.report.read_bytes() == before
    assert [path.name for path in copy.path.iterdir() if path.name.endswith((".part", ".old"))] == []


def test_where_nothing_can_be_written_it_says_so_before_any_work(copy, tmp_path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(InputError, match="--out FOLDER"), report_folder(copy, None, copy.report):
        pytest.fail("work began")


def test_the_report_does_not_take_the_place_of_something_else(copy, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.jpg").write_bytes(b"")
    with pytest.raises(InputError, match="something else"), report_folder(copy, tmp_path / "photos", copy.report):
        pytest.fail("work began")


@pytest.mark.parametrize("words", [["--workers", "0"], ["--pictures", "-1"], ["--out", os.devnull]])
def test_wrong_options_are_one_line(words, copy, capsys):
    assert main(["validate", str(copy.path), *words]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def die(job: int) -> int:
    if job == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return job


def test_a_worker_that_dies_is_one_line():
    from dataset_tools.workers import run_jobs

    with pytest.raises(PassingError, match="worker process died"):
        list(run_jobs(die, range(6), [1] * 6, 2, "jobs"))


def test_ctrl_c_ends_the_workers_and_leaves_nothing(copy):
    words = [sys.executable, "-m", "dataset_tools", "validate", str(copy.path), "--workers", "2"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, start_new_session=True)
    deadline = time.monotonic() + 60
    while not list(copy.path.glob(".validation.*.part")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert not list(copy.path.glob(".validation.*")) and not copy.validation.exists()


def test_figures_that_are_no_numbers_are_null_in_the_report(pairs, tmp_path):
    record = pairs[0][0]
    behind = record | {"world_to_cam": record["world_to_cam"] - np.eye(4)[[2]].T * np.eye(4)[3] * 5}
    report = validate(write_release(tmp_path / "out", [[behind, pairs[0][1]]])).report
    assert report.results[0].figures["framing"] is None
    assert "framing" in report.results[0].failed


@pytest.mark.parametrize("lie", [{"samples": 3}, {"release": "another"}, {"configuration_hash": "e" * 16}])
def test_a_manifest_that_says_otherwise_than_its_shard_is_a_problem(copy, lie):
    told = json.loads(copy.manifest(1).read_text())
    copy.manifest(1).write_text(json.dumps(told | lie))
    name = next(iter(lie))
    assert any(f"its manifest says {name} {lie[name]!r}, the shard" in line for line in validate(copy).report.problems)
