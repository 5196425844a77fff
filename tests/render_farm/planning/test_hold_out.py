"""Splits that hold one factor out: what only they have, and releases that cannot have them."""

import dataclasses

import pytest
from held_out_release import TESTED, TRAIN, levels, release_of

from blender_scripts.looks.hdri import BLENDERS_OWN
from render_farm.errors import InputError
from render_farm.planning.hold_out import decide_hold_out
from render_farm.planning.make_plan import assemble_held_out
from render_farm.planning.release import load_release
from render_farm.planning.release_tables import HoldOutSettings, SplitSettings
from render_farm.planning.splits import SPLITS, holding_out, holds_out


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


# Errors in one line


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hold_out": HoldOutSettings(clusters=500)}, "clusters = 500: there are .* pairs of poses, 2 per cluster"),
        ({"hold_out": HoldOutSettings(panoramas=("moon",))}, "'moon' is none of the release's: city, courtyard"),
        ({"hold_out": HoldOutSettings(panoramas=BLENDERS_OWN)}, "8 of 8 held out, train has none left"),
        ({"hold_out": HoldOutSettings(subjects=69)}, "count = 70: test_subject and test_all take .* train needs some"),
        ({"hold_out": HoldOutSettings(subjects=40)}, "subjects = 40: test_subject has 28 runs of .* run = 1 pairs"),
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
    with pytest.raises(InputError) as caught:
        load_release(str(path))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
