"""Statistics and the judge's table in a release: in manifest, card and files where they were run, of this very data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from publishing import copy_of, published, run

from dataset_tools.check.page import write_all
from dataset_tools.check.report import read_report
from dataset_tools.release.preview import shown_cameras
from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.quoted import JUDGE, KINDS, STATISTICS, Kind, shards_hash, write_quoted
from rigging.files import file_sha256

SUMMARIES = {
    STATISTICS: {"pose clusters": "13.7 effective of 16", "hands": "186 mm"},
    JUDGE: {"hands found": "90.1 % of 192 views", "error": "0.036 of the hand's box"},
}


@pytest.fixture(scope="module")
def counted(ready, tmp_path_factory) -> Path:
    """What is ready to be published, with reports as the commands leave them. Not to be changed."""
    folder = ReleaseFolder(copy_of(ready, tmp_path_factory.mktemp("counted") / "data"))
    for kind in KINDS:
        kind.table(folder).parent.mkdir()
        table = {"data_hash": shards_hash(folder), "summary": SUMMARIES[kind]}
        write_quoted(kind, kind.table(folder), table, dict.fromkeys(kind.plots, b"a plot"))
    return folder.path


@pytest.fixture
def data(counted, tmp_path) -> Path:
    """A copy of it."""
    return copy_of(counted, tmp_path / "data")


def test_the_preview_shows_up_to_four_cameras_of_any_number():
    assert [shown_cameras(views) for views in (1, 2, 3, 4, 8)] == [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3], [0, 2, 4, 6]]


def test_card_and_manifest_quote_them_and_their_files_are_published(data):
    folder = ReleaseFolder(published(data))
    manifest, card = json.loads(folder.release_manifest.read_text()), folder.card.read_text()
    files = {file["path"] for file in manifest["files"]}
    for kind in KINDS:
        assert manifest[kind.command] == {"summary": SUMMARIES[kind], "sha256": file_sha256(kind.table(folder))}
        assert f"{kind.command}/{kind.command}.json" in files
        assert f"## {kind.title}" in card
        assert all(f"| {name} | {text} |" in card for name, text in SUMMARIES[kind].items())
        for plot in kind.plots:
            assert f"{kind.command}/{plot}.png" in files and f"({kind.command}/{plot}.png)" in card
    assert run("verify", data).code == 0
    assert "published with the release" in run("statistics", data).err


def test_without_them_nothing_is_said(whole):
    folder = ReleaseFolder(whole)
    manifest = json.loads(folder.release_manifest.read_text())
    for kind in KINDS:
        assert manifest[kind.command] is None
        assert f"## {kind.title}" not in folder.card.read_text()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.command)
def test_those_of_other_data_are_refused(data, kind: Kind):
    path = kind.table(ReleaseFolder(data))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"data_hash": "0" * 64}))
    refused = run("release", data, "--version", "1.0.0")
    assert (refused.code, f"mvhm {kind.command} {data} again" in refused.err) == (2, True)
    assert "of other data" in refused.err
    assert not ReleaseFolder(data).release_manifest.exists()


def test_the_judge_leaves_a_published_release_as_it_is(data, monkeypatch):
    monkeypatch.setattr("dataset_tools.judge.detector.need_mediapipe", lambda: None)
    assert "published with the release" in run("judge", published(data)).err


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.command)
def test_the_validation_s_page_shows_them(data, kind: Kind, tmp_path, caplog):
    folder, plot = ReleaseFolder(data), list(kind.plots)[-1]
    report = read_report(folder.report)
    write_all(tmp_path / "shown", folder, report, 0)
    html = (tmp_path / "shown" / "index.html").read_text()
    assert all(name in html for name in SUMMARIES[kind]) and f'src="pictures/{plot}.png"' in html
    assert (tmp_path / "shown" / "pictures" / f"{plot}.png").is_file()
    kind.table(folder).write_text("[]")
    write_all(tmp_path / "without", folder, report, 0)
    assert f"<h2>{kind.title}</h2>" not in (tmp_path / "without" / "index.html").read_text()
    assert f"not a report of mvhm {kind.command}" in caplog.text
