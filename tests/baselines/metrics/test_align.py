"""Errors under every alignment, against literal definitions, by hand, and by what they must not notice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_metrics import (
    freihand_aligned,
    hands,
    moved,
    naive_bone,
    naive_errors,
    naive_least_squares,
    naive_root_relative,
    squared_error_of_best_similarity,
)

from baselines.metrics import (
    Protocol,
    bone_scaled,
    epe,
    joint_errors,
    least_squares_scaled,
    mpjpe,
    mpvpe,
    pixel_errors,
    procrustes_aligned,
    protocol,
    root_relative,
    sample_errors,
)
from rigging.errors import InputError

seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=25, deadline=None)
MIRROR = np.array([-1.0, 1, 1])


def test_errors_by_hand():
    true = np.zeros((1, 3, 3))
    pred = np.array([[[0.003, 0.004, 0], [0, 0, 0.010], [0, 0.002, 0]]])
    np.testing.assert_allclose(joint_errors(pred, true), [[5, 10, 2]])
    assert epe(pred, true) == pytest.approx(17 / 3)
    # relative to joint 2 (0, 2, 0): (3, 2, 0), (0, -2, 10) and the root itself
    assert mpjpe(pred, true, root=2) == pytest.approx((13**0.5 + 104**0.5) / 3)


def test_a_joint_that_is_not_valid_does_not_count_whatever_stands_there():
    pred, true = hands(1, count=1, joints=3)
    pred[0, 1], true[0, 1] = np.nan, np.inf
    errors = joint_errors(pred, true, np.array([[True, False, True]]))
    np.testing.assert_array_equal(np.isnan(errors), [[False, True, False]])
    assert sample_errors(errors)[0] == pytest.approx((errors[0, 0] + errors[0, 2]) / 2)
    assert np.isnan(sample_errors(np.full((1, 3), np.nan)))[0]
    assert np.isnan(epe(pred, true, np.zeros((1, 3), bool)))


def test_means_of_the_valid_joints_coincide_by_hand():
    """Off by 1, 3 and 8 mm along x, the last one without a label: by -1 and 1 from their mean."""
    true = np.zeros((2, 3, 3))
    pred = np.array([[[0.001, 0, 0], [0.003, 0, 0], [0.008, 0, 0]]] * 2)
    valid = np.array([[True, True, False], [True, False, False]])
    errors = protocol("centred").errors(pred, true, valid)
    np.testing.assert_allclose(errors[0], [1, 1, np.nan], atol=1e-9)
    assert np.isnan(errors[1]).all()  # one joint says nothing
    assert protocol("centred").describe() == "joints in mm, means of the joints made to coincide, own scale, no oracle"


@quick
@given(seeds, st.integers(0, 20))
def test_each_alignment_is_its_definition(seed, root):
    pred, true = hands(seed)
    np.testing.assert_allclose(joint_errors(pred, true), naive_errors(pred, true), atol=1e-9)
    given_root = joint_errors(root_relative(pred, true, root=root), true)
    np.testing.assert_allclose(given_root, naive_root_relative(pred, true, root), atol=1e-9)
    np.testing.assert_allclose(joint_errors(bone_scaled(pred, true), true), naive_bone(pred, true), atol=1e-9)
    scaled = joint_errors(least_squares_scaled(pred, true, root=root), true)
    np.testing.assert_allclose(scaled, naive_least_squares(pred, true, root), atol=1e-3)
    aligned = procrustes_aligned(pred, true, mirror=True)
    np.testing.assert_allclose(aligned, [freihand_aligned(*pair) for pair in zip(pred, true)], atol=1e-9)


@settings(max_examples=4, deadline=None)
@given(seeds)
def test_procrustes_finds_the_best_similarity_even_when_a_reflection_were_better(seed):
    pred, true = hands(seed, count=1)
    for start in (pred, pred * MIRROR):
        error = ((procrustes_aligned(start, true) - true) ** 2).sum()
        assert error == pytest.approx(squared_error_of_best_similarity(start[0], true[0], seed), rel=1e-5)


@quick
@given(seeds)
def test_procrustes_does_not_notice_a_similarity_of_the_prediction(seed):
    pred, true = hands(seed)
    error = joint_errors(procrustes_aligned(pred, true), true)
    np.testing.assert_allclose(joint_errors(procrustes_aligned(moved(pred, seed), true), true), error, atol=1e-8)
    np.testing.assert_allclose(procrustes_aligned(moved(true, seed), true), true, atol=1e-12)


@quick
@given(seeds)
def test_only_freihands_procrustes_forgives_the_other_hand(seed):
    _, true = hands(seed)
    assert joint_errors(procrustes_aligned(true * MIRROR, true), true).max(axis=1).min() > 5
    np.testing.assert_allclose(procrustes_aligned(true * MIRROR, true, mirror=True), true, atol=1e-12)


@quick
@given(seeds, st.floats(0.2, 5))
def test_each_alignment_forgives_what_it_says_and_no_more(seed, scale):
    _, true = hands(seed)
    shift = np.random.default_rng(seed).normal(size=(len(true), 1, 3))
    turned = moved(true, seed)
    for align in (root_relative, bone_scaled, least_squares_scaled):
        np.testing.assert_allclose(align(true + shift, true), true, atol=1e-12)
        assert joint_errors(align(turned, true), true).max(axis=1).min() > 1
    for align in (bone_scaled, least_squares_scaled):
        np.testing.assert_allclose(align(scale * true + shift, true), true, atol=1e-12)


@quick
@given(seeds)
def test_each_least_squares_alignment_has_less_squared_error_than_the_ones_it_contains(seed):
    pred, true = hands(seed, noise=0.03)
    aligned = (procrustes_aligned, least_squares_scaled, root_relative)
    squared = [((align(pred, true) - true) ** 2).sum(axis=(1, 2)) for align in aligned]
    assert (squared[0] <= squared[1] + 1e-12).all() and (squared[1] <= squared[2] + 1e-12).all()


@quick
@given(seeds)
def test_joints_that_do_not_count_do_not_move_an_alignment(seed):
    pred, true = hands(seed)
    valid = np.random.default_rng(seed).random(pred.shape[:2]) < 0.7
    valid[:, [0, 5, 9]] = True
    other = np.where(valid[..., None], pred, 1e3)
    for align in (root_relative, bone_scaled, least_squares_scaled, procrustes_aligned):
        np.testing.assert_array_equal(align(pred, true, valid)[valid], align(other, true, valid)[valid])
    whole = procrustes_aligned(pred[:1, valid[0]], true[:1, valid[0]])
    np.testing.assert_allclose(procrustes_aligned(pred, true, valid)[0, valid[0]], whole[0], atol=1e-12)


@pytest.mark.parametrize("name", ["root_relative", "n_mpjpe_bone", "n_mpjpe_ls", "procrustes"])
def test_a_hand_that_has_collapsed_is_as_wrong_as_a_point_is(name):
    _, true = hands(3)
    pred = np.tile([0, 0, 0.4], (len(true), 21, 1))
    known = protocol(name)
    centre = true.mean(axis=1) if known.root is None else true[:, known.root]
    expected = np.linalg.norm(true - centre[:, None], axis=-1) * 1000
    np.testing.assert_allclose(known.errors(pred, true), expected, atol=1e-9)


def test_a_scale_below_zero_would_be_another_hand():
    _, true = hands(4)
    wrist = true[:, :1]
    turned_over = wrist - (true - wrist)
    np.testing.assert_allclose(least_squares_scaled(turned_over, true), np.broadcast_to(wrist, true.shape))


def test_samples_without_what_an_alignment_needs_are_left_out():
    pred, true = hands(5, count=4)
    valid = np.ones((4, 21), bool)
    valid[0, 0] = valid[1, 9] = False
    valid[2, 2:] = False
    valid[3, 1:] = False
    left = {
        "absolute": [True] * 4,
        "root_relative": [False, True, True, True],
        "n_mpjpe_bone": [False, False, False, False],
        "n_mpjpe_ls": [False, True, True, False],
        "procrustes": [True, True, False, False],
    }
    for name, scored in left.items():
        errors = protocol(name).errors(pred, true, valid)
        np.testing.assert_array_equal(np.isfinite(errors), valid & np.array(scored)[:, None], err_msg=name)
    with pytest.raises(InputError, match="prediction 1 of sample 0 is not finite; leave it out"):
        joint_errors(root_relative(pred, true, valid), true, valid)


def test_the_root_is_met_exactly():
    pred, true = hands(6)
    for name in ("root_relative", "n_mpjpe_bone", "n_mpjpe_ls"):
        known = protocol(name)
        assert (known.errors(pred, true)[:, known.root] == 0).all()


def test_vertices_follow_the_joints_and_procrustes_follows_the_vertices():
    pred, true = hands(7)
    mesh, true_mesh = hands(8, joints=50)
    expected = np.linalg.norm((mesh - pred[:, :1]) - (true_mesh - true[:, :1]), axis=-1).mean() * 1000
    assert mpvpe(mesh, true_mesh, pred, true) == pytest.approx(expected)
    aligned = protocol("mpvpe_procrustes").aligned_vertices((mesh, true_mesh), (None, None))
    np.testing.assert_array_equal(aligned, procrustes_aligned(mesh, true_mesh))


def test_pixels_stay_pixels():
    np.testing.assert_allclose(pixel_errors(np.array([[[3.0, 4.0]]]), np.zeros((1, 1, 2))), [[5]])
    assert protocol("image").errors(np.array([[[3.0, 4.0]]]), np.zeros((1, 1, 2))) == [[5]]


@pytest.mark.parametrize(
    ("pred", "true", "valid", "message"),
    [
        (np.zeros((2, 21, 2)), np.zeros((2, 21, 2)), None, r"joints: \(n, K, 3\) for predictions and labels alike"),
        (np.zeros((2, 21, 3)), np.zeros((1, 21, 3)), None, r"got \(2, 21, 3\) and \(1, 21, 3\)"),
        (np.zeros((2, 21, 3)), np.zeros((2, 21, 3)), np.ones((2, 20), bool), r"valid must be bool \(2, 21\)"),
        (np.zeros((2, 21, 3)), np.zeros((2, 21, 3)), np.ones((2, 21)), "got float64"),
        (np.full((2, 21, 3), np.nan), np.zeros((2, 21, 3)), None, "prediction 0 of sample 0 is not finite"),
        (np.zeros((2, 21, 3)), np.full((2, 21, 3), np.inf), None, "label 0 of sample 0 is not finite"),
    ],
)
def test_what_cannot_be_compared_is_one_clear_line(pred, true, valid, message):
    with pytest.raises(InputError, match=message) as error:
        joint_errors(pred, true, valid)
    assert "\n" not in str(error.value)


def test_a_joint_that_is_not_there_is_one_clear_line():
    pred, true = hands(1, joints=5)
    with pytest.raises(InputError, match="the root is joint 5, but there are joints 0 to 4"):
        root_relative(pred, true, root=5)
    with pytest.raises(InputError, match="the end of the bone is joint 9"):
        bone_scaled(pred, true, root=0)


@pytest.mark.parametrize(
    "nonsense",
    [{"scale": "bone"}, {"root": 0, "alignment": "procrustes"}, {"unit": "px", "root": 0}],
)
def test_protocols_that_make_no_sense_are_refused(nonsense):
    with pytest.raises(InputError, match="protocol mine: "):
        Protocol("mine", **nonsense)


def test_a_protocol_says_everything_about_itself():
    said = {name: protocol(name).describe() for name in ("mvhm", "n_mpjpe_bone", "procrustes_freihand", "image")}
    assert said == {
        "mvhm": "joints in mm, absolute, own scale, root depth and scale of the labels",
        "n_mpjpe_bone": "joints in mm, relative to joint 9, scale by bone 0-9, no oracle",
        "procrustes_freihand": "joints in mm, Procrustes-aligned, mirroring allowed, no oracle",
        "image": "joints in px, absolute, no oracle",
    }
    with pytest.raises(InputError, match="no protocol is called 'n_mpjpe'"):
        protocol("n_mpjpe")
