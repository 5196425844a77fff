"""Plain arrays: what describes the joints is used, or refused in one line; nothing is silently coerced."""

from __future__ import annotations

import io

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from layouts import in_order, mirrored, moving_hand

from rigging.poses.clip import PoseError
from rigging.poses.readers.columns import as_valid, per_joint, per_row
from rigging.poses.registry import open_source

JOINTS = moving_hand(6)


def read(path, **options):
    return list(open_source(f"npz:{path}", **options).clips())


@pytest.fixture
def file(tmp_path):
    def save(**arrays):
        np.savez(tmp_path / "rec.npz", **({"joints": JOINTS} | arrays))
        return tmp_path / "rec.npz"

    return save


@pytest.mark.parametrize("shape", [(6, 21), (6,), (21,)])
def test_confidences_need_a_threshold(file, shape):
    for odd in (0.02, -1.0, 2):
        path = file(valid=np.full(shape, odd))
        with pytest.raises(
            PoseError, match=rf"valid holds {odd:g}, allowed are true and false .*threshold=0\.5"
        ) as told:
            read(path)
        assert "\n" not in str(told.value)
        (clip,) = read(path, threshold=odd)
        assert clip.valid.all()
        (clip,) = read(path, threshold=odd + 0.5)
        assert not clip.valid.any()


def test_truth_values_need_none_whatever_their_type(file):
    mask = np.random.default_rng(0).random((6, 21)) < 0.5
    for dtype in (bool, np.uint8, float):
        (clip,) = read(file(valid=mask.astype(dtype)))
        np.testing.assert_array_equal(clip.valid, mask)
    (clip,) = read(file(valid=mask[:, 0]))  # one per frame
    np.testing.assert_array_equal(clip.valid, np.tile(mask[:, :1], 21))


def test_a_confidence_that_is_nan_is_not_valid():
    np.testing.assert_array_equal(as_valid(np.array([np.nan, 0.4, 0.6]), 0.5, ""), [False, False, True])
    with pytest.raises(PoseError, match="holds nan"):
        as_valid(np.array([np.nan, 1.0]), None, "valid")
    with pytest.raises(PoseError, match="is <U3"):
        as_valid(np.array(["yes"]), None, "valid")


def test_validity_may_be_in_the_order_of_the_file(file):
    points = in_order("openxr26", JOINTS)
    points[:, 0] = JOINTS[:, 9]
    seen = np.ones((6, 26), bool)
    seen[2, 2] = False  # OpenXR's thumb metacarpal
    (clip,) = read(file(joints=points, order="openxr26", valid=seen))
    np.testing.assert_allclose(clip.joints, JOINTS, atol=1e-6)
    assert [tuple(where) for where in np.argwhere(~clip.valid)] == [(2, 1)]


def test_people_and_hands_by_frame_become_clips_of_their_own(file):
    who = np.array(["anna", "anna", "ben", "ben", "ben", "anna"])
    clips = read(file(subject=who))
    assert [(c.subject, c.frame_ids) for c in clips] == [("anna", (0, 1)), ("ben", (2, 3, 4)), ("anna", (5,))]
    assert len({clip.name for clip in clips}) == 3
    left = np.array([False, True, True, True, False, False])
    joints = np.where(left[:, None, None], mirrored(JOINTS), JOINTS)
    clips = read(file(joints=joints, hand=np.where(left, "left", "right"), subject="anna"))
    assert [(c.mirrored, c.frame_ids) for c in clips] == [(False, (0,)), (True, (1, 2, 3)), (False, (4, 5))]
    np.testing.assert_allclose(np.concatenate([clip.joints for clip in clips]), JOINTS, atol=1e-6)


def test_several_hands_in_a_frame_become_clips_of_their_own(file):
    both = np.stack([JOINTS, mirrored(JOINTS)], axis=1)
    both[3, 1] = np.nan  # the left hand leaves for a frame
    clips = read(file(joints=both, hand=["right", "left"], subject=["anna", "ben"]))
    assert [(c.subject, c.mirrored, c.frame_ids) for c in clips] == [
        ("anna", False, (0, 1, 2, 3, 4, 5)),
        ("ben", True, (0, 1, 2)),
        ("ben", True, (4, 5)),
    ]
    np.testing.assert_allclose(clips[1].joints, JOINTS[:3], atol=1e-6)
    with pytest.raises(PoseError, match="both hands are in it"):
        read(file(joints=both, hand=["right", "left"]), hand="left")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"subject": ["a", "b"]}, r"subject has shape \(2,\), allowed is one or one per frame \(6,\)"),
        ({"hand": ["right"] * 5}, r"hand has shape \(5,\)"),
        ({"hand": ["right"] * 5 + ["both"]}, "hand is 'both', allowed are right, left"),
        ({"fps": [30, 60, 30, 30, 30, 30]}, "fps holds 2 values, allowed is one for the file"),
        ({"licence": ["CC0", "mine"]}, "licence holds 2 values"),
        ({"unit": ["m", "mm"]}, "unit holds 2 values"),
        ({"fps": -1}, "fps is -1, allowed is a positive number"),
        ({"fps": "fast"}, "fps is 'fast'"),
        ({"up": np.zeros((6, 3))}, r"up has shape \(6, 3\), allowed is \(3,\) for the whole file"),
        ({"frame_ids": range(5)}, r"frame_ids has shape \(5,\), allowed is \(6,\)"),
        ({"valid": np.ones((6, 20))}, r"valid has shape \(6, 20\)"),
        ({"confidence": np.full(6, 0.5)}, "confidence holds 0.5"),
        ({"joints": JOINTS.transpose(0, 2, 1)}, r"\(6, 3, 21\), allowed .* \(T, 21, 3\): rows and columns are swapped"),
        ({"joints": JOINTS.reshape(6, 63)}, r"\(6, 63\), allowed"),
        ({"joints": JOINTS.astype(str)}, r"joints are <U.*\(T, 21, 3\)$"),
        ({"joints": JOINTS.astype(complex)}, "joints are complex128"),
        ({"joints": np.full((6, 21, 3), np.nan)}, "no hand is tracked in it"),
        ({"depth": JOINTS}, "unknown key depth, allowed are joints, valid"),
        ({"mat": JOINTS}, "unknown key mat, .*; it looks like webxr:PATH"),
        ({"subject": [1.0, 1.0, 1.0, np.nan, 2.0, 2.0]}, "subject holds nan, allowed are texts and whole numbers"),
        ({"subject": np.arange(6) > 3}, "subject is bool"),
        ({"frame_ids": np.arange(6) / 30}, "frame_ids holds 0.0333333, allowed are texts and whole numbers"),
        ({"order": "rhdd"}, "joint order 'rhdd' is unknown"),
        ({"licence": 3}, "licence is 3, allowed is a text"),
        ({"fps": []}, "fps holds 0 values"),
        ({"valid": np.ones((21, 6))}, r"allowed is one per frame \(6,\) or per joint \(6, 21\)"),
        ({"joints": JOINTS[:0]}, r"\(0, 21, 3\), allowed for order canonical are numbers of shape \(T, 21, 3\)$"),
        ({"joints": np.zeros((6, 21, 4))}, "a fourth number that is a confidence goes under the key confidence$"),
        ({"joints": np.zeros((6, 42, 3))}, r"two hands\? They go as \(T, 2, 21, 3\)$"),
        ({"joints": np.zeros((6, 26, 3))}, "allowed for order canonical are .*: order openxr26?"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(file, arrays, message):
    with pytest.raises(PoseError, match=message) as told:
        read(file(**arrays))
    assert "rec.npz" in str(told.value) and "\n" not in str(told.value)


def test_a_value_that_is_the_same_for_all_frames_is_one(file):
    (clip,) = read(file(fps=np.full(6, 30), licence=["CC0"] * 6, subject=["anna"] * 6))
    assert (clip.fps, clip.licence, clip.subject) == (30, "CC0", "anna")


def test_options_go_before_the_keys_of_a_file(file):
    path = file(joints=1000 * mirrored(JOINTS), hand="right", unit="m", order="rhd")
    (clip,) = read(path, hand="left", unit="mm", order="canonical")
    np.testing.assert_allclose(clip.joints, JOINTS, atol=1e-6)


def test_points_in_another_order_than_told_are_named_with_the_order_they_are_in(file):
    with pytest.raises(PoseError, match="no hands in order rhd, but in order canonical"):
        read(file(order="rhd"))
    with pytest.raises(PoseError, match="no hands in order canonical, but in order interhand"):
        read(file(joints=in_order("interhand", JOINTS)))


def test_joints_may_stand_alone(tmp_path):
    np.save(tmp_path / "rec.npy", 1000 * JOINTS.astype(np.float32))
    (clip,) = read(tmp_path / "rec.npy", fps=30.0, licence="CC0")
    np.testing.assert_allclose(clip.joints, JOINTS, atol=1e-6)
    assert (clip.fps, clip.licence, clip.subject) == (30, "CC0", "rec")
    np.savez(tmp_path / "alone.npz", JOINTS)
    np.testing.assert_allclose(read(tmp_path / "alone.npz")[0].joints, JOINTS, atol=1e-6)
    np.save(tmp_path / "objects.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(PoseError, match="holds Python objects, which are not read"):
        read(tmp_path / "objects.npy")


@settings(deadline=None, max_examples=150)
@given(data=st.data(), packed=st.sampled_from(["npz", "compressed", "npy"]))
def test_a_damaged_archive_is_one_line_or_other_arrays(tmp_path_factory, data, packed):
    """Cut short, or with some bytes changed: never anything but a PoseError."""
    content = bytearray(_archive(packed))
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content)))]
    for _ in range(data.draw(st.integers(0, 3)) if content else 0):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / f"rec.{'npy' if packed == 'npy' else 'npz'}"
    path.write_bytes(content)
    try:
        read(path)
    except PoseError as fault:
        said = str(fault)
        if path.name not in said or "\n" in said:
            pytest.fail(said)


def _archive(packed: str) -> bytes:
    file = io.BytesIO()
    if packed == "npy":
        np.save(file, JOINTS)
    else:
        write = np.savez if packed == "npz" else np.savez_compressed
        write(file, joints=JOINTS, unit="m", valid=np.ones((6, 21), bool))
    return file.getvalue()


@pytest.mark.parametrize(
    ("value", "frames", "hands", "expected"),
    [
        ("a", 2, 2, "aaaa"),
        (["a", "b"], 2, 1, "ab"),
        (["a", "b"], 3, 2, "ababab"),
        (["a", "b"], 2, 2, "abab"),  # as many frames as hands: per hand
        ([["a", "b"], ["c", "d"]], 2, 2, "abcd"),
    ],
)
def test_a_value_stands_for_the_file_a_hand_a_frame_or_each(value, frames, hands, expected):
    assert "".join(per_row(np.array(value), frames, hands, "")) == expected


def test_an_empty_or_foreign_file_is_told_by_how_it_begins(tmp_path):
    for content in (b"", b"\0\5\x16\7", b"\x93NUMPY", b"PK"):
        (tmp_path / "a.npz").write_bytes(content)
        with pytest.raises(PoseError, match=r"a\.npz: not a whole \.npz"):
            read(tmp_path / "a.npz")


def test_values_per_joint_of_several_hands():
    values = np.arange(2 * 2 * 21).reshape(2, 2, 21)
    np.testing.assert_array_equal(per_joint(values, 2, 2, "canonical", ""), values.reshape(4, 21))
    with pytest.raises(PoseError, match="shape"):
        per_joint(values[0], 2, 2, "canonical", "valid")
