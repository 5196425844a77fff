"""A damaged shard gives the right arrays or one clear error: no wrong array, crash, hang or other exception."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from records import make_record, shard_record
from trials import KINDS, Task, command, stored_spans

from dataset_tools.store.encode import encode_sample
from dataset_tools.store.writer import write_manifest, write_shard

FROZEN = Path(__file__).parents[1] / "frozen" / "shard-00000.h5"
TRIALS = 1000  # of each schema version
CHILDREN = 2
SECONDS = 120  # a child that takes longer hangs


@pytest.fixture(scope="module")
def shards(tmp_path_factory) -> tuple[Path, Path]:
    """Two shards of schema version 2, two samples each, 2 views of 24 px.

    Images, heads and places in the file are the same in both, so that a block of one fits into the other.
    """
    folder = tmp_path_factory.mktemp("to-damage")
    records = [make_record(i, views=2, size=24, seed=11) for i in range(2)]
    others = [record | moved(record) for record in records]
    for name, chosen in (("one", records), ("other", others)):
        path = folder / f"{name}.h5"
        write_manifest(path, write_shard(path, map(encode_sample, chosen), shard_record()))
    assert stored_spans(folder / "one.h5") == stored_spans(folder / "other.h5")
    return folder / "one.h5", folder / "other.h5"


def moved(record: dict) -> dict:
    """The plain fields of a record, changed."""
    places = ("joints_world", "vertices_world", "arm_vertices_world", "source_joints", "K", "residual")
    return {name: record[name] + np.float32(0.25) for name in places} | {
        "sample": record["sample"] + 1,
        "subject": record["subject"] + 1,
        "pair": record["pair"] + 1,
        "hand_length": record["hand_length"] + 0.01,
        "flow_forward_valid": not record["flow_forward_valid"],
        "hand": "LEFT!"[: len(record["hand"])],
    }


def run(task: Task) -> list[dict]:
    """The trials of a task, made in a child process, which must live to the end."""
    done = subprocess.run(command(task), capture_output=True, text=True, check=False, timeout=SECONDS)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"trial {task.first + len(told)}: rc {done.returncode}, {done.stderr[-1000:]}"
    assert len(told) == task.count
    return told


def make_trials(path: Path, other: Path, folder: Path, count: int, verify: bool = True) -> list[dict]:
    """`count` trials of a shard, in children side by side."""
    share = count // CHILDREN
    tasks = [Task(str(path), str(other), str(folder), i * share, share, verify) for i in range(CHILDREN)]
    with ThreadPoolExecutor(CHILDREN) as pool:
        return [told for done in pool.map(run, tasks) for told in done]


@pytest.mark.parametrize("version", [1, 2])
def test_a_damaged_shard_is_right_or_an_error(version, shards, tmp_path, measured):
    path = FROZEN if version == 1 else shards[0]
    told = make_trials(path, shards[1], tmp_path, TRIALS)
    assert {trial["kind"] for trial in told} == set(KINDS)
    assert {trial["place"] for trial in told} == {"", *stored_spans(path)}  # every dataset was aimed at
    assert [trial for trial in told if trial["told"] != "right" and not trial["told"].startswith("error: ")] == []
    counts = Counter((trial["kind"], trial["told"].partition(":")[0]) for trial in told)
    for kind in KINDS:
        right, error = counts[kind, "right"], counts[kind, "error"]
        measured(f"corruption: schema {version}  {kind:17} {right + error:4} trials {right:4} right {error:4} errors")
    measured(f"corruption: schema {version}  {len(told)} trials, 0 wrong arrays, crashes, hangs or other exceptions")


def test_without_checksums_the_same_trials_find_wrong_arrays(shards, tmp_path, measured):
    """So they would be found if there were any, and `verify=False` is what its name says."""
    told = make_trials(shards[0], shards[1], tmp_path, 200, verify=False)
    wrong = [trial for trial in told if trial["told"].startswith("wrong: ")]
    assert len(wrong) > 10
    assert {"bit flipped", "64 zeroed", "stale block"} <= {trial["kind"] for trial in wrong}
    measured(f"corruption: schema 2 with verify=False, {len(told)} trials: {len(wrong)} wrong arrays")
