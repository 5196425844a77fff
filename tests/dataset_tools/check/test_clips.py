"""Checks of clips: whole clips are looked at together, a few samples at a time, and what breaks one is named."""

from __future__ import annotations

import json

import numpy as np
import pytest
from paired import pair_records, paired_shard_record

from dataset_tools import HandDataset
from dataset_tools.check import sample as checks
from dataset_tools.check import validate as validation
from dataset_tools.check.duplicates import NEIGHBOURS, duplicates
from dataset_tools.check.sample import SAMPLE_CHECKS, Outcome, check_rows, clips_of
from dataset_tools.check.shard_facts import shard_facts
from dataset_tools.store.encode import encode_sample
from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.manifest import write_manifest
from dataset_tools.store.writer import write_shard

POSES = 3
CHECKS = {check.name: check for check in SAMPLE_CHECKS}


@pytest.fixture(scope="module")
def clips() -> list[list[dict]]:
    """Two clips of three poses."""
    return [pair_records(number, count=POSES) for number in range(2)]


def release(folder, records, cut=None) -> ReleaseFolder:
    """A release of clips, of one shard; `cut` is what its shards were truncated to."""
    shard = paired_shard_record(2 * POSES, 2 * POSES, count=POSES)
    shard["configuration"] = json.dumps(json.loads(shard["configuration"]) | {"samples": cut})
    path = ReleaseFolder(folder).shard(0)
    write_manifest(path, write_shard(path, map(encode_sample, records), shard))
    return ReleaseFolder(folder)


@pytest.fixture(scope="module")
def whole(clips, tmp_path_factory) -> ReleaseFolder:
    """Both clips. Not to be changed."""
    return release(tmp_path_factory.mktemp("whole"), clips[0] + clips[1])


def failing(outcome: Outcome) -> set[str]:
    return {name for name, figure in outcome.figures.items() if CHECKS[name].fails(figure.value)}


def test_consistent_clips_pass(whole):
    report = validation.validate(whole).report
    assert (report.samples, report.verdict, list(report.problems)) == (6, "pass", [])
    assert {"flow", "flow_visible", "warp", "framing", "same_ring"} <= set(report.results[1].figures)


def test_a_job_holds_whole_clips(whole, monkeypatch):
    facts = shard_facts(whole.shard(0))
    assert validation._batches(facts) == [range(0, 6)]
    monkeypatch.setattr(validation, "BATCH", 2)
    assert validation._batches(facts) == [range(0, 3), range(3, 6)]
    light = HandDataset(whole.shard(0), fields=["pair", "vertices_world"])
    assert [(clip.rows, len(clip.hands)) for clip in clips_of(light, range(6))] == [([0, 1, 2], 3), ([3, 4, 5], 3)]


def test_samples_of_a_clip_do_not_keep_each_other_in_memory(whole, monkeypatch):
    seen = []
    outcome = checks._outcome

    def looked_at(row, sample):
        seen.append((sample, sample.before, sample.after, sample.first))
        return outcome(row, sample)

    monkeypatch.setattr(checks, "_outcome", looked_at)
    check_rows(whole.shard(0), range(3))
    (first, *_), (middle, *_), (last, *_) = seen
    assert [others for _, *others in seen] == [[None, middle, first], [first, last, first], [middle, None, first]]
    assert all(one.before is None and one.after is None for one in (first, middle, last))


@pytest.mark.parametrize("field", ["flow_forward", "flow_backward"])
def test_flow_of_a_middle_pose_is_held_against_both_neighbours(field, clips, tmp_path):
    broken = [clips[0][0], clips[0][1] | {field: -clips[0][1][field]}, clips[0][2]]
    outcomes = check_rows(release(tmp_path, broken).shard(0), range(3))
    assert ["flow" in failing(outcome) for outcome in outcomes] == [False, True, False]


@pytest.mark.parametrize(("cut", "wrong"), [(None, {"flow_valid"}), (2, set())])
def test_flow_may_lead_out_of_a_shard_only_where_it_was_cut(cut, wrong, clips, tmp_path):
    outcomes = check_rows(release(tmp_path, clips[0][:2], cut).shard(0), range(2))
    assert [failing(outcome) & {"flow_valid"} for outcome in outcomes] == [set(), wrong]


def test_cameras_are_held_against_all_hands_that_they_frame(clips, tmp_path):
    """Poses that are no neighbours of a sample decide where its cameras stand, too."""
    moved = clips[0][2] | {"vertices_world": clips[0][2]["vertices_world"] + np.float32([0, 0, 0.05])}
    outcomes = check_rows(release(tmp_path, [*clips[0][:2], moved]).shard(0), range(3))
    assert all("framing" in failing(outcome) for outcome in outcomes)


def test_a_pose_in_two_splits_is_found_though_both_its_clips_rest():
    """More poses of their own clips than are compared in releases of pairs are nearer than the one that leaks."""
    rest = 4 * NEIGHBOURS
    number = np.arange(2 * rest)
    poses = np.zeros((2 * rest, 60), np.float32)
    poses[:, 0] = number * 1e-4 + np.where(number < rest, 0, 4.5e-3)  # palm lengths
    hashes = np.random.default_rng(0).integers(0, 2**63, (2 * rest, 2)).astype(np.uint64)
    columns = {
        "shard": number // 100, "row": number, "sample": number, "pair": number // rest,
        "split": np.where(number < rest, "train", "val"),
    }  # fmt: skip
    (found,) = duplicates(hashes, poses, columns)
    assert len(found.samples) == 2 * rest
