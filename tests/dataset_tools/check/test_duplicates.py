"""Near-duplicates are found however they are hidden, and nothing else is."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_tools.check.duplicates import (
    SAME_PICTURE,
    SAME_POSE,
    duplicates,
    groups,
    near_pictures,
    near_poses,
    picture_hashes,
    pose_descriptor,
)
from rigging.geometry.rotations import random_rotation

SPLITS = np.array(["train", "test"])


def columns(count: int, **more: np.ndarray) -> dict[str, np.ndarray]:
    """An index of pairs, all of the split `train`, in shards of ten."""
    rows = np.arange(count)
    return {"shard": rows // 10, "row": rows % 10, "pair": rows // 2, "split": np.full(count, "train")} | more


def random_hashes(rng: np.random.Generator, count: int, views: int = 8) -> np.ndarray:
    return rng.integers(0, 2**64, (count, views), dtype=np.uint64)


def flipped(hashes: np.ndarray, bits: int, rng: np.random.Generator) -> np.ndarray:
    """Hashes (V,) with `bits` bits of each turned over."""
    masks = [sum(1 << int(bit) for bit in rng.choice(64, bits, replace=False)) for _ in hashes]
    return hashes ^ np.array(masks, np.uint64)


def random_poses(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.normal(0, 0.05, (count, 60)).astype(np.float32)


def bits_between(one: np.ndarray, other: np.ndarray) -> int:
    """Bits of the view that differs most, counted one by one."""
    return max(bin(int(a) ^ int(b)).count("1") for a, b in zip(one, other))


def linked(near: np.ndarray, count: int) -> list[set[int]]:
    """The connected sets of a graph, by walking it."""
    neighbours = {i: {i} for i in range(count)}
    for a, b in near:
        neighbours[int(a)].add(int(b))
        neighbours[int(b)].add(int(a))
    left, out = set(range(count)), []
    while left:
        reached, edge = set(), {min(left)}
        while edge:
            reached |= edge
            edge = set().union(*(neighbours[i] for i in edge)) - reached
        left -= reached
        out.append(reached)
    return out


# hashes and descriptors


def test_a_hash_forgives_compression_brightness_and_noise_but_not_another_hand(records):
    rng = np.random.default_rng(0)
    rgb, parts = records[0]["rgb"], records[0]["parts"]
    own = picture_hashes(rgb, parts)
    saved = [cv2.imdecode(cv2.imencode(".jpg", view, [cv2.IMWRITE_JPEG_QUALITY, 50])[1], 1) for view in rgb]
    noisy = np.clip(rgb * 1.1 + 5 + rng.normal(0, 3, rgb.shape), 0, 255).astype(np.uint8)
    assert bits_between(own, picture_hashes(np.stack(saved), parts)) <= SAME_PICTURE
    assert bits_between(own, picture_hashes(noisy, parts)) <= SAME_PICTURE
    for other in records[1:]:
        assert bits_between(own, picture_hashes(other["rgb"], other["parts"])) > SAME_PICTURE + 4


@pytest.mark.parametrize("background", ["flat", "busy"])
def test_a_background_that_stands_still_makes_no_duplicates(records, background):
    rng = np.random.default_rng(1)
    size = records[0]["rgb"].shape[1]
    busy = cv2.resize(rng.integers(0, 255, (9, 9, 3)).astype(np.uint8), (size, size), interpolation=cv2.INTER_CUBIC)
    behind = busy if background == "busy" else np.zeros_like(busy)
    rgb = [np.where(record["parts"][..., None] > 0, record["rgb"], behind) for record in records]
    hashes = np.stack([picture_hashes(one, record["parts"]) for one, record in zip(rgb, records)])
    poses = random_poses(rng, len(records))
    assert duplicates(hashes, poses, columns(len(records), pair=np.arange(len(records)))) == []


def test_pictures_without_a_hand_have_hashes_too():
    assert picture_hashes(np.zeros((3, 40, 50, 3), np.uint8), np.zeros((3, 40, 50), np.uint8)).shape == (3,)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.5, 2))
def test_a_pose_is_the_same_wherever_and_however_large_the_hand_is(seed, size):
    rng = np.random.default_rng(seed)
    joints = rng.normal(0, 0.05, (21, 3))
    moved = size * joints @ random_rotation(rng).T + rng.normal(size=3)
    np.testing.assert_allclose(pose_descriptor(moved, "right"), pose_descriptor(joints, "right"), atol=1e-4)
    np.testing.assert_allclose(pose_descriptor(moved * [-1, 1, 1], "left"), pose_descriptor(joints, "right"), atol=1e-4)


# naive twins


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_near_pictures_are_those_that_all_comparisons_find(seed):
    rng = np.random.default_rng(seed)
    hashes = random_hashes(rng, 40)
    for copy in range(30, 40):
        hashes[copy] = flipped(hashes[copy - 30], int(rng.integers(0, SAME_PICTURE + 4)), rng)
    naive = [(i, j) for i in range(40) for j in range(i) if bits_between(hashes[i], hashes[j]) <= SAME_PICTURE]
    assert {tuple(sorted(pair)) for pair in near_pictures(hashes).tolist()} == {tuple(sorted(p)) for p in naive}


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_near_poses_tie_together_what_all_comparisons_tie(seed):
    rng = np.random.default_rng(seed)
    poses = random_poses(rng, 40)
    for copy in range(25, 40):
        step = rng.normal(size=60)
        poses[copy] = poses[rng.integers(0, copy)] + rng.uniform(0, 1.5) * SAME_POSE * step / np.linalg.norm(step)
    distance = np.linalg.norm(poses[:, None].astype(float) - poses, axis=-1)
    naive = np.argwhere(distance < SAME_POSE * (1 - 1e-4))
    wide = np.argwhere(distance < SAME_POSE * 1.03)  # poses of one cell of the tree stand for each other
    found = linked(near_poses(poses), 40)
    assert all(any(less <= group for group in found) for less in linked(naive, 40))
    assert all(any(group <= more for more in linked(wide, 40)) for group in found)


def test_groups_leave_out_single_pairs():
    near = np.array([[0, 1], [1, 2], [4, 5], [7, 7]])
    assert [group.tolist() for group in groups(near, np.arange(8) // 2)] == [[0, 1, 2]]


# findings


def test_a_release_without_duplicates_has_no_findings():
    rng = np.random.default_rng(2)
    assert duplicates(random_hashes(rng, 60), random_poses(rng, 60), columns(60)) == []


def test_a_duplicated_sample_is_named_once_with_its_splits():
    rng = np.random.default_rng(3)
    hashes, poses, index = random_hashes(rng, 60), random_poses(rng, 60), columns(60)
    hashes[33], poses[33] = flipped(hashes[12], 3, rng), poses[12]
    index["split"][30:] = "test"
    (finding,) = duplicates(hashes, poses, index)
    assert (finding.check, finding.samples) == ("duplicates", ((1, 2), (3, 3)))
    assert finding.message == "pictures and pose are the same: shard 1 row 2 (train), shard 3 row 3 (test)"


def test_one_pose_in_two_splits_is_named_and_in_one_split_is_not():
    rng = np.random.default_rng(4)
    hashes, poses, index = random_hashes(rng, 60), random_poses(rng, 60), columns(60)
    poses[33] = poses[12] + 1e-5
    assert duplicates(hashes, poses, index) == []
    index["split"] = np.where(np.arange(60) < 30, "train", "test_pose")
    (finding,) = duplicates(hashes, poses, index)
    assert finding.samples == ((1, 2), (3, 3)) and "in several splits" in finding.message


def test_the_two_frames_of_a_pair_may_be_alike():
    rng = np.random.default_rng(5)
    hashes, poses = random_hashes(rng, 60), random_poses(rng, 60)
    hashes[1::2], poses[1::2] = hashes[::2], poses[::2]
    assert duplicates(hashes, poses, columns(60)) == []


def test_pictures_under_other_labels_are_named():
    rng = np.random.default_rng(6)
    hashes, poses = random_hashes(rng, 60), random_poses(rng, 60)
    hashes[40] = hashes[2]
    (finding,) = duplicates(hashes, poses, columns(60))
    assert finding.samples == ((0, 2), (4, 0)) and "the poses are not" in finding.message


def test_one_view_that_is_alike_makes_no_duplicate():
    rng = np.random.default_rng(7)
    hashes = random_hashes(rng, 60)
    hashes[:, 3] = hashes[0, 3]
    assert duplicates(hashes, random_poses(rng, 60), columns(60)) == []


@pytest.mark.parametrize(("count", "alike"), [(40_000, False), (10_000, True)])
def test_many_samples_are_no_burden(count, alike, measured):
    rng = np.random.default_rng(8)
    hashes, poses, index = random_hashes(rng, count), random_poses(rng, count), columns(count)
    if alike:  # the worst there is
        hashes[:], poses[:] = hashes[0], poses[0]
    start = time.process_time()
    found = duplicates(hashes, poses, index)
    spent = time.process_time() - start
    assert len(found) == alike and spent < 15
    measured(f"duplicates among {count} samples, {'all' if alike else 'none'} alike: {spent:.1f} s of processor time")
