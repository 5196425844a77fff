"""Coverage of poses, cameras and people: figures that can be computed by hand, and naive twins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from dataset_tools.statistics.directions import BANDS, SECTORS, cells, faces
from dataset_tools.statistics.hand_sizes import adult_share, largest_gap, size_table
from dataset_tools.statistics.looks import entries_table, skin_table
from dataset_tools.statistics.poses import (
    ANGLES,
    all_angles,
    angle_table,
    cluster,
    effective_number,
    nearest,
    nearest_angles,
    nearest_other,
    range_covered,
    read_reference,
)
from dataset_tools.statistics.views import hand_pixels_table, occlusion_table
from rigging.errors import InputError
from rigging.fingers.kinematics import forward, skeleton
from rigging.hand.asset import load_asset
from rigging.hand.shape import FEMALE_LENGTH, MALE_LENGTH
from rigging.poses.clip import PoseError
from rigging.poses.registry import open_source
from rigging.poses.sampling.diversity import palm_features

SEEDS = st.integers(0, 2**31)


@pytest.fixture(scope="module")
def clips() -> list:
    return list(open_source("procedural?count=60,seed=4").clips())


# ---- poses


def test_angles_are_named_after_what_bends():
    """A straight hand whose ring PIP alone is bent by 60 degrees: that column changes by it, and no other."""
    asset, hand = load_asset(), skeleton(load_asset())
    straight = forward(hand, np.zeros((1, 23)))[0]
    bent = straight.copy()
    knuckle, axis = straight[14], np.cross([0, 0, 1.0], straight[15] - straight[14])
    axis /= np.linalg.norm(axis)
    turn = np.eye(3) * 0.5 + 0.5 * np.outer(axis, axis) + np.sqrt(0.75) * _cross(axis)
    bent[15:17] = knuckle + (straight[15:17] - knuckle) @ turn.T
    change = np.abs(np.subtract(*all_angles(np.stack([bent, straight]), np.zeros((2, 2)))))
    column = ANGLES.index(("ring_pip", "flexion"))
    assert change[column] == pytest.approx(60, abs=8)  # the hinge is not quite across the hand
    assert np.delete(change, column).max() < 12
    assert asset.joints.shape == straight.shape


def _cross(axis: np.ndarray) -> np.ndarray:
    x, y, z = axis
    return np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])


def test_the_angle_table_counts_every_sample_and_says_what_lies_at_a_limit():
    angles = np.zeros((10, len(ANGLES)))
    angles[:3, ANGLES.index(("thumb_cmc", "abduction"))] = 35.0  # the limit
    table = {(row["joint"], row["motion"]): row for row in angle_table(angles)}
    assert all(sum(row["counts"]) == 10 for row in table.values())
    thumb = table["thumb_cmc", "abduction"]
    assert thumb["limits"] == pytest.approx([-35, 35])
    assert thumb["at_limit"] == pytest.approx(0.3)
    assert thumb["counts"][(30 + 60) // 5] == 3  # from 30 to 35 degrees
    assert table["wrist", "flexion"]["at_limit"] == 0


def test_the_range_that_is_met_is_counted_in_steps_of_5_degrees():
    assert range_covered(np.array([0.0, 4.9, 12.0, 70.0]), 0, 50) == pytest.approx(2 / 10)
    assert range_covered(np.array([-1.0, 50.0]), 0, 50) == 0


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.integers(2, 4))
def test_nearest_neighbours_are_those_of_a_literal_search(seed, poses_of_a_pair):
    rng = np.random.default_rng(seed)
    ours, others = rng.normal(size=(24, 5)), rng.normal(size=(9, 5))
    pair = np.arange(24) // poses_of_a_pair
    literal = [min(np.linalg.norm(a - b) for b in others) for a in ours]
    assert nearest(ours, others) == pytest.approx(literal)
    literal = [min(np.linalg.norm(ours[i] - ours[j]) for j in range(24) if pair[j] != pair[i]) for i in range(24)]
    assert nearest_other(ours, pair) == pytest.approx(literal)


def test_angles_apart_are_degrees_of_the_typical_joint(clips):
    angles = all_angles(np.stack([clip.joints[0] for clip in clips]).astype(float), np.zeros((len(clips), 2)))[:, :21]
    assert nearest_angles(angles + 3.0, angles[:1])[0] == pytest.approx(3.0)
    literal = [min(np.sqrt(np.mean((a - b) ** 2)) for b in angles[30:]) for a in angles[:30]]
    assert nearest_angles(angles[:30], angles[30:]) == pytest.approx(literal)


def test_a_single_pair_has_no_neighbour():
    assert np.isinf(nearest_other(np.eye(2), np.zeros(2, int))).all()


def test_the_distance_of_poses_is_in_palm_lengths_free_of_place_and_size(clips):
    joints = np.stack([clip.joints[0] for clip in clips]).astype(float)
    moved = 1.3 * joints[:, :, [1, 2, 0]] + 0.5
    assert nearest(palm_features(joints), palm_features(moved)).max() < 1e-5


def test_clusters_are_found_the_largest_first():
    rng = np.random.default_rng(0)
    middles = np.array([[0.0, 0], [40, 0], [0, 40]])
    angles = np.concatenate([middle + rng.normal(size=(n, 2)) for middle, n in zip(middles, (20, 50, 30))])
    label, typical = cluster(angles, np.random.default_rng(1))
    sizes = np.bincount(label)
    assert len(typical) == len(sizes) and (np.diff(sizes) <= 0).all() and sizes.sum() == 100
    assert (label[typical] == np.arange(len(sizes))).all()
    for k in range(len(sizes)):
        assert len(np.unique(np.repeat([0, 1, 2], (20, 50, 30))[label == k])) == 1, "no cluster lies in two heaps"
    same = cluster(angles, np.random.default_rng(1))
    assert (same[0] == label).all()


def test_equal_classes_are_as_diverse_as_there_are():
    assert effective_number(np.array([5.0, 5, 5, 5])) == pytest.approx(4)
    assert effective_number(np.array([10.0, 0, 0])) == pytest.approx(1)
    assert effective_number(np.array([3.0, 1])) == pytest.approx(4 / 3**0.75)


def test_a_reference_is_any_pose_source_and_its_name_tells_no_folder(tmp_path, clips):
    np.savez(tmp_path / "mine.npz", joints=np.concatenate([clip.joints for clip in clips[:5]]))
    found = read_reference(f"npz:{tmp_path / 'mine.npz'}")
    assert found.name == "npz:mine.npz"
    assert found.features.shape == (10, 60)
    with pytest.raises(PoseError, match="allowed are"):
        read_reference("nowhere:x")


# ---- cameras


@settings(max_examples=10, deadline=None)
@given(SEEDS)
def test_cells_have_equal_area(seed):
    """Directions that are uniform on the sphere fall into all cells alike."""
    directions = np.random.default_rng(seed).normal(size=(60_000, 3))
    counts = cells(directions / np.linalg.norm(directions, axis=1, keepdims=True))
    expected = 60_000 / (BANDS * SECTORS)
    assert counts.sum() == 60_000
    assert np.abs(counts - expected).max() < 6 * np.sqrt(expected)


def test_poles_and_seams_are_in_a_cell():
    counts = cells(np.array([[0, 0, 1.0], [0, 0, -1], [-1, 0, 0], [-1, -1e-12, 0]]))
    assert counts.sum() == 4
    assert counts[-1].sum() == counts[0].sum() == 1


def test_faces_of_the_hand():
    found = faces(np.array([[0, 0, 1.0], [0, 0, -1], [1, 0, 0], [0.8, 0, 0.6]]))
    assert found == {"palm": 0.25, "back": 0.25, "edge": 0.5}


# ---- people and looks


def test_the_gap_to_published_adults_is_kolmogorov_and_smirnovs():
    lengths = np.random.default_rng(5).normal(0.186, 0.012, 80)
    assert largest_gap(lengths) == pytest.approx(kstest(lengths, adult_share).statistic)
    assert adult_share(np.array(0.0)) == pytest.approx(0) and adult_share(np.array(0.3)) == pytest.approx(1)


def test_published_adults_have_no_gap_and_children_do():
    rng = np.random.default_rng(6)
    adults = np.concatenate([rng.normal(*FEMALE_LENGTH, 400), rng.normal(*MALE_LENGTH, 400)])
    joints = np.zeros((800, 21, 3))
    joints[:, [9, 10, 11, 12], 1] = adults[:, None] * [0.5, 0.7, 0.9, 1.0]
    table = size_table(np.arange(800), adults, joints)
    assert table["gap_to_adults"] < table["gap_by_chance"]
    assert table["measured_off"] == pytest.approx(0, abs=1e-12)
    small = size_table(np.arange(800) // 2, 0.75 * np.repeat(adults[::2], 2), joints)
    assert small["subjects"] == 400, "a subject counts once"
    assert small["gap_to_adults"] > 0.8 and small["below_adults"] > 0.9 and small["measured_off"] > 0.2


def test_skin_tones_count_samples_and_subjects():
    found = skin_table(np.array([-31.0, -31, 10, 56]), np.array([9, 9, 6, 2]), np.array([7, 7, 8, 9]))
    assert found["samples"] == {"dark": 2, "brown": 0, "tan": 1, "intermediate": 0, "light": 0, "very light": 1}
    assert found["subjects"]["dark"] == 1
    assert found["monk_subjects"]["9"] == 1 and found["monk_samples"]["9"] == 2


def test_descriptions_are_told_by_their_entries():
    rows = [
        {"hdri": "city", "seed": 1, "lamps": [{"kelvin": 3000.0}, {"kelvin": 5000.0}]},
        {"hdri": "night", "seed": 2, "lamps": []},
    ]
    found = entries_table(rows)
    assert set(found) == {"hdri", "lamps", "lamps.kelvin"}
    assert found["hdri"] == {"n": 2, "different": 2, "counts": {"city": 1, "night": 1}}
    assert found["lamps"]["mean"] == 1 and found["lamps.kelvin"]["mean"] == 4000


# ---- views


def test_hidden_joints_are_those_in_the_picture():
    visible, inside = np.ones((2, 3, 21), bool), np.ones((2, 3, 21), bool)
    visible[0, :, 8] = False
    inside[1, 0, 8] = visible[1, 0, 8] = False
    found = occlusion_table(visible, inside)
    assert found["hidden"]["index_tip"] == pytest.approx(3 / 5)
    assert found["outside"]["index_tip"] == pytest.approx(1 / 6)
    assert found["hidden"]["wrist"] == 0
    assert found["unseen"] == pytest.approx(1 / 42)  # of sample 0 nobody sees it, of sample 1 two views do
    assert found["joints_seen_counts"][20:] == [4, 2]


def test_views_without_a_hand_are_said():
    found = hand_pixels_table(np.array([[0, 50]]), np.array([[0, 0.2]]), 100)
    assert found["empty_views"] == 0.5 and found["longer_side_px"]["p50"] == 50
    assert hand_pixels_table(np.zeros((1, 2)), np.zeros((1, 2)), 100) == {"picture_px": 100, "empty_views": 1.0}


def test_no_pose_left_to_compare_with_is_one_line(tmp_path):
    np.savez(tmp_path / "flat.npz", joints=np.zeros((3, 21, 3)))
    with pytest.raises(InputError, match="no pose is left"):
        read_reference(f"npz:{tmp_path / 'flat.npz'}")
