"""Draw docs/images/lenses.jpg: one hand seen without a lens, through one that bulges and one that pinches.

Run from the root of the repository: python -m docs.figures.lenses
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np

from blender_scripts.cycles.scene import Studio
from blender_scripts.render_sample import SampleSpec, render_sample
from blender_scripts.settings import RenderSettings
from dataset_tools.pictures.drawing import draw_skeleton
from rigging.geometry.cameras import CameraSettings, ring
from rigging.geometry.lenses import with_lens
from rigging.geometry.projection import project
from rigging.hand.arm import arm_topology
from rigging.hand.asset import load_asset
from rigging.hand.shape import Subject
from rigging.skin.bake import bake

from .backgrounds import scene_look
from .skin_tones import UPRIGHT, rest_pose

SIZE, VIEW, SCALE = 256, 0, 1
LENSES = (None, (-0.25, 0.04, 0.0, 0.0, 0.0), (0.25, 0.1, 0.0, 0.0, 0.0))  # k1, k2, p1, p2, k3
CAMERAS = CameraSettings(focal=(0.8, 0.8), zoom="ring", fill=0.85, phase=False)


def main() -> None:
    """Render and write the picture: a lens a column, with the joints below."""
    asset, settings = load_asset(), RenderSettings(width=SIZE, height=SIZE, samples_per_pixel=16, crosscheck=1.0)
    studio = Studio(asset, *arm_topology(asset), settings)
    rest, arm, posed = rest_pose(asset)
    skin = bake(asset, rest, arm, Subject(np.zeros(len(asset.shape_names)), 0.185, 30.0, 0.0, 10.0, 66))
    cameras = ring((np.zeros(3), UPRIGHT), posed.vertices, CAMERAS, np.random.default_rng(1))
    one = slice(VIEW, VIEW + 1)
    cameras = dataclasses.replace(cameras, K=cameras.K[one], world_to_cam=cameras.world_to_cam[one])
    columns = []
    for lens in LENSES:
        seen = cameras if lens is None else with_lens(cameras, np.array(lens))
        spec = SampleSpec(posed, None, None, seen, skin, scene_look("city", "clutter", 5), 1, {"sample": 0})
        record = render_sample(studio, spec, settings)
        joints = project(record["joints_world"], record["K"], record["world_to_cam"], record.get("distortion"))
        drawn = draw_skeleton(record["rgb"][0], joints[0], record["joint_visible"][0], SCALE, 0.6)
        columns.append(np.concatenate([record["rgb"][0], drawn]))
    path = Path(__file__).parents[1] / "images" / "lenses.jpg"
    cv2.imwrite(str(path), np.concatenate(columns, axis=1)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])


if __name__ == "__main__":
    main()
