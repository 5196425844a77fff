"""Every check of a sample: quiet on what is right, and naming what was broken, in one view of one sample."""

from __future__ import annotations

import numpy as np
import pytest
from corruptions import CORRUPTIONS, VIEW, one_view
from paired import pair_records

from dataset_tools.check.anatomy import SUBJECT_CHECKS, finger_bend, subject_figures
from dataset_tools.check.figures import Check, Figure
from dataset_tools.check.sample import SAMPLE_CHECKS, sample_figures
from dataset_tools.check.verdicts import CHECKS
from rigging.geometry.cameras import palm_frame
from rigging.hand.bones import bone_lengths


def failing(sample) -> set[str]:
    with np.errstate(all="ignore"):
        return {name for name, figure in sample_figures(sample).items() if CHECKS[name].fails(figure.value)}


def test_a_consistent_pair_passes_every_check(pairs, as_samples):
    for sample in as_samples(pairs[0]):
        assert failing(sample) == set()


def test_a_left_hand_passes_every_check(as_samples):
    for sample in as_samples(pair_records(2, "left")):
        assert failing(sample) == set()


def test_every_check_is_measured_on_a_whole_pair(pairs, as_samples):
    measured = set(sample_figures(as_samples(pairs[0])[0]))
    assert measured == {check.name for check in SAMPLE_CHECKS} - {check.name for check in SUBJECT_CHECKS}


def test_every_check_has_a_corruption_that_it_must_name():
    shown = set(CORRUPTIONS) | {"same_ring"} | {check.name for check in SUBJECT_CHECKS}
    assert shown == {check.name for check in SAMPLE_CHECKS}


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_check_names_what_was_broken(name, pairs, as_samples):
    broken = CORRUPTIONS[name](pairs[0][0], pairs[1][0])
    assert name in failing(as_samples([broken, pairs[0][1]])[0])


@pytest.mark.parametrize("shift", [(0, 1), (1, 0), (0, -1), (-1, 0)])
@pytest.mark.parametrize("view", [0, 5])
def test_a_mask_one_pixel_off_in_a_single_view_is_caught(view, shift, pairs, as_samples):
    parts = pairs[0][0]["parts"].copy()
    parts[view] = np.roll(parts[view], shift, axis=(0, 1))
    figure = sample_figures(as_samples([pairs[0][0] | {"parts": parts}, pairs[0][1]])[0])["mask"]
    assert CHECKS["mask"].fails(figure.value)
    assert figure.where == f"view {view}"
    assert figure.value > 4 * CHECKS["mask"].limit


def test_cameras_that_differ_within_a_pair_are_named(pairs, as_samples):
    second = one_view(pairs[0][1], "K", lambda K: K + 1e-3)
    assert "same_ring" in failing(as_samples([pairs[0][0], second])[1])


def test_flow_without_a_neighbour_contradicts_itself_unless_the_shard_was_cut(pairs, as_samples):
    alone = as_samples(pairs[0][:1])[0]
    assert "flow_valid" in failing(alone)
    alone.cut = True
    assert failing(alone) == set()


def test_flow_given_where_it_is_not_valid_is_named(pairs, as_samples):
    first = pairs[0][0] | {"flow_forward_valid": False}
    figure = sample_figures(as_samples([first, pairs[0][1]])[0])["flow_valid"]
    assert figure.value == 2
    assert "neighbour is there" in figure.where


def test_other_bone_lengths_than_the_subjects_are_named(pairs):
    bones = np.stack([bone_lengths(record["joints_world"].astype(float)) for record in pairs[0] + pairs[1]])
    bones[2, 6] += 1e-4
    figures = subject_figures(bones, np.full(4, 0.003), np.zeros(4, int))
    assert [CHECKS["bones"].fails(one["bones"].value) for one in figures] == [False, False, True, False]
    assert figures[2]["bones"].where == "index_pip"


def test_bones_that_may_stretch_are_not_compared():
    figures = subject_figures(np.full((2, 21), np.nan), np.array([0.003, 0.003]), np.zeros(2, int))
    assert all("bones" not in one for one in figures)


def test_another_size_of_mesh_than_the_subjects_is_named():
    bones, subject = np.full((4, 21), np.nan), np.array([0, 0, 0, 1])
    figures = subject_figures(bones, np.array([0.003, 0.003, 0.0033, 0.004]), subject)
    assert [CHECKS["mesh_size"].fails(one["mesh_size"].value) for one in figures] == [False, False, True, False]


def test_fingers_bend_to_the_palm_of_the_side(pairs):
    joints = pairs[0][0]["joints_world"].astype(float)
    bent, (_, axes) = joints.copy(), palm_frame(joints)
    for finger in (5, 9, 13, 17):  # every finger a hook towards the palm
        steps = np.cumsum([axes[:, 1], -axes[:, 2], -axes[:, 1]], axis=0)
        bent[finger + 1 : finger + 4] = joints[finger] + 0.03 * steps
    assert np.isclose(finger_bend(bent), 8, atol=0.5)
    assert np.isclose(finger_bend(bent * (-1, 1, 1)), -finger_bend(bent))


def test_limits_hold_both_ways_and_a_figure_that_is_no_number_fails():
    most, least = Check("a", "a", 2.0, ""), Check("b", "b", 2.0, "", at_least=True)
    assert not most.fails(2.0) and most.fails(2.1) and most.fails(np.nan)
    assert not least.fails(2.0) and least.fails(1.9) and least.fails(np.nan)
    assert most.severity(1.0) < 1 < most.severity(3.0)
    assert least.severity(4.0) < 1 < least.severity(1.0)
    assert most.sentence(Figure(3.0, "view 1")) == "a: a is 3 (view 1), allowed is at most 2"


def test_the_view_that_failed_is_told(pairs, as_samples):
    broken = CORRUPTIONS["picture"](pairs[0][0], pairs[1][0])
    assert sample_figures(as_samples([broken, pairs[0][1]])[0])["picture"].where == f"view {VIEW}"
