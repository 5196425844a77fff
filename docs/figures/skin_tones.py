"""Draw docs/images/skin_tones.jpg: one hand in six skin tones, back and palm, under one light.

Run from the root of the repository: python -m docs.figures.skin_tones
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np

from blender_scripts.cycles.scene import Studio
from blender_scripts.looks.look import Lamp, Look, LookSettings, draw_look
from blender_scripts.render_sample import SampleSpec, render_sample
from blender_scripts.settings import RenderSettings
from render_farm.planning.release import load_release
from rigging.geometry.cameras import Cameras
from rigging.hand.arm import arm_topology, build_arm
from rigging.hand.asset import HandAsset, load_asset
from rigging.hand.shape import RestHand, Subject
from rigging.skin.bake import bake
from rigging.spin.posed import PosedHand

TONES = (62.0, 40.0, 18.0, -10.0, -38.0, -60.0)  # ITA, degrees
SIZE, DISTANCE = 256, 0.6
UPRIGHT = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # fingers up, the back of the hand towards -y


def rest_pose(asset: HandAsset) -> tuple[RestHand, np.ndarray, PosedHand]:
    """The mean hand at rest, its bare arm, and both upright around the origin."""
    rest = RestHand(asset.template, asset.joints)
    arm = build_arm(asset, rest, "bare", np.random.default_rng(0))
    posed = PosedHand(rest.vertices, rest.joints, arm, np.tile(np.eye(3), (21, 1, 1)))
    return rest, arm, posed.placed(UPRIGHT, -(rest.joints[9] + [0, -0.005, 0]) @ UPRIGHT.T)


def cameras() -> Cameras:
    """One looks at the back of the hand, one at its palm."""
    world_to_cam = np.tile(np.eye(4), (2, 1, 1))
    for matrix, side in zip(world_to_cam, (1, -1)):
        matrix[:3, :3] = [[side, 0, 0], [0, 0, -1], [0, side, 0]]
        matrix[2, 3] = DISTANCE
    focal = 1.08 * SIZE * DISTANCE / 0.23
    return Cameras(np.tile([[focal, 0, SIZE / 2], [0, focal, SIZE / 2], [0, 0, 1.0]], (2, 1, 1)), world_to_cam, SIZE)


def plain_look() -> Look:
    """A bright room with one large lamp."""
    look = draw_look(np.random.default_rng(4), LookSettings(), ("interior",))
    lamp = Lamp("area", (-0.9, -0.5, 0.9), 5200.0, 40.0, 0.8)
    return dataclasses.replace(
        look, lamps=(lamp,), rotation=0.5, hdri_strength=1.0, exposure_ev=0.15, white_balance=0.9, background="clutter",
        background_blur=1.2, lens_blur=0.3, arm_style="bare",
    )  # fmt: skip


def main() -> None:
    """Render and write the picture."""
    asset, settings = load_asset(), RenderSettings(width=SIZE, height=SIZE, samples_per_pixel=32, crosscheck=0.0)
    studio = Studio(asset, *arm_topology(asset), settings)
    rest, arm, posed = rest_pose(asset)
    roughness = load_release("demo").subjects.roughness
    columns = []
    for number, tone in enumerate(TONES):
        subject = Subject(np.zeros(len(asset.shape_names)), 0.185, 24.0 + 8 * number, number % 2, tone, 66 + number)
        skin = bake(asset, rest, arm, subject, roughness=roughness)
        spec = SampleSpec(posed, None, None, cameras(), skin, plain_look(), 1, {"sample": number})
        columns.append(np.concatenate(render_sample(studio, spec, settings)["rgb"]))
    path = Path(__file__).parents[1] / "images" / "skin_tones.jpg"
    cv2.imwrite(str(path), np.concatenate(columns, axis=1)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])


if __name__ == "__main__":
    main()
