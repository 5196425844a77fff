"""A PoseClip is checked when made, never changes, and survives the disk byte for byte."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import FrozenInstanceError, fields

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from layouts import moving_hand

from rigging.poses.clip import PoseClip, PoseError, load_arrays, load_clip, save_clip

IDENTITY = {"name": "a/0", "subject": "s", "source": "npz", "licence": "CC0"}


def make(frames: int = 3, **changes) -> PoseClip:
    return PoseClip(**{"joints": moving_hand(frames), **IDENTITY, **changes})


def test_arrays_are_read_only_copies():
    joints = moving_hand(3)
    clip = make(joints=joints, extra={"radius": np.ones((3, 25))})
    joints[:] = 0
    assert np.abs(clip.joints).max() > 0.1 and clip.joints.dtype == np.float32
    for array in (clip.joints, clip.valid, clip.extra["radius"]):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(FrozenInstanceError):
        clip.hand = "left"


def test_a_joint_that_is_not_finite_is_not_valid():
    joints = moving_hand(2)
    joints[1, 4, 2] = np.nan
    for valid in (None, np.ones((2, 21), bool)):
        clip = make(joints=joints, valid=valid)
        assert np.argwhere(~clip.valid).tolist() == [[1, 4]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"joints": np.zeros((3, 20, 3))}, r"joints have shape \(3, 20, 3\), allowed is \(T, 21, 3\)"),
        ({"joints": np.zeros((0, 21, 3))}, "T >= 1"),
        ({"joints": "no numbers"}, "joints is no array of numbers"),
        ({"valid": np.ones((2, 21), bool)}, r"valid has shape \(2, 21\), allowed is \(3, 21\)"),
        ({"hand": "left"}, "mirror a left hand first"),
        ({"fps": -1.0}, "fps is -1.0"),
        ({"frame_ids": (1, 2)}, "2 frame_ids for 3 frames"),
        ({"up": (0.0, 2.0, 0.0)}, "unit vector"),
        ({"angles": np.zeros((3, 25))}, r"allowed is \(3, 26\)"),
        ({"extra": {"K": np.zeros((2, 3, 3))}}, "first axis must be 3"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(changes, message):
    with pytest.raises(PoseError, match=message) as caught:
        make(**changes)
    assert "npz clip a/0" in str(caught.value) and "\n" not in str(caught.value)


def assert_equal(first: PoseClip, second: PoseClip) -> None:
    for item in fields(PoseClip):
        a, b = getattr(first, item.name), getattr(second, item.name)
        if item.name == "extra":
            assert a.keys() == b.keys()
            for key in a:
                np.testing.assert_array_equal(a[key], b[key])
        elif isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b)
        else:
            assert a == b, item.name


@settings(deadline=None, max_examples=15)
@given(
    frames=st.integers(1, 4),
    fps=st.none() | st.floats(0.1, 240),
    up=st.sampled_from([None, (0.0, 1.0, 0.0), (0.0, 0.0, -1.0)]),
    ids=st.sampled_from([lambda i: i, lambda i: f"0001/{i:08d}"]),
    mirrored=st.booleans(),
    angles=st.booleans(),
)
def test_a_saved_clip_reads_back_the_same(tmp_path_factory, frames, fps, up, ids, mirrored, angles):
    path = tmp_path_factory.mktemp("clip") / "clip.npz"
    clip = make(
        frames,
        fps=fps,
        up=up,
        frame_ids=tuple(ids(i) for i in range(frames)),
        mirrored=mirrored,
        angles=np.ones((frames, 26)) if angles else None,
        extra={"z": np.arange(frames), "a": np.ones((frames, 36, 3), np.float32)},
        sha256="00ff",
    )
    save_clip(path, clip)
    assert_equal(load_clip(path), clip)


def test_the_same_clip_gives_the_same_bytes_and_no_other_file(tmp_path):
    for name in ("a.npz", "b.npz"):
        save_clip(tmp_path / name, make())
    digests = {hashlib.sha256((tmp_path / name).read_bytes()).digest() for name in ("a.npz", "b.npz")}
    assert len(digests) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.npz", "b.npz"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "clip.npz"
    save_clip(path, make())
    before = path.read_bytes()

    def half_written(file, **arrays):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez", half_written)
    with pytest.raises(OSError, match="disk full"):
        save_clip(path, make(2))
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_selecting_frames_keeps_everything_in_step():
    clip = make(5, frame_ids=tuple("abcde"), extra={"n": np.arange(5)}, angles=np.arange(5)[:, None] * np.ones(26))
    part = clip.select(slice(1, 4), "a/1")
    assert part.frame_ids == ("b", "c", "d") and part.name == "a/1" and len(part) == 3
    np.testing.assert_array_equal(part.joints, clip.joints[1:4])
    np.testing.assert_array_equal(part.extra["n"], [1, 2, 3])
    np.testing.assert_array_equal(part.angles[:, 0], [1, 2, 3])


@pytest.mark.parametrize("keep", [0, 10, 200, -40])
def test_a_truncated_file_is_named(tmp_path, keep):
    path = tmp_path / "cut.npz"
    save_clip(path, make())
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(PoseError, match=r"cut\.npz: not a whole \.npz"):
        load_clip(path)


def test_a_foreign_or_missing_file_is_named(tmp_path):
    np.savez(tmp_path / "other.npz", joints=np.zeros((1, 21, 3)))
    with pytest.raises(PoseError, match=r"other\.npz: no format key, allowed is a pose clip"):
        load_clip(tmp_path / "other.npz")
    with pytest.raises(FileNotFoundError, match=r"gone\.npz: no such pose file"):
        load_clip(tmp_path / "gone.npz")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the file is empty"),
        (b"PK", "it does not begin as one"),
        (b"\x93NUMPY\x01\x00\x16\x00{'descr': '<f8', 'fort", "its head is damaged"),
        (b"\x93NUMPY\x01\x00\x40\x00{'descr': '<f8'", "EOF: reading array header"),
    ],
)
def test_a_damaged_file_has_a_true_cause(tmp_path, content, told):
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(PoseError, match=rf"a\.npy: not a whole .*{told}"):
        load_arrays(tmp_path / "a.npy")


def test_what_file_managers_add_to_archives_is_passed_over(tmp_path):
    np.savez(tmp_path / "a.npz", joints=np.zeros(3))
    with zipfile.ZipFile(tmp_path / "a.npz", "a") as archive:
        archive.writestr("__MACOSX/._joints.npy", b"\0\5\x16\7")
    assert list(load_arrays(tmp_path / "a.npz")) == ["joints"]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("subject", ["s"] * 3, "a text"),
        ("subject", np.nan, "a text"),
        ("hand", ["right"] * 3, "a text"),
        ("fps", np.full(3, 30.0), "a number"),
        ("fps", "30", "a number"),
        ("mirrored", "yes", "true or false"),
        ("up", "y", "three numbers"),
        ("frame_ids", 3, r"numbers or texts \(T,\)"),
        ("valid", np.full((3, 21), 0.02), r"true and false \(T, 21\)"),
        ("joints", moving_hand(3).astype(str), r"numbers \(T, 21, 3\)"),
    ],
)
def test_what_a_saved_clip_cannot_hold_is_refused_not_coerced(tmp_path, key, value, words):
    save_clip(tmp_path / "a.npz", make())
    np.savez(tmp_path / "a.npz", **(load_arrays(tmp_path / "a.npz") | {key: np.asarray(value)}))
    with pytest.raises(PoseError, match=rf"a\.npz: {key} is .*, allowed is {words}"):
        load_clip(tmp_path / "a.npz")
