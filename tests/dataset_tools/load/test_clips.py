"""Pairs and clips as items: stacked along an axis of frames, found in the index, and taken apart again."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from records import make_record, shard_record

from dataset_tools import HandDataset, TorchHandDataset
from dataset_tools.load.clips import clip_bounds, stack, unstack
from dataset_tools.load.sampler import ShardSampler
from dataset_tools.load.transforms import mirror
from dataset_tools.store.encode import encode_sample
from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.manifest import write_manifest
from dataset_tools.store.writer import write_shard
from rigging.errors import InputError

FIELDS = ["rgb", "joints_world", "joints_2d", "sample", "pair", "pair_role", "clip", "shape", "split"]
POSES, SHARDS = 3, ((0, 1), (2,), (3,))  # clips of three poses by shard; the last shard was cut short


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Four clips in three shards; of the last one only two poses. Not to be changed."""
    folder, one = ReleaseFolder(tmp_path_factory.mktemp("clips")), np.array([[0, 1, 2]], np.int32)
    for number, clips in enumerate(SHARDS):
        samples = [POSES * clip + role for clip in clips for role in range(POSES)][: 2 if number == 2 else None]
        shard = shard_record() | {"shard": number, "faces": one, "face_part": np.ones(1, np.uint8), "arm_faces": one}
        path = folder.shard(number)
        write_manifest(path, write_shard(path, [encode_sample(small(sample)) for sample in samples], shard))
    return folder.path


def small(sample: int) -> dict:
    """A record that is quick to write, of a clip of POSES."""
    record = make_record(sample, views=2, size=8)
    record |= {"vertices_world": record["vertices_world"][:3], "arm_vertices_world": record["arm_vertices_world"][:3]}
    pair, role = divmod(sample, POSES)
    return record | {"pair": pair, "pair_role": role, "split": "val" if pair == 2 else "train"}


@pytest.fixture
def hands(folder) -> HandDataset:
    return HandDataset(folder, fields=FIELDS)


def same(one: dict, other: dict) -> bool:
    if list(one) != list(other):
        return False
    values = zip(one.values(), other.values())
    return all(same(a, b) if isinstance(a, dict) else np.array_equal(a, b) for a, b in values)


def test_a_clip_is_its_samples_with_an_axis_of_frames(hands):
    clips = hands.clips_as_items()
    assert len(clips) == 4
    assert clips[1]["rgb"].shape == (3, 2, 8, 8, 3)
    assert clips[1]["joints_2d"].shape == (3, 2, 21, 2)
    assert clips[1]["meta"]["pair_role"].tolist() == [0, 1, 2]
    assert clips[1]["meta"]["shape"].shape == (3, 4)
    assert clips[1]["meta"]["clip"] == ["turn"] * 3
    assert clips[-1]["meta"]["sample"].tolist() == [9, 10]
    for clip, rows in zip(clips, (range(3), range(3, 6), range(6, 9), range(9, 11))):
        assert all(same(frame, hands[row]) for frame, row in zip(unstack(clip), rows, strict=True))


def test_clips_of_chosen_samples_views_and_fields(hands, folder):
    clips = hands.clips_as_items()
    assert [clip["meta"]["pair"][0] for clip in clips.select(split="val")] == [2]
    assert [len(clip["rgb"]) for clip in clips.select(where={"pair_role": [0, 2]})] == [2, 2, 2, 1]
    one = HandDataset(folder, fields=["rgb"], views=[1], items="clip")
    assert np.array_equal(one[2]["rgb"][:, 0], hands.clips_as_items()[2]["rgb"][:, 1])
    assert list(one[2]) == ["rgb"]
    with pytest.raises(IndexError, match="clip 4 of a data set of 4"):
        one[4]


def test_clips_are_found_in_their_shards_also_by_a_sampler_and_another_process(hands):
    clips = hands.clips_as_items()
    assert clips.shard_lengths.tolist() == [2, 1, 1]
    assert clips.select(split="val").shard_lengths.tolist() == [0, 1, 0]
    assert [(path.name, row) for path, row in map(clips.locate, range(4))] == [
        ("shard-00000.h5", 0), ("shard-00000.h5", 3), ("shard-00001.h5", 0), ("shard-00002.h5", 0),
    ]  # fmt: skip
    assert sorted(ShardSampler(clips, seed=1)) == [0, 1, 2, 3]
    assert same(pickle.loads(pickle.dumps(clips))[2], clips[2])


def test_pairs_are_clips_of_two(release):
    clips = HandDataset(release, fields=["flow_forward_valid", "pair"], items="clip")
    assert [clip["meta"]["pair"].tolist() for clip in clips] == [[0, 0], [1], [1]]  # a pair never spans two shards


def test_frames_of_a_clip_can_be_moved_and_stacked_again(hands):
    clip = hands.clips_as_items()[0]
    with pytest.raises(InputError, match=r"mirror: rgb has shape \(3, 2, 8, 8, 3\).* each frame of load.clips.unstack"):
        mirror(clip)
    moved = stack([mirror(frame) for frame in unstack(clip)])
    assert np.array_equal(moved["rgb"], clip["rgb"][:, :, :, ::-1])


def test_clips_become_tensors(folder):
    torch = pytest.importorskip("torch")
    clip = TorchHandDataset(folder, fields=FIELDS).clips_as_items()[0]
    assert clip["rgb"].shape == (3, 2, 8, 8, 3) and clip["rgb"].dtype is torch.uint8
    assert clip["meta"]["pair_role"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        ([], "no samples"),
        ([{"a": 1}, {"b": 1}], "the samples have different fields"),
        ([{"a": np.zeros(2)}, {"a": np.zeros(3)}], r"a differs in shape: \(2,\), \(3,\)"),
    ],
)
def test_what_is_no_clip_is_not_stacked(samples, words):
    with pytest.raises(InputError, match=f"stack: {words}"):
        stack(samples)
    assert unstack({}) == []


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=12))
def test_bounds_are_where_shard_or_pair_changes(samples):
    shard, pair = np.array(samples, int).reshape(-1, 2).T
    bounds = clip_bounds(shard, pair)
    naive = [i for i in range(len(samples)) if i == 0 or samples[i] != samples[i - 1]]
    assert bounds.tolist() == [*naive, len(samples)]
