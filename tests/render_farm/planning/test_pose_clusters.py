"""Poses held out: whole clusters, clear of their border, in their share."""

import numpy as np
from held_out_release import levels, release_of
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from render_farm.planning.make_plan import assemble_held_out
from render_farm.planning.pose_clusters import held_clusters, sides
from render_farm.planning.release_tables import HoldOutSettings
from render_farm.planning.splits import SPLITS, holding_out
from rigging.hand.asset import load_asset
from rigging.poses.sampling.angles import joint_angles


def test_pose_clusters_held_out_are_those_that_the_plan_says(plans):
    for plan in plans:
        found = set().union(*(levels(plan, "pose", split) for split in holding_out("pose")))
        assert found <= set(plan.strata.hold_out.clusters)
        assert 1 <= len(plan.strata.hold_out.clusters) <= 6


def test_poses_held_out_are_clear_of_the_border_and_on_the_whole_farther_from_train_than_those_of_val(plans):
    """Distances in radians over all joint angles."""
    asset, ratios = load_asset(), []
    for plan in plans:
        held = list(plan.strata.hold_out.clusters)
        angles = joint_angles(asset, plan.joints.reshape(-1, 21, 3)).reshape(*plan.joints.shape[:2], -1)
        distances = np.linalg.norm(angles[:, :, None] - plan.strata.cluster_centres, axis=-1)
        own, other = distances[..., held].min(-1), np.delete(distances, held, axis=-1).min(-1)
        assert (np.abs(own - other) > 0.2 * (own + other) / 2 - 1e-5).all()
        train, val, out = (angles[plan.split == SPLITS.index(name), 0] for name in ("train", "val", "test_pose"))
        near = [np.linalg.norm(some[:, None] - train, axis=-1).min(1).mean() for some in (val, out)]
        ratios.append(near[1] / near[0])
    assert np.mean(ratios) > 1.1


def test_more_clusters_are_held_out_where_those_of_the_share_leave_too_few_poses_clear_of_their_border(sampled):
    frames, pairs = sampled
    wide, narrow = (HoldOutSettings(margin=margin) for margin in (0.2, 0.0))
    found = [
        assemble_held_out(release_of(samples=900, hold_out=which), "key", frames, pairs) for which in (wide, narrow)
    ]
    shares = [np.isin(plan.strata.pose_cluster[:, 0], plan.strata.hold_out.clusters).mean() for plan in found]
    np.testing.assert_allclose(shares, 0.16, atol=0.01)  # of what is used
    held = [len(plan.strata.hold_out.clusters) for plan in found]
    assert held[0] > held[1]


def test_the_clusters_of_a_plan_can_be_found_again_from_its_poses(plans):
    plan = plans[0]
    angles = joint_angles(load_asset(), plan.joints.reshape(-1, 21, 3))
    distances = np.linalg.norm(angles[:, None] - plan.strata.cluster_centres, axis=-1)
    assert (distances.argmin(1) == plan.strata.pose_cluster.reshape(-1)).all()


# The parts


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(8, 40), st.floats(0.1, 0.4))
def test_clusters_held_out_have_the_share_and_are_neither_all_tiny_nor_all_at_the_border(seed, count, share):
    assume(share * count >= 2)  # else nothing but tiny clusters may add up to the share
    rng = np.random.default_rng(seed)
    centres, sizes = rng.normal(size=(count, 21)), rng.integers(20, 200, count)
    chosen = list(held_clusters(centres, sizes, share, rng))
    assert abs(sizes[chosen].sum() / sizes.sum() - share) <= 0.25 * share
    assert len(set(chosen)) == len(chosen) < count
    if len(chosen) > 2:
        assert sizes[chosen].max() > np.quantile(sizes, 0.3)
        reach = np.linalg.norm(centres - np.average(centres, axis=0, weights=sizes), axis=1)
        assert reach[chosen].min() < np.quantile(reach, 0.8)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000), st.integers(1, 20), st.floats(0.0, 0.5))
def test_a_block_lies_on_one_side_and_only_what_belongs_there_is_kept(seed, size, share):
    rng = np.random.default_rng(seed)
    blocks = rng.permutation(np.arange(300) // size)
    held = rng.random((300, 1)) < share
    held = np.concatenate([held, held ^ (rng.random((300, 1)) < 0.1)], axis=1)
    kept, side = sides(blocks, held, share)
    for block in np.unique(blocks):
        assert len(set(side[blocks == block])) == 1
    assert (held[kept & side]).all()
    assert not held[kept & ~side].any()
    if size == 1:  # every pair is a block of its own: nothing is lost but what lies on both sides
        assert (kept == (held[:, 0] == held[:, 1])).all()
