"""A sample through a lens: the picture bends as its labels do, and Cycles agrees with both."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from blender_scripts.labels.hand import make_surface
from blender_scripts.render_sample import label_sample, render_sample
from blender_scripts.settings import RenderSettings
from rigging.geometry.distortion import Lens
from rigging.joints import ARM_PART

SETTINGS = RenderSettings(width=96, height=96, samples_per_pixel=2, threads=2, crosscheck=1.0)
LENS = np.array([-0.7, 0.3, 0.02, -0.03, 0.0])  # of cameras that see no farther than 0.41 from their axes


@pytest.fixture(scope="module")
def seen(studio, workshop):
    """The records of a sample without and with the lens, every view compared with Cycles."""
    spec = workshop.spec(background="hdri", lens_blur=0.0)
    cameras = dataclasses.replace(spec.cameras, distortion=np.tile(LENS, (2, 1)))
    bent = dataclasses.replace(spec, cameras=cameras)
    return spec, bent, *(render_sample(studio, one, SETTINGS) for one in (spec, bent))


def test_the_picture_is_the_pinhole_s_bent_by_the_lens(seen):
    _, bent, plain, record = seen
    y, x = np.mgrid[:96, :96] + 0.5
    for view, k in enumerate(bent.cameras.K):
        places = Lens(k, LENS).pinhole(np.stack([x, y], -1))
        inside = ((places > 2) & (places < 94)).all(-1)
        maps = (places - 0.5).astype(np.float32)
        expected = cv2.remap(plain["rgb"][view], maps, None, cv2.INTER_CUBIC)
        off = np.abs(expected.astype(int) - record["rgb"][view])[inside]
        unbent = np.abs(plain["rgb"][view].astype(int) - record["rgb"][view])[inside]
        assert np.median(off) <= 2 and off.mean() < 4  # two renders of few paths
        assert off.mean() < 0.5 * unbent.mean()
        covered = cv2.remap(plain["alpha"][view], maps, None, cv2.INTER_LINEAR)
        assert np.abs(covered.astype(int) - record["alpha"][view])[inside].mean() < 3


def test_the_record_says_its_lenses_and_its_labels_are_made_without_blender(seen, workshop):
    _, bent, plain, record = seen
    assert set(record) - set(plain) == {"distortion"}
    assert np.array_equal(record["distortion"], np.tile(LENS, (2, 1))) and np.array_equal(record["K"], plain["K"])
    surface = make_surface(workshop.asset, workshop.arm[0], arm_joined=True)
    labels, coverage = label_sample(surface, bent, (96, 96))
    mask = labels.pop("mask")
    assert all(np.array_equal(values, record[name]) for name, values in labels.items())
    assert np.array_equal(np.rint(coverage * 255), record["alpha"])
    assert np.array_equal(mask, (record["parts"] > 0) & (record["parts"] != ARM_PART))


def test_a_sample_without_a_lens_is_the_same_after_one_with_it(seen, studio):
    spec, bent, plain, record = seen
    for one, before in ((spec, plain), (bent, record)):
        again = render_sample(studio, one, SETTINGS)
        assert all(np.array_equal(again[name], before[name]) for name in before)
