"""Statistics in a release: in the manifest, the card and the files where they were run, and only of this very data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from publishing import copy_of, published, run

from dataset_tools.check.page import write_all
from dataset_tools.check.report import read_report
from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.quoted import STATISTICS, shards_hash, write_quoted
from rigging.files import file_sha256


@pytest.fixture(scope="module")
def counted(ready, tmp_path_factory) -> Path:
    """What is ready to be published, with statistics as the command leaves them. Not to be changed."""
    folder = ReleaseFolder(copy_of(ready, tmp_path_factory.mktemp("counted") / "data"))
    folder.statistics.mkdir()
    table = {"data_hash": shards_hash(folder), "summary": {"pose clusters": "13.7 effective of 16", "hands": "186 mm"}}
    write_quoted(STATISTICS, folder.statistics_table, table, dict.fromkeys(STATISTICS.plots, b"a plot"))
    return folder.path


@pytest.fixture
def data(counted, tmp_path) -> Path:
    """A copy of it."""
    return copy_of(counted, tmp_path / "data")


def test_card_and_manifest_quote_statistics_and_their_files_are_published(data):
    folder = ReleaseFolder(published(data))
    manifest = json.loads(folder.release_manifest.read_text())
    table = json.loads(folder.statistics_table.read_text())
    assert manifest["statistics"] == {"summary": table["summary"], "sha256": file_sha256(folder.statistics_table)}
    assert {"statistics/statistics.json", "statistics/poses.png"} <= {file["path"] for file in manifest["files"]}
    card = folder.card.read_text()
    assert all(f"| {name} | {text} |" in card for name, text in table["summary"].items())
    assert "(statistics/pictures.png)" in card
    assert run("verify", data).code == 0
    assert "published with the release" in run("statistics", data).err


def test_without_them_nothing_is_said(whole):
    folder = ReleaseFolder(whole)
    assert json.loads(folder.release_manifest.read_text())["statistics"] is None
    assert "## Statistics" not in folder.card.read_text()


def test_statistics_of_other_data_are_refused(data):
    path = ReleaseFolder(data).statistics_table
    path.write_text(json.dumps(json.loads(path.read_text()) | {"data_hash": "0" * 64}))
    refused = run("release", data, "--version", "1.0.0")
    assert (refused.code, "of other data" in refused.err) == (2, True)
    assert not ReleaseFolder(data).release_manifest.exists()


def test_the_validation_s_page_shows_them(data, tmp_path, caplog):
    folder = ReleaseFolder(data)
    report = read_report(folder.report)
    summary = json.loads(folder.statistics_table.read_text())["summary"]
    write_all(tmp_path / "shown", folder, report, 0)
    html = (tmp_path / "shown" / "index.html").read_text()
    assert all(name in html for name in summary) and 'src="pictures/cameras.png"' in html
    assert (tmp_path / "shown" / "pictures" / "cameras.png").is_file()
    folder.statistics_table.write_text("[]")
    write_all(tmp_path / "without", folder, report, 0)
    assert "<h2>Statistics</h2>" not in (tmp_path / "without" / "index.html").read_text()
    assert "not a report of mvhm statistics" in caplog.text
