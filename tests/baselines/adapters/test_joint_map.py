"""The map between joint definitions: recovered exactly, commuting with motions, never fitted on what is scored."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.adapters.joint_map import disjoint_parts, fit_joint_map
from rigging.errors import InputError
from rigging.hand.asset import load_asset

FEW = settings(max_examples=40, deadline=None)

REST = load_asset().joints


def hands(count: int, seed: int = 0) -> np.ndarray:
    """(count, 21, 3) m."""
    return REST + np.random.default_rng(seed).normal(0, 0.01, (count, 21, 3))


def other_definition() -> np.ndarray:
    """Rows sum to 1: a wrist nearer to the palm, tips farther out."""
    matrix = np.eye(21)
    matrix[0, [0, 13]] = 0.8, 0.2
    for tip in (4, 8, 12, 16, 20):
        matrix[tip, [tip, tip - 1]] = 1.2, -0.2
    return matrix


def test_a_map_is_recovered_from_what_it_made():
    matrix, poses = other_definition(), hands(200)
    fitted = fit_joint_map(poses, np.einsum("jk,nki->nji", matrix, poses), ridge=0)
    np.testing.assert_allclose(fitted.matrix, matrix, atol=1e-8)
    assert fitted.residual < 1e-9 < 0.002 < fitted.before and fitted.samples == 200


def test_it_helps_on_poses_it_was_not_fitted_on_despite_noise():
    matrix, rng = other_definition(), np.random.default_rng(1)
    poses = hands(300)
    target = np.einsum("jk,nki->nji", matrix, poses) + rng.normal(0, 0.002, poses.shape)
    fitted = fit_joint_map(poses[:200], target[:200])
    before = np.linalg.norm(poses[200:] - target[200:], axis=-1).mean()
    assert np.linalg.norm(fitted(poses[200:]) - target[200:], axis=-1).mean() < 0.8 * before


@FEW
@given(st.integers(0, 10**6))
def test_it_commutes_with_turns_and_shifts(seed):
    rng = np.random.default_rng(seed)
    fitted = fit_joint_map(hands(30), hands(30, seed=1))
    turn, shift = np.linalg.qr(rng.normal(size=(3, 3)))[0], rng.normal(size=3)
    pose = hands(1, seed)
    np.testing.assert_allclose(fitted(pose @ turn + shift), fitted(pose) @ turn + shift, atol=1e-9)


def test_nothing_to_mend_is_the_identity_and_ridge_holds_it_there():
    poses = hands(50)
    np.testing.assert_allclose(fit_joint_map(poses, poses).matrix, np.eye(21), atol=1e-9)
    noise = np.random.default_rng(0).normal(0, 0.01, poses.shape)
    loose, tight = (np.abs(fit_joint_map(poses, poses + noise, ridge).matrix - np.eye(21)).max() for ridge in (0, 10))
    assert tight < 0.2 * loose


def test_poses_without_a_root_of_their_own_keep_it():
    poses = hands(50)
    relative = poses - poses[:, :1]
    fitted = fit_joint_map(relative, 1.1 * relative)
    np.testing.assert_allclose(fitted.matrix[0], np.eye(21)[0], atol=1e-3)


@FEW
@given(st.integers(0, 10**6), st.integers(2, 9), st.floats(0.05, 0.95))
def test_no_sequence_is_fitted_on_and_scored(seed, count, share):
    rng = np.random.default_rng(seed)
    groups = np.concatenate([np.arange(count), rng.integers(0, count, 40)])
    fit, score = disjoint_parts(groups, share, rng)
    assert len(fit) and len(score) and sorted([*fit, *score]) == list(range(len(groups)))
    assert not set(groups[fit]) & set(groups[score])


def test_what_cannot_be_fitted_is_said():
    with pytest.raises(InputError, match="one sequence only"):
        disjoint_parts(np.zeros(5, int), 0.5, np.random.default_rng(0))
    with pytest.raises(InputError, match=r"poses \(n, 21, 3\) are wanted"):
        fit_joint_map(np.zeros((3, 21, 3)), np.zeros((2, 21, 3)))
    with pytest.raises(InputError, match="finite"):
        fit_joint_map(np.full((3, 21, 3), np.nan), np.zeros((3, 21, 3)))
    assert "fitted on 3 other samples" in str(fit_joint_map(hands(3), hands(3)))
