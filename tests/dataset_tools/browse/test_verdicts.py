"""Verdicts are shown where they are of exactly these shards."""

from __future__ import annotations

import json
import shutil

import pytest

from dataset_tools.browse.verdicts import judged_index
from dataset_tools.check.report import Report, SampleResult, ShardCount, write_report
from dataset_tools.store.layout import ReleaseFolder


@pytest.fixture
def folder(release, tmp_path) -> ReleaseFolder:
    return ReleaseFolder(shutil.copytree(release, tmp_path / "data"))


def write_validation(folder: ReleaseFolder, changed: bool = False) -> None:
    """A report by which sample 1 of shard 0 failed; of other bytes, if `changed`."""
    manifests = [json.loads(folder.manifest(number).read_bytes()) for number in folder.shards()]
    digests = {one["file"]: "0" * 64 if changed else one["sha256"] for one in manifests}
    places = [(0, 0), (0, 1), (0, 2), (1, 0)]
    results = tuple(SampleResult(*place, 0, "fail" if place == (0, 1) else "pass", 0.1, (), (), {}) for place in places)
    report = Report("small", "", ShardCount(2, 2, digests), 4, "fail", (), (), results)
    folder.validation.mkdir()
    write_report(folder.report, report)


def test_without_a_report_there_are_none(folder):
    assert judged_index(folder)["verdict"].tolist() == [""] * 4


def test_those_of_a_report_on_these_shards(folder):
    write_validation(folder)
    assert judged_index(folder)["verdict"].tolist() == ["pass", "fail", "pass", "pass"]


def test_a_report_on_other_bytes_is_passed_over_and_said(folder, caplog):
    write_validation(folder, changed=True)
    assert judged_index(folder)["verdict"].tolist() == [""] * 4
    assert "validate again" in caplog.text
