"""The table: the untouched release passes, and whatever is broken is named by a check that is meant for it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from dataset_tools.check.mutation_table import HEAD, Line, mutation_table
from dataset_tools.check.mutations import MUTATIONS
from dataset_tools.check.validate import validate
from dataset_tools.store.encode import encode_sample
from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.writer import write_manifest, write_shard

sys.path.insert(0, str(Path(__file__).parent))  # for `paired`

from paired import pair_records, paired_shard_record

PAIRS = 3
FLOWLESS = MUTATIONS["flow-flipped"]


def line(failed: dict, verdict: str = "fail", broken: tuple = ((0, 1), (0, 2)), mutation=FLOWLESS) -> Line:
    return Line(mutation, 8, broken, verdict, failed)


def test_a_line_is_right_if_all_that_is_broken_is_named_by_a_check_meant_for_it():
    assert line({(0, 1): ("flow",), (0, 2): ("warp", "flow"), (0, 3): ("flow",)}).right
    assert not line({(0, 1): ("flow",), (0, 2): ("warp",)}).right
    assert not line({(0, 1): ("flow",)}).right
    assert not line({(0, 1): ("flow",), (0, 2): ("flow",)}, verdict="pass").right


def test_the_untouched_release_has_to_pass():
    assert line({}, "pass", (), None).right
    assert not line({(0, 1): ("flow",)}, "fail", (), None).right
    assert not line({}, "incomplete", (), None).right


def test_a_line_says_how_many_and_which():
    text = str(line({(0, 1): ("flow", "warp"), (0, 2): ("flow",), (0, 7): ("warp",)}))
    assert text == "| flow-flipped | flow has the other sign | 2 of 8 | 2 of 2 | flow 2, warp 1 | 1 |"
    assert text.count("|") == HEAD.splitlines()[0].count("|")


def test_copies_come_and_go(release, tmp_path):
    seen = []

    def nothing_found(folder: Path) -> SimpleNamespace:
        seen.append((folder.name, len(list(tmp_path.iterdir()))))
        return SimpleNamespace(samples=4, verdict="pass", results=())

    lines = list(mutation_table(release, tmp_path, nothing_found, np.random.default_rng(0), ["hand-renamed"]))
    assert seen == [(release.name, 0), ("hand-renamed-one", 1), ("hand-renamed-all", 1)]
    assert [one.right for one in lines] == [True, False, False] and [len(one.broken) for one in lines] == [0, 1, 4]
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def paired_release(tmp_path_factory) -> Path:
    """A release of a few pairs whose labels are exact."""
    folder = ReleaseFolder(tmp_path_factory.mktemp("paired"))
    records = [record for pair in range(PAIRS) for record in pair_records(pair)]
    digest = write_shard(folder.shard(0), map(encode_sample, records), paired_shard_record(len(records), len(records)))
    write_manifest(folder.shard(0), digest)
    return folder.path


def test_every_mutation_is_named_by_the_right_check(paired_release, tmp_path):
    def report(folder: Path):
        return validate(ReleaseFolder(folder), 1).report

    lines = list(mutation_table(paired_release, tmp_path, report, np.random.default_rng(0)))
    assert len(lines) == 1 + 2 * len(MUTATIONS)
    wrong = [str(one) for one in lines if not one.right]
    assert not wrong, "\n".join([HEAD, *wrong])


def test_a_report_of_another_release_is_not_taken_over(paired_release, tmp_path):
    source = ReleaseFolder(shutil.copytree(paired_release, tmp_path / "source"))
    source.validation.mkdir()
    source.report.write_text("{}")
    found = []

    def look(folder: Path) -> SimpleNamespace:
        found.append(ReleaseFolder(folder).report.exists())
        return SimpleNamespace(samples=6, verdict="pass", results=())

    list(mutation_table(source.path, tmp_path / "work", look, np.random.default_rng(0), ["hand-renamed"]))
    assert found == [True, False, False]
