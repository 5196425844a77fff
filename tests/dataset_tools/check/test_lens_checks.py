"""Checks of samples whose cameras have lenses: quiet on what is right, and a wrong lens shows."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from records import arm_of

from blender_scripts.labels.hand import label_hand, make_surface
from dataset_tools.check.sample import sample_figures
from dataset_tools.check.verdicts import CHECKS
from rigging.geometry.distortion import Lens
from rigging.hand.asset import load_asset

LENS = np.array([-0.9, 0.3, 0.01, -0.02, 0.0])  # the pictures' corners move by up to a tenth


@pytest.fixture(scope="module")
def bent(pairs):
    """The records of a pair, seen through a lens: labels anew, pictures bent."""
    asset = load_asset()
    surface = make_surface(asset, arm_of(asset)[1], arm_joined=False)
    meshes = [np.concatenate([one["vertices_world"], one["arm_vertices_world"]]).astype(float) for one in pairs[0]]
    return [_bent(record, surface, meshes, role) for role, record in enumerate(pairs[0])]


def _bent(record, surface, meshes, role):
    lenses, size = np.tile(LENS, (len(record["K"]), 1)), record["rgb"].shape[2:0:-1]
    near = [meshes[other] if 0 <= other < len(meshes) else None for other in (role - 1, role + 1)]
    scene = (surface, meshes[role], record["joints_world"], record["K"], record["world_to_cam"], size, *near)
    labels = label_hand(*scene, distortion=lenses)
    centres = np.stack(np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5), axis=-1)
    maps = [(Lens(k, LENS).pinhole(centres) - 0.5).astype(np.float32) for k in record["K"]]
    edge = cv2.BORDER_REFLECT
    pictures = [cv2.remap(rgb, m, None, cv2.INTER_CUBIC, borderMode=edge) for rgb, m in zip(record["rgb"], maps)]
    del labels["mask"]
    alpha = np.where(labels["parts"] > 0, 255, 0).astype(np.uint8)
    return record | labels | {"distortion": lenses, "rgb": np.stack(pictures), "alpha": alpha}


def failing(sample) -> set[str]:
    with np.errstate(all="ignore"):
        return {name for name, figure in sample_figures(sample).items() if CHECKS[name].fails(figure.value)}


def test_a_pair_seen_through_a_lens_passes_every_check(bent, as_samples):
    for sample in as_samples(bent):
        assert failing(sample) == set()


@pytest.mark.parametrize(("share", "named"), [(0.0, {"mask", "depth", "flow"}), (0.98, {"depth"})])
def test_labels_of_another_lens_are_caught(share, named, bent, as_samples):
    """None at all, and one that is 2 % weaker, which moves pixels by a tenth of one."""
    broken = [one | {"distortion": share * one["distortion"]} for one in bent]
    assert named <= failing(as_samples(broken)[0])


def test_lenses_that_differ_within_a_pair_are_named(bent, as_samples):
    other = bent[1] | {"distortion": bent[1]["distortion"] * 1.001}
    assert failing(as_samples([bent[0], other])[1]) >= {"same_ring"}
