"""Splits that hold one factor out: what only they have, what they share with train, and what stays as it was."""

import dataclasses
import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blender_scripts.hdri import BLENDERS_OWN, hdri_files
from render_farm.errors import InputError, ReleaseError
from render_farm.planning.candidates import candidate_pairs, join_clips, read_poses
from render_farm.planning.deal import deal_blocks
from render_farm.planning.hold_out import HoldOut, decide_hold_out
from render_farm.planning.make_plan import assemble_held_out
from render_farm.planning.plan import ensure_plan, load_plan, save_plan
from render_farm.planning.pose_clusters import held_clusters, sides
from render_farm.planning.release import FileSettings, HoldOutSettings, SplitSettings, load_release
from render_farm.planning.spec import Specs, pair_bands, pair_look
from render_farm.planning.split_table import split_table
from render_farm.planning.splits import HOLDS_OUT, SPLITS, holding_out, holds_out
from rigging.asset import load_asset
from rigging.cameras import palm_frame
from rigging.command_line import main
from rigging.poses.angles import joint_angles
from rigging.poses.clip import PoseClip

SEEDS = (1, 2, 3)
SHARES = {
    "train": 0.4, "val": 0.1, "test": 0, "test_subject": 0.14, "test_pose": 0.1, "test_background": 0.1,
    "test_camera": 0.1, "test_all": 0.06,
}  # fmt: skip
TRAIN = SPLITS.index("train")
TESTED = [SPLITS.index(name) for name in SHARES if SHARES[name]]


def release_of(seed=1, samples=400, **changes):
    """A release of `samples` poses with all splits; `changes` are tables of it."""
    base = load_release("mini")
    tables = {
        "poses": dataclasses.replace(base.poses, candidates=900),
        "subjects": dataclasses.replace(base.subjects, count=70, run=1, skin_resolution=256),
        "splits": SplitSettings(**SHARES),
        "hold_out": HoldOutSettings(subjects=20),
    }
    return dataclasses.replace(base, seed=seed, samples=samples, **{**tables, **changes})


@pytest.fixture(scope="module")
def sampled():
    """Frames of sampled poses, and pairs of them."""
    release = release_of()
    frames, _ = read_poses(release)
    return frames, candidate_pairs(frames, release.pairs, release.splits.block)[0]


@pytest.fixture(scope="module")
def plans(sampled):
    return [assemble_held_out(release_of(seed), "key", *sampled) for seed in SEEDS]


def levels(plan, factor, split):
    """The levels of a factor that pairs of a split have."""
    rows, strata = plan.split == split, plan.strata
    return {
        "subject": lambda: set(plan.subject[rows]),
        "pose": lambda: set(strata.pose_cluster[rows].flat),
        "background": lambda: set(zip(strata.background[rows], strata.panorama[rows])),
    }[factor]()


@pytest.mark.parametrize("factor", ["subject", "pose"])
def test_levels_held_out_occur_in_no_split_that_does_not_hold_them_out(plans, factor):
    for plan in plans:
        held = set().union(*(levels(plan, factor, split) for split in holding_out(factor)))
        others = [split for split in TESTED if not holds_out(split, factor)]
        assert held
        assert not held & set().union(*(levels(plan, factor, split) for split in others))
        for split in others:
            assert levels(plan, factor, split) <= levels(plan, factor, TRAIN)


def test_subjects_of_test_subject_and_test_all_occur_nowhere_else(plans):
    for plan in plans:
        own = [levels(plan, "subject", SPLITS.index(name)) for name in ("test_subject", "test_all")]
        assert not own[0] & own[1]
        assert len(own[0]) == 20


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


@pytest.mark.parametrize(
    ("hold_out", "kinds"),
    [
        ({}, {"hdri"}),
        ({"panoramas": ("city", "forest")}, {"hdri"}),
        ({"backgrounds": ("none",)}, {"none"}),
        ({"backgrounds": ("none",), "panoramas": ("city",)}, {"none", "hdri"}),
        ({"backgrounds": ("hdri",)}, {"hdri"}),
    ],
)
def test_backgrounds_held_out_are_seen_in_no_other_split(sampled, hold_out, kinds):
    plan = assemble_held_out(release_of(hold_out=HoldOutSettings(subjects=20, **hold_out)), "key", *sampled)
    held = plan.strata.hold_out
    for split in TESTED:
        found = levels(plan, "background", split)
        if holds_out(split, "background"):
            assert {kind for kind, _ in found} <= kinds
            assert all((kind in held.backgrounds) or (name in held.panoramas) for kind, name in found)
        else:
            assert not {kind for kind, _ in found} & set(held.backgrounds)
            assert not {name for _, name in found} & set(held.panoramas)  # nor does it light
    if hold_out.get("panoramas"):
        assert held.panoramas == hold_out["panoramas"]


def test_light_is_shared_where_kinds_are_held_out(sampled):
    release = release_of(hold_out=HoldOutSettings(subjects=20, backgrounds=("clutter",)))
    plan = assemble_held_out(release, "key", *sampled)
    for split in TESTED:
        names = {name for _, name in levels(plan, "background", split)}
        assert names <= {name for _, name in levels(plan, "background", TRAIN)}


def test_rings_held_out_stand_in_bands_that_no_other_ring_is_in(plans):
    for plan in plans:
        held, strata = plan.strata.hold_out, plan.strata
        for split in TESTED:
            rows = plan.split == split
            out = holds_out(split, "camera")
            for band, values in ((held.phase, strata.ring_phase), (held.tilt, strata.ring_tilt)):
                inside = (values[rows] >= band[0] - 1e-9) & (values[rows] <= band[1] + 1e-9)
                assert inside.all() if out else not inside.any()
        assert held.phase[1] - held.phase[0] == pytest.approx(0.25)
        assert held.tilt[1] == pytest.approx(0.6)


def test_every_split_has_its_share(plans):
    for plan in plans:
        found = np.bincount(plan.split, minlength=len(SPLITS))
        assert found.sum() == 200
        for name, pairs in zip(SPLITS, found):
            assert abs(pairs - 200 * SHARES[name]) <= 1.5


def test_strata_shared_are_shared_in_like_proportions(plans):
    """Over all seeds: distance of the distributions (Kolmogorov's) of each split that shares a factor, from train's."""
    for split in TESTED[1:]:
        if not holds_out(split, "pose"):
            assert _apart(plans, split, lambda plan: plan.strata.pose_cluster[:, 0]) < 0.15
        assert _apart(plans, split, lambda plan: plan.ita[plan.subject]) < 0.2
        assert _apart(plans, split, lambda plan: plan.hand_length[plan.subject]) < 0.3
        if not holds_out(split, "background"):
            assert _apart(plans, split, lambda plan: (plan.strata.background == "clutter").astype(float)) < 0.2
        if not holds_out(split, "camera"):
            assert _apart(plans, split, lambda plan: plan.strata.ring_tilt) < 0.3
            assert _apart(plans, split, lambda plan: plan.strata.ring_phase) < 0.3


def _apart(plans, split, values):
    ours, train = (np.concatenate([values(plan)[plan.split == s] for plan in plans]) for s in (split, TRAIN))
    steps = np.unique(np.concatenate([ours, train]))
    return max(abs((ours <= step).mean() - (train <= step).mean()) for step in steps)


def test_a_reference_shares_subjects_with_train_and_no_pair(plans):
    for plan in plans:
        val = SPLITS.index("val")
        assert (plan.subject_split[plan.subject[plan.split == val]] == TRAIN).all()
        frames = [set(map(tuple, plan.frame_id[plan.split == split])) for split in (TRAIN, val)]
        clips = [set(plan.clip[plan.split == split]) for split in (TRAIN, val)]  # a clip of two frames is a pair
        assert not clips[0] & clips[1]
        assert all(frames)


def test_a_plan_is_the_same_again_on_disk_and_for_other_seeds_another(plans, sampled, tmp_path):
    again = assemble_held_out(release_of(SEEDS[0]), "key", *sampled)
    assert again.content == plans[0].content != plans[1].content
    save_plan(again, tmp_path / "plan.npz")
    assert load_plan(tmp_path / "plan.npz").content == again.content
    held = plans[0].strata.hold_out
    assert HoldOut.from_json(held.to_json()) == held
    assert held != plans[1].strata.hold_out


def test_what_the_plan_says_of_a_pair_is_what_is_rendered_in_any_order(plans):
    plan, release = plans[0], release_of(SEEDS[0])
    for index in np.random.default_rng(0).permutation(len(plan.split))[:40]:
        look = pair_look(plan, release, int(index), BLENDERS_OWN)
        assert (look.background, look.hdri) == (plan.strata.background[index], plan.strata.panorama[index])


def test_a_pair_is_of_one_split_and_its_ring_stands_where_the_plan_says(plans, tmp_path):
    plan, release = plans[0], release_of(SEEDS[0])
    index = int(np.flatnonzero(plan.split == SPLITS.index("test_camera"))[0])
    specs = Specs(plan, release, load_asset(), BLENDERS_OWN, tmp_path)
    assert [specs.spec(2 * index + role).metadata["split"] for role in (0, 1)] == ["test_camera"] * 2
    placed = specs.pair(index)
    assert plan.strata.ring_tilt[index] == pytest.approx(_tilt_of(placed), abs=1e-6)
    assert pair_bands(plan, release, index).tilt == (plan.strata.hold_out.tilt,)


def _tilt_of(placed):
    centre, axes = palm_frame(placed.hands[0].joints)
    normal = np.linalg.svd(placed.cameras.centres - centre)[2][2]
    return np.arccos(abs(normal @ axes[:, 1]))


def test_blenders_panoramas_have_the_names_that_plans_are_made_with():
    assert tuple(sorted(hdri_files())) == BLENDERS_OWN


# Recordings: many frames a clip


def recordings(clips=24, length=120):
    """Hands of two people whose fingers wander; every clip is long."""
    release = release_of()
    poses = read_poses(dataclasses.replace(release, poses=dataclasses.replace(release.poses, candidates=clips * 4)))[0]
    found = []
    for number in range(clips):
        keys = poses.joints[8 * number : 8 * number + 8 : 2].astype(np.float64)
        place = np.linspace(0, len(keys) - 1.001, length)
        at, part = place.astype(int), (place % 1)[:, None, None]
        joints = (1 - part) * keys[at] + part * keys[at + 1]
        found.append(PoseClip(joints, f"take{number}", "anna" if number % 2 else "otto", "npz", "CC0", fps=30.0))
    return join_clips(found)


def test_blocks_of_a_recording_stay_in_one_split_and_subjects_follow_who_recorded_them():
    frames = recordings()
    release = release_of(
        samples=160,
        poses=dataclasses.replace(release_of().poses, source="npz:somewhere"),
        splits=SplitSettings(**{**SHARES, "block": 20}),
        hold_out=HoldOutSettings(clusters=6),
    )
    pairs, _ = candidate_pairs(frames, release.pairs, 20)
    plan = assemble_held_out(release, "key", frames, pairs)
    frame = plan.frame_id.astype(int)
    names = np.array([clip["name"] for clip in plan.clips])[plan.clip]
    owners = {}
    for block, split in zip(zip(names, frame[:, 0] // 20), plan.split):
        assert owners.setdefault(block, split) == split
    assert (frame // 20 == frame[:, :1] // 20).all()
    for split in TESTED:
        if not holds_out(split, "pose"):
            assert levels(plan, "pose", split) <= levels(plan, "pose", TRAIN)
    held = set(plan.strata.hold_out.clusters)
    out = np.isin(plan.strata.pose_cluster, list(held))
    assert (out == np.array([holds_out(s, "pose") for s in plan.split])[:, None]).all()


# The parts


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(8, 40), st.floats(0.1, 0.4))
def test_clusters_held_out_have_the_share_and_are_neither_all_tiny_nor_all_at_the_border(seed, count, share):
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


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_blocks_are_dealt_whole_in_their_shares_and_train_has_every_stratum(seed, size):
    rng = np.random.default_rng(seed)
    blocks = rng.permutation(np.arange(240) // size)
    strata = rng.integers(0, 6, (240, 1))
    dealt = deal_blocks(blocks, strata, (0.5, 0.2, 0.2, 0.1), True, rng)
    for block in np.unique(blocks):
        assert len(set(dealt[blocks == block])) == 1
    assert set(strata[dealt == 0].flat) == set(strata.flat)
    assert np.abs(np.bincount(dealt, minlength=4) - [120, 48, 48, 24]).max() <= max(6, 2 * size)


# Errors in one line


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hold_out": HoldOutSettings(clusters=500)}, "clusters = 500: there are .* pairs of poses, 2 per cluster"),
        ({"hold_out": HoldOutSettings(panoramas=("moon",))}, "'moon' is none of the release's: city, courtyard"),
        ({"hold_out": HoldOutSettings(panoramas=BLENDERS_OWN)}, "8 of 8 held out, train has none left"),
        ({"hold_out": HoldOutSettings(subjects=69)}, "count = 70: test_subject and test_all take .* train needs some"),
        ({"hold_out": HoldOutSettings(subjects=40)}, "subjects = 40: test_subject has 28 runs of .* run = 1 pairs"),
        ({"files": FileSettings(hdris="/nowhere")}, r"\[files\] hdris: HDRI folder /nowhere does not exist"),
        ({"samples": 20}, r"\w+ = [0-9.]+: gets \d of the \d pairs it asks for|too few for the splits"),
    ],
)
def test_what_the_data_cannot_meet_is_one_clear_line(sampled, changes, words):
    with pytest.raises(InputError, match=words) as caught:
        assemble_held_out(release_of(**changes), "key", *sampled)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[splits]\ntrain = 0.5\nval = 0.5\ntest = 0\n[hold_out]\nclusters = 8\n", "[hold_out] says what test_subject"),
        ("[splits]\ntrain = 0.5\nval = 0.3\ntest = 0.1\ntest_pose = 0.1\n", "test = 0.1: must be 0 beside"),
        ("[splits]\ntrain = 0.5\nval = 0.3\ntest = 0\ntest_pose = 0.1\n", "0.9: must be 1"),
        ("[splits]\ntrain = 0.5\nval = 0.3\ntest = 0\ntest_posse = 0.2\n", "did you mean 'test_pose'"),
        ("[cameras]\nphase = false\n[splits]\ntrain = 0.8\nval = 0\ntest = 0\ntest_camera = 0.2\n", "rings are alike"),
        (
            "[cameras]\ntilt = 0.3\n[splits]\ntrain = 0.8\nval = 0\ntest = 0\ntest_camera = 0.2\n"
            "[hold_out]\ntilt = [0.2, 0.4]\n",
            "a part of [cameras] tilt, 0..0.3",
        ),
        (
            "[splits]\ntrain = 0.8\nval = 0\ntest = 0\ntest_background = 0.2\n[hold_out]\nbackgrounds = ['none']\n",
            "of [look] backgrounds (clutter, hdri)",
        ),
        (
            "[look]\nbackgrounds = { clutter = 1 }\n[splits]\ntrain = 0.8\nval = 0\ntest = 0\ntest_background = 0.2\n",
            "two kinds or more, or 'hdri'",
        ),
    ],
)  # fmt: skip
def test_release_files_that_make_no_sense_are_refused_in_one_line(tmp_path, text, words):
    path = tmp_path / "r.toml"
    path.write_text(f'name = "r"\nseed = 1\nsamples = 100\nshard_size = 10\n{text}')
    with pytest.raises(ReleaseError) as caught:
        load_release(str(path))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_only_some_splits_may_be_asked_for(sampled):
    shares = SplitSettings(train=0.7, val=0.1, test=0, test_camera=0.2)
    plan = assemble_held_out(release_of(splits=shares, hold_out=HoldOutSettings()), "key", *sampled)
    assert set(plan.split) == {SPLITS.index(name) for name in ("train", "val", "test_camera")}
    held = plan.strata.hold_out
    assert (held.clusters, held.backgrounds, held.panoramas) == ((), (), ())


def test_kinds_are_drawn_where_no_panorama_is_a_background():
    look = dataclasses.replace(release_of().look, backgrounds={"clutter": 0.5, "none": 0.5})
    found = {decide_hold_out(release_of(seed, look=look), BLENDERS_OWN, ()).backgrounds for seed in range(8)}
    assert found == {("clutter",), ("none",)}


# What was there before stays


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("demo", "000aca1c48f146caeed6905e6cfd94548b91e6c92ba5a6b351e17bb4fd1fa5ca"),
        ("mvhm", "0c59415281796f14e945c0bf29cbbfd1ff9acff328cd6da7743563d1ba190305"),
        ("mvhm-nyu", "f347f6d2fe503ed688e28f96a42443181052bd3e28c1eff522a55da3b01f6f43"),
    ],
)
def test_releases_without_held_out_factors_keep_their_canonical_text(name, digest):
    assert hashlib.sha256(load_release(name).to_json().encode()).hexdigest() == digest


def test_a_plan_without_held_out_factors_is_decided_as_ever(tmp_path):
    """Digest of all whole numbers and names of the plan of `demo` before there were other splits."""
    plan = ensure_plan(load_release("demo"), tmp_path)
    names = ("split", "subject", "clip", "frame_id", "skin_seed", "subject_split")
    found = hashlib.sha256(b"".join(np.ascontiguousarray(getattr(plan, name)).tobytes() for name in names)).hexdigest()
    assert found == "68b27cf3378b41135e14f136fc18f1ce53ba2fe0b6f71db4116f9142ce522ffe"
    assert plan.strata is None
    with np.load(tmp_path / "plan.npz") as file:
        assert set(file.files) == {"version", *(field.name for field in dataclasses.fields(plan))} - {"strata"}


# Releases that come with the package, and their table


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    return ensure_plan(load_release("gate"), tmp_path_factory.mktemp("gate"))


def test_gate_has_what_estimators_ask_of_it(gate):
    release = load_release("gate")
    assert release.samples == gate.samples >= 400
    assert (release.cameras.image_size, release.cameras.views) == (128, 8)
    assert len(levels(gate, "subject", SPLITS.index("test_subject"))) >= 24
    assert {SPLITS[split] for split in gate.split} == set(SPLITS) - {"test"}
    assert release.shards > 2


def test_mini_has_every_split_in_200_samples():
    release = load_release("mini")
    assert release.samples == 200
    assert release.shards > 2
    assert all(getattr(release.splits, name) > 0 for name in HOLDS_OUT)


def test_the_command_tells_the_splits_once_they_are_decided(tmp_path, capsys, gate):
    command = ["plan", "--release", "mini", "--out", str(tmp_path)]
    assert main(command) == 0
    assert "to plan now: --splits" in capsys.readouterr().out
    assert main([*command, "--splits"]) == 0
    said = capsys.readouterr().out
    assert main(command) == 0
    assert said == capsys.readouterr().out
    lines = {line.split()[0]: line.split() for line in said.splitlines() if line.strip()}
    assert lines["test_camera"][1:3] == ["camera", "18"]
    assert sum(int(lines[name][2]) for name in SPLITS if name in lines) == 200
    assert "held out: pose clusters of 16: " in said
    assert str((gate.split == SPLITS.index("test_subject")).sum()) in split_table(gate)
