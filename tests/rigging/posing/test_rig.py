"""Rigs of one's own: read, posed, and refused in one line that says what is missing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_clips import sampled_clip, stick_arrays, stick_rig

from rigging.errors import InputError
from rigging.geometry.mesh import volume
from rigging.hand.asset import load_asset
from rigging.joints import JOINT_PARENTS
from rigging.posing.pose import pose_rig
from rigging.posing.rig import load_rig, make_rig, subject_rig

quick = settings(max_examples=5, deadline=None)
RNG = np.random.default_rng(0)


def stored(tmp_path, **changes):
    """A rig's file with changed keys; None leaves one out."""
    arrays = {key: value for key, value in (stick_arrays(RNG) | changes).items() if value is not None}
    np.savez(tmp_path / "rig.npz", **arrays)
    return tmp_path / "rig.npz"


@quick
@given(st.integers(0, 2**32 - 1))
def test_a_rig_of_ones_own_moves_by_the_sum_of_its_bones_maps(seed):
    arrays = stick_arrays(np.random.default_rng(seed))
    hand = pose_rig(make_rig(**arrays), sampled_clip(2), skinning="linear")
    for frame in range(2):
        expected = np.zeros_like(arrays["vertices"])
        for bone, parent in enumerate(np.maximum(JOINT_PARENTS, 0)):
            local = arrays["vertices"] - arrays["joints"][parent]
            moved = local @ hand.rotations[frame, bone].T + hand.joints[frame, parent]
            expected += arrays["weights"][:, bone, None] * moved
        np.testing.assert_allclose(hand.vertices[frame], expected, atol=1e-12)


def test_our_own_hand_as_such_a_file_is_posed_alike(tmp_path):
    ours = subject_rig(load_asset())
    np.savez(
        tmp_path / "ours.npz", joints=ours.joints, vertices=ours.vertices, weights=ours.weights, dorsal=ours.dorsal
    )
    other = load_rig(tmp_path / "ours.npz")
    assert other.faces is None
    for mode in ("palm", "ik"):
        ours_posed, posed = (pose_rig(rig, sampled_clip(3), mode) for rig in (ours, other))
        np.testing.assert_allclose(posed.vertices, ours_posed.vertices, atol=1e-12)


def test_weights_come_back_and_are_brought_to_sums_of_one():
    arrays = stick_arrays(RNG)
    rig = make_rig(**(arrays | {"weights": 3 * arrays["weights"]}))
    np.testing.assert_allclose(rig.weights, arrays["weights"], atol=1e-12)
    assert rig.weight_bones.shape == (84, 6)


def test_all_that_is_missing_is_one_line(tmp_path):
    with pytest.raises(InputError) as error:
        load_rig(stored(tmp_path, weights=None, joints=None))
    assert str(error.value) == (
        f"{tmp_path / 'rig.npz'}: the rig has no joints (21, 3), no weights (V, 21); it holds vertices, faces"
    )


def test_a_file_that_is_not_there_or_no_npz_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.npz: no such rig"):
        load_rig(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("joints")
    with pytest.raises(InputError, match=r"text\.npz: not a readable \.npz"):
        load_rig(tmp_path / "text.npz")


def spoiled(key: str, index: object, value: float) -> np.ndarray:
    array = stick_arrays(RNG)[key].copy()
    array[index] = value
    return array


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"joints": np.zeros((20, 3))}, r"joints has shape \(20, 3\), allowed is \(21, 3\)"),
        ({"weights": np.ones((83, 21))}, r"weights has shape \(83, 21\), allowed is \(84, 21\)"),
        ({"vertices": np.float64(1)}, r"vertices has shape \(\), allowed is \(0, 3\)"),
        ({"faces": np.zeros((0, 3), int)}, r"faces has shape \(0, 3\), allowed is \(F, 3\)"),
        ({"faces": np.zeros((4, 3))}, "faces is float64, allowed are whole numbers"),
        ({"faces": spoiled("faces", (3, 1), 84)}, "faces refer to vertices 0 to 84, allowed are 0 to 83"),
        ({"vertices": spoiled("vertices", 5, np.nan)}, "vertices has values that are not finite"),
        ({"joints": 1000 * stick_arrays(RNG)["joints"]}, r"allowed is 0\.02 to 0\.3 \(metres; divide .* millimetres\)"),
        ({"joints": stick_arrays(RNG)["joints"] * [-1, 1, 1]}, "those of a left hand, allowed is a right one"),
        ({"weights": spoiled("weights", 7, 0.0)}, "weights of vertex 7 are negative or all zero"),
        ({"weights": spoiled("weights", (9, 2), -0.1)}, "weights of vertex 9 are negative"),
        ({"dorsal": np.zeros((5, 3))}, "dorsal has a vector of length zero"),
    ],
)
def test_what_is_wrong_with_a_rig_is_one_line_that_names_the_file(tmp_path, changes, message):
    with pytest.raises(InputError, match=rf"rig\.npz: .*{message}") as error:
        load_rig(stored(tmp_path, **changes))
    assert "\n" not in str(error.value)


def test_the_mirrored_rig_keeps_its_inside_inside():
    for rig in (stick_rig(), stick_rig().mirror(), subject_rig(load_asset()).mirror()):
        assert volume(rig.vertices, rig.faces) > 0
