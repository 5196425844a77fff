"""The plan: decided once, the same everywhere, and never mixed with another release's."""

import dataclasses
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from render_farm.errors import InputError
from render_farm.planning import ensure_plan as planning
from render_farm.planning import plan as plan_module
from render_farm.planning import refusals
from render_farm.planning.candidates import join_clips
from render_farm.planning.ensure_plan import ensure_plan
from render_farm.planning.make_plan import median_bone_lengths, skin_tones, upright, wrist_angles
from render_farm.planning.plan import load_plan
from render_farm.planning.release import Release, load_release
from render_farm.planning.release_tables import WristSettings
from render_farm.planning.seeds import Stream, generator, render_seed
from render_farm.planning.spec import plan_subject
from rigging.geometry.rotations import axis_angle
from rigging.hand.asset import load_asset
from rigging.hand.bones import bone_lengths
from rigging.hand.shape import litres_of, rest_hand
from rigging.poses.clip import PoseClip, save_clip
from rigging.spin.posed import forearm_rotations

ROOT = Path(__file__).parents[3]


def recording(length=80, fps=30.0, subject="anna", up=None, seed=0):
    """A flexing hand with the asset's own bones; `up` as recorded, or None."""
    rest = load_asset().joints.copy()
    joints = np.repeat(rest[None], length, axis=0)
    bend = 0.5 + 0.5 * np.sin(np.arange(length) * 0.35 + seed)
    for finger in range(1, 5):
        first = 1 + 4 * finger
        turn = axis_angle(np.array([-1.0, 0.0, 0.0]), bend * (0.5 + 0.2 * finger))
        offsets = rest[first + 1 : first + 4] - rest[first]
        joints[:, first + 1 : first + 4] = rest[first] + np.einsum("tij,kj->tki", turn, offsets)
    return PoseClip(joints, f"take{seed}", subject, "npz", "CC0", fps=fps, up=up)


@pytest.fixture
def poses(tmp_path):
    folder = tmp_path / "poses"
    folder.mkdir()
    for seed in range(3):
        save_clip(folder / f"{seed}.npz", recording(seed=seed, subject="anna" if seed else "otto"))
    return folder


def release(poses, tmp_path, samples=40, extra=""):
    path = tmp_path / "r.toml"
    path.write_text(
        f'name = "r"\nseed = 1\nsamples = {samples}\nshard_size = 4\n[poses]\nsource = "npz:{poses}"\n'
        f"[subjects]\ncount = 5\nrun = 2\n[splits]\nblock = 20\n{extra}"
    )
    return load_release(str(path))


def test_a_plan_holds_what_was_asked_for(poses, tmp_path):
    plan = ensure_plan(release(poses, tmp_path), tmp_path / "out")
    assert plan.joints.shape == (20, 2, 21, 3)
    assert len({(clip, *frames) for clip, frames in zip(plan.clip, map(tuple, plan.frame_id))}) == 20  # no pose twice
    assert np.allclose(plan.up @ plan.up.swapaxes(1, 2), np.eye(3))
    assert {clip["subject"] for clip in plan.clips} <= {"anna", "otto"}
    assert (plan.subject_split[plan.subject] == plan.split).all()
    assert ((plan.ita >= -70) & (plan.ita <= 65)).all()
    assert [plan.pair_of(sample) for sample in range(4)] == [0, 0, 1, 1]
    assert (tmp_path / "out" / "rejects.csv").exists()


def test_a_plan_is_the_same_again_and_survives_the_disk(poses, tmp_path):
    one = ensure_plan(release(poses, tmp_path), tmp_path / "one")
    two = ensure_plan(release(poses, tmp_path), tmp_path / "two")
    assert one.content == two.content == load_plan(tmp_path / "one" / "plan.npz").content
    assert (tmp_path / "one" / "plan.npz").read_bytes() == (tmp_path / "two" / "plan.npz").read_bytes()
    other = ensure_plan(release(poses, tmp_path, extra="[wrist]\nflexion = [0, 0.1]\n"), tmp_path / "three")
    assert other.content != one.content


def test_a_plan_is_made_once(poses, tmp_path):
    made = ensure_plan(release(poses, tmp_path), tmp_path / "out")
    before = (tmp_path / "out" / "plan.npz").stat().st_mtime_ns
    assert ensure_plan(release(poses, tmp_path), tmp_path / "out").content == made.content
    assert (tmp_path / "out" / "plan.npz").stat().st_mtime_ns == before


def test_two_processes_that_plan_at_once_agree(poses, tmp_path):
    release(poses, tmp_path)
    code = (
        "import logging, sys; from pathlib import Path; logging.basicConfig(level=logging.INFO)\n"
        "from render_farm.planning.ensure_plan import ensure_plan\n"
        "from render_farm.planning.release import load_release\n"
        "print(ensure_plan(load_release(sys.argv[1]), Path(sys.argv[2])).content)"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path / "r.toml"), str(tmp_path / "out")]
    both = [
        subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in "ab"
    ]
    results = [process.communicate(timeout=60) for process in both]
    assert results[0][0] == results[1][0] != ""
    assert sum("planning r:" in error for _, error in results) == 1


def test_changed_pose_files_are_another_plan_unless_there_are_shards(poses, tmp_path):
    folder = tmp_path / "out"
    before = ensure_plan(release(poses, tmp_path), folder)
    save_clip(poses / "0.npz", recording(seed=7))
    after = ensure_plan(release(poses, tmp_path), folder)
    assert after.content != before.content
    (folder / "shard-00000.h5").touch()
    assert ensure_plan(release(poses, tmp_path), folder).content == after.content
    save_clip(poses / "0.npz", recording(seed=8))
    with pytest.raises(InputError, match=r"holds 1 shard\(s\) of another configuration \(pose files"):
        ensure_plan(release(poses, tmp_path), folder)


def test_how_shards_are_stored_is_no_part_of_a_plan(poses, tmp_path, monkeypatch):
    """Plans of releases that were begun with schema version 1 stay what they are, to the byte."""
    assert planning.PLAN_KEY == "plan 2 schema 1"
    before = ensure_plan(release(poses, tmp_path), tmp_path / "one")
    monkeypatch.setattr(refusals, "SCHEMA_VERSION", 99)
    ensure_plan(release(poses, tmp_path), tmp_path / "two")
    assert (tmp_path / "one" / "plan.npz").read_bytes() == (tmp_path / "two" / "plan.npz").read_bytes()
    assert load_plan(tmp_path / "two" / "plan.npz").content == before.content


def test_a_release_begun_with_schema_version_1_is_not_gone_on_with(poses, tmp_path):
    folder = tmp_path / "out"
    ensure_plan(release(poses, tmp_path), folder)
    for suffix in (".h5", ".json"):
        shutil.copy(ROOT / "tests" / "dataset_tools" / "frozen" / f"shard-00000{suffix}", folder)
    with pytest.raises(InputError, match=r"\(schema_version 1, now 2\): finish it with .* mvhm") as error:
        ensure_plan(release(poses, tmp_path), folder)
    assert str(error.value).startswith(str(folder))
    assert "\n" not in str(error.value)


def test_another_kind_of_processor_is_refused(poses, tmp_path, monkeypatch):
    ensure_plan(release(poses, tmp_path), tmp_path / "out")
    monkeypatch.setattr(refusals, "device_kind", lambda settings: "CPU x86_64 v1")
    with pytest.raises(InputError, match="this host is 'CPU x86_64 v1'"):
        ensure_plan(release(poses, tmp_path), tmp_path / "out")


@pytest.mark.parametrize("spoil", [b"", b"no zip", None])
def test_a_damaged_plan_is_named(poses, tmp_path, spoil):
    ensure_plan(release(poses, tmp_path), tmp_path / "out")
    path = tmp_path / "out" / "plan.npz"
    path.write_bytes(path.read_bytes()[:1000] if spoil is None else spoil)
    with pytest.raises(InputError, match=r"plan\.npz: not a whole plan"):
        ensure_plan(release(poses, tmp_path), tmp_path / "out")


def test_too_few_poses_make_a_plan_of_the_first_samples(poses, tmp_path, caplog):
    plan = ensure_plan(release(poses, tmp_path, samples=1000), tmp_path / "out")
    assert 0 < plan.samples < 480
    assert f"the first {plan.samples} of 1000 samples only" in caplog.text
    assert len(np.unique(plan.joints[:, 0].reshape(len(plan.joints), -1), axis=0)) == plan.samples // 2  # none twice


def test_poses_that_never_move_are_no_pairs_and_the_key_to_set_is_named(tmp_path):
    folder = tmp_path / "still"
    folder.mkdir()
    joints = np.tile(recording(seed=1).joints[:1], (20, 1, 1))
    np.savez(folder / "0.npz", joints=joints)
    with pytest.raises(InputError, match=r"none of 20 frames has a neighbour .* `length = 1` in \[pairs\]"):
        ensure_plan(release(folder, tmp_path), tmp_path / "out")


def test_a_hand_changed_after_planning_is_refused(poses, tmp_path, monkeypatch):
    plan = ensure_plan(release(poses, tmp_path), tmp_path / "out")
    assert len(plan_module.planned_asset(plan).template) == 2651
    other = tmp_path / "hand.npz"
    other.write_bytes(plan_module.DEFAULT_ASSET.read_bytes() + b"x")
    monkeypatch.setattr(plan_module, "DEFAULT_ASSET", other)
    with pytest.raises(InputError, match="the hand has changed since this release was planned"):
        plan_module.planned_asset(plan)


def test_single_frames_make_a_release_without_pairs(tmp_path):
    folder = tmp_path / "single"
    folder.mkdir()
    for frame in range(6):
        save_clip(folder / f"{frame}.npz", recording(seed=1).select([7 * frame], name=f"f{frame}"))
    plan = ensure_plan(release(folder, tmp_path, samples=4), tmp_path / "out")
    assert plan.poses_per_pair == 1
    assert [plan.pair_of(sample) for sample in range(4)] == [0, 1, 2, 3]


@pytest.mark.parametrize("retarget", ["directions", "positions"])
def test_fitted_subjects_have_the_proportions_of_who_recorded_the_poses(poses, tmp_path, retarget):
    settings = release(poses, tmp_path)
    plan = ensure_plan(dataclasses.replace(settings, retarget=retarget), tmp_path / "out")
    wanted = bone_lengths(recording().joints[0].astype(np.float64))[5:]
    sizes = set()
    for number in range(len(plan.ita)):
        fitted = bone_lengths(rest_hand(load_asset(), plan_subject(plan, number)).joints)[5:]
        size = fitted.sum() / wanted.sum()
        assert np.allclose(fitted / size, wanted, rtol=0.08)
        sizes.add(round(size, 2))
    assert (sizes == {1.0}) == (retarget == "positions")  # by directions the size is drawn apart from the shape


def test_sampled_subjects_have_the_volumes_that_the_release_allows(tmp_path):
    """Limits that one hand in ten is beyond; who is within them is who was drawn without."""
    few = dataclasses.replace(load_release("demo"), samples=80, shard_size=80)
    subjects = dataclasses.replace(few.subjects, count=40, run=1)
    plans = [
        ensure_plan(dataclasses.replace(few, subjects=dataclasses.replace(subjects, litres=litres)), tmp_path / name)
        for name, litres in (("any", (0.0, 1.0)), ("some", (0.35, 0.5)))
    ]
    any_volume, some = ([litres_of(load_asset(), plan_subject(plan, n)) for n in range(40)] for plan in plans)
    changed = [number for number in range(40) if not 0.35 < any_volume[number] < 0.5]
    assert changed and all(0.35 < litres < 0.5 for litres in some)
    assert [number for number in range(40) if any_volume[number] != some[number]] == changed


def test_bone_lengths_are_medians_of_one_person():
    small = recording(subject="kid")
    small = PoseClip(small.joints * 0.5, "k", "kid", "npz", "CC0")
    frames = join_clips([recording(), small])
    assert np.allclose(2 * median_bone_lengths(frames, "kid"), median_bone_lengths(frames, "anna"), atol=1e-6)


def test_up_is_kept_where_it_is_known_and_any_where_it_is_not():
    rng = np.random.default_rng(0)
    known = np.array([0.0, -0.6, 0.8])
    for _ in range(5):
        assert np.allclose(upright(tuple(known), rng) @ known, [0, 0, 1])
    drawn = np.stack([upright(None, rng)[2] for _ in range(300)])
    assert np.abs(drawn.mean(0)).max() < 0.15


def test_any_few_subjects_in_a_row_cover_the_skin_tones():
    order = np.random.default_rng(0).permutation(60).repeat(3)
    tones = skin_tones(Release("a", 1, 2, 2), order, np.random.default_rng(1))
    for start in range(0, 48, 6):
        seen = np.sort(tones[order[3 * start : 3 * start + 36]])  # twelve subjects
        assert np.diff([-70, *seen, 65]).max() < 35


def test_wrist_angles_stay_within_limits_and_hardly_change_within_a_pair():
    rng, limits = np.random.default_rng(0), WristSettings((-0.3, 0.6), (-0.2, 0.1))
    angles = np.stack([wrist_angles(limits, 2, rng) for _ in range(500)])
    assert (angles >= [-0.3, -0.2]).all()
    assert (angles <= [0.6, 0.1]).all()
    assert np.abs(np.diff(angles, axis=1)).max() < 0.3
    assert angles[:, 0, 0].std() > 0.1


def test_flexion_turns_the_palm_towards_its_inside_and_deviation_towards_the_thumb():
    forearm = np.array([0.0, 1.0, 0.0])  # along the forearm, towards the hand; palm inside is -z, the thumb at -x
    flexed, deviated = forearm_rotations(np.array([[0.4, 0.0], [0.0, 0.2]]))
    hand_in_forearm = flexed.T @ forearm
    assert hand_in_forearm[2] == pytest.approx(-np.sin(0.4))
    hand_in_forearm = deviated.T @ forearm
    assert hand_in_forearm[0] == pytest.approx(-np.sin(0.2))


def test_seeds_of_a_plan_are_not_those_of_its_neighbour(poses, tmp_path):
    one, other = Release("a", 1, 2, 2), Release("a", 2, 2, 2)
    draws = {generator(r, s, i).random() for r in (one, other) for s in Stream for i in range(20)}
    assert len(draws) == 2 * len(Stream) * 20
    assert len({render_seed(one, sample) for sample in range(100)}) == 100
