"""Releases of every rig: planned, labelled exactly, refused where nothing could come of them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from rig_releases import RIGS, calibration_file, rig_release, specs_of, stored

from dataset_tools.check import cameras, labels, views
from dataset_tools.check.sample import link
from render_farm.errors import InputError
from render_farm.planning.ensure_plan import ensure_plan
from render_farm.planning.hold_out import HoldOut, pair_bands
from render_farm.planning.plan import load_plan, save_plan
from render_farm.planning.release import load_release, planned_release
from render_farm.planning.splits import SPLITS
from rigging.geometry.cameras import palm_frame


@pytest.mark.parametrize("rig", RIGS)
def test_labels_of_every_rig_are_those_of_the_ray_caster(rig, tmp_path):
    """Embree meets hand, arm and joints where the labels say, of whole, cut and near hands; so do the neighbours."""
    release = rig_release(tmp_path, rig, hand="left" if rig == "egocentric" else "right")
    specs = specs_of(release, tmp_path)
    pair = [stored(release, specs.spec(sample)) for sample in (0, 1)]
    link(pair)
    for sample in pair:
        figures = labels.label_figures(sample) | views.view_figures(sample) | cameras.camera_figures(sample)
        assert {"mask", "depth", "flow", "joint_visible", "joint_in_frame", "framing"} <= set(figures)
        for check in (*labels.CHECKS, *views.CHECKS, *cameras.CHECKS):
            if check.name in figures:
                assert not check.fails(figures[check.name].value), check.sentence(figures[check.name])


def test_a_camera_that_is_not_where_the_release_puts_it_is_named(tmp_path):
    release = rig_release(tmp_path, "random", more="[cameras.free]\ncut = 0.0\n")
    sample = stored(release, specs_of(release, tmp_path).spec(0))
    link([sample])
    assert {name: figure.value for name, figure in cameras.camera_figures(sample).items()}["framing"] < 0.2
    for name, change, noticed in (("K", [[1.0], [1.01], [1]], "intrinsics"), ("K", [[3.0], [3.0], [1]], "framing")):
        values = sample.values[name]
        sample.values[name] = values * change
        figures = cameras.camera_figures(sample)
        assert figures[noticed].value > 0.2
        sample.values[name] = values
    sample.values["world_to_cam"] = sample.values["world_to_cam"] + np.eye(4)[2][:, None] * np.eye(4)[3] * 2.0
    assert cameras.camera_figures(sample)["distance"].value > 0.05


def test_a_hand_whose_source_knows_no_up_is_held_as_before_the_eyes(tmp_path):
    specs = specs_of(rig_release(tmp_path, "egocentric"), tmp_path)
    for sample in (0, 2):
        posed = specs.spec(sample).posed
        forearm = posed.arm_vertices.mean(0) - posed.joints[0]
        assert -60.1 < np.degrees(np.arcsin(forearm[2] / np.linalg.norm(forearm))) < 10.1
        np.testing.assert_allclose(palm_frame(posed.joints)[0], 0, atol=1e-6)


def test_a_plan_keeps_the_cameras_of_a_calibration_and_a_file_that_changes_is_another_release(tmp_path):
    release = rig_release(tmp_path, "calibration")
    plan = ensure_plan(release, tmp_path / "rigs")
    assert len(plan.calibration) == 3
    save_plan(plan, tmp_path / "again.npz")
    again = load_plan(tmp_path / "again.npz")
    assert again.content == plan.content
    assert again.calibration.names == plan.calibration.names
    assert planned_release(plan.release, tmp_path).files.calibration == "PATH"
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    assert ensure_plan(rig_release(moved, "calibration"), tmp_path / "rigs").content == plan.content
    path = calibration_file(tmp_path, 3)
    path.write_text(path.read_text().replace("380.0", "381.0"))
    assert ensure_plan(release, tmp_path / "rigs").content != plan.content


def test_a_release_of_the_ring_says_nothing_of_rigs(tmp_path):
    text = rig_release(tmp_path, "ring").to_json()
    assert "rig" not in json.loads(text)["cameras"]
    assert "free" not in json.loads(text)["cameras"]
    assert "calibration" not in json.loads(text)["files"]
    other = json.loads(rig_release(tmp_path, "random", more="[cameras.free]\ncut = 0.2\n").to_json())
    assert other["cameras"]["free"] == {"cut": 0.2}


def test_random_views_hold_out_a_band_of_azimuths(tmp_path):
    shares = "[splits]\ntrain = 0.6\nval = 0.2\ntest = 0.0\ntest_camera = 0.2\n"
    release = rig_release(tmp_path, "random", more=shares)
    held = HoldOut(phase=(0.2, 0.45))
    for split, inside in (("test_camera", True), ("train", False)):
        bands = pair_bands(release, held, SPLITS.index(split))
        drawn = np.array([bands.phase_draw(draw) for draw in np.linspace(0, 0.999, 50)])
        assert (((drawn >= 0.2) & (drawn < 0.45)) == inside).all()


@pytest.mark.parametrize(
    ("rig", "views", "more", "message"),
    [
        ("calibration", 3, '[files]\ncalibration = "gone.json"\n', r"\[files\] calibration: gone.json: no such file"),
        ("random", 3, '[files]\ncalibration = "a.json"\n', "calibration go together: one is missing"),
        ("random", 3, "[cameras.free]\nlens = [900.0, 1000.0]\ncut = 0.0\ndistance = [0.1, 0.1]\n", "shows no hand"),
        ("wrist", 3, "[splits]\ntrain = 0.6\nval = 0.2\ntest = 0.0\ntest_camera = 0.2\n", "'ring' or 'random'"),
        ("egocentic", 3, "", "rig: got 'egocentic', allowed is one of ring, random"),
        ("random", 65, "", "views: got 65, allowed is an integer, 1 to 64"),
    ],
)
def test_what_nothing_can_come_of_is_refused_in_one_line(rig, views, more, message, tmp_path):
    with pytest.raises(InputError, match=message) as raised:
        ensure_plan(rig_release(tmp_path, rig, views, more), tmp_path / "rigs")
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "rigs" / "plan.npz").exists()


def test_as_many_cameras_as_views_are_wanted_or_named(tmp_path):
    path = calibration_file(tmp_path, 4)
    files = f'[files]\ncalibration = "{path}"\n'
    with pytest.raises(InputError, match=r"\[cameras\] views = 3: .*rig.json has 4 cameras"):
        ensure_plan(rig_release(tmp_path, "calibration", 3, files), tmp_path / "rigs")
    chosen = '[cameras.free]\nchosen = ["3", "0", "1"]\n'
    plan = ensure_plan(rig_release(tmp_path, "calibration", 3, chosen + files), tmp_path / "rigs")
    assert plan.calibration.names == ("3", "0", "1")


def test_the_release_anywhere_is_of_random_cameras():
    release = load_release("anywhere")
    assert release.cameras.rig == "random"
    assert release.cameras.views <= 16
