"""Releases with sleeves rolled up: planned, labelled exactly, and other releases as they were."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from rig_releases import rig_release, specs_of, stored

from blender_scripts.looks.hdri import BLENDERS_OWN
from dataset_tools.check import labels, views
from dataset_tools.check.sample import link
from render_farm.errors import InputError
from render_farm.planning.seeds import Stream, generator
from render_farm.planning.spec import look_of_pair
from rigging.hand.arm import build_arm
from rigging.hand.cuffs import LEAST_CUFF
from rigging.joints import ARM_PART

LOOK = "[look]\nsleeve = 1.0\ncuff = [0.09, 0.13]\n"


@pytest.fixture(scope="module")
def rolled(tmp_path_factory):
    """A release of left hands seen from the head, all in rolled sleeves, and its specs."""
    folder = tmp_path_factory.mktemp("rolled")
    release = rig_release(folder, "egocentric", more=LOOK, hand="left")
    return release, specs_of(release, folder)


def test_labels_of_a_rolled_sleeve_are_those_of_the_ray_caster(rolled):
    """Embree meets hand, bare arm, cloth and joints where the labels say; so do the neighbours."""
    release, specs = rolled
    pair = [stored(release, specs.spec(sample)) for sample in (0, 1)]
    link(pair)
    for sample in pair:
        assert (sample.values["parts"] == ARM_PART).mean() > 0.01
        figures = labels.label_figures(sample) | views.view_figures(sample)
        assert {"mask", "depth", "flow", "joint_visible", "joint_in_frame"} <= set(figures)
        for check in (*labels.CHECKS, *views.CHECKS):
            if check.name in figures:
                assert not check.fails(figures[check.name].value), check.sentence(figures[check.name])


def test_every_pair_has_its_own_cuff_and_the_subjects_own_sleeve_beyond_it(rolled):
    release, specs = rolled
    cuffs = []
    for pair in (specs.pair(number) for number in (0, 1)):
        number = int(specs.plan.subject[len(cuffs)])
        rest, folds = specs.body(number).rest, generator(release, Stream.ARM, number)
        at_rest = build_arm(specs.asset, rest, "rolled", folds, pair.look.cuff)
        moved = pair.hands[0].arm_vertices  # as one rigid body, mirrored
        steps = [np.linalg.norm(arm[7:] - arm[:-7], axis=1) for arm in (at_rest, moved)]
        assert np.allclose(*steps, atol=1e-6)
        cuffs.append(pair.look.cuff)
    assert LEAST_CUFF <= min(cuffs) < max(cuffs) <= 0.13


def test_releases_without_cuffs_keep_their_text_and_looks(rolled, tmp_path):
    plain = rig_release(tmp_path, "egocentric", more="[look]\nsleeve = 1.0\n", hand="left")
    words = '[look]\nsleeve = 1.0\ncuff = [0.0, 0.0]\ncloth = "any"\n'
    assert rig_release(tmp_path, "egocentric", more=words, hand="left").to_json() == plain.to_json()
    assert "cuff" not in plain.to_json()
    assert rolled[0].to_json() != plain.to_json()
    for pair in (0, 1):  # a cuff changes nothing but where the sleeve begins
        drawn, look = (look_of_pair(rolled[1].plan, release, pair, BLENDERS_OWN) for release in (plain, rolled[0]))
        assert drawn.arm_shape == "sleeve"
        assert dataclasses.replace(look, cuff=0.0) == drawn


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("cuff = [0.1, 0.25]", "cuff is .0.1, 0.25., allowed is 0 to 0.2 m behind the wrist"),
        ("cuff = [-0.1, 0.1]", "cuff is .-0.1, 0.1., allowed is 0 to 0.2 m behind the wrist"),
        ("cuff = [0.15, 0.1]", "cuff is .0.15, 0.1.; the first value must not exceed the second"),
        ('cloth = "silk"', "cloth"),
    ],
)
def test_cuffs_and_cloth_that_cannot_be_are_refused_in_one_line(tmp_path, key, told):
    with pytest.raises(InputError, match=told) as refused:
        rig_release(tmp_path, "random", more=f"[look]\n{key}\n")
    assert "\n" not in str(refused.value)
