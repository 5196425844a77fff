"""Draw docs/images/backgrounds.jpg: the kinds of background behind one hand, three views each.

Run from the root of the repository: python -m docs.figures.backgrounds
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np

from blender_scripts.cycles.scene import Studio
from blender_scripts.looks.look import Look, LookSettings, RoomKind, draw_look
from blender_scripts.render_sample import SampleSpec, render_sample
from blender_scripts.settings import RenderSettings
from rigging.geometry.cameras import CameraSettings, ring
from rigging.hand.arm import arm_topology
from rigging.hand.asset import load_asset
from rigging.hand.shape import Subject
from rigging.skin.bake import bake

from .skin_tones import UPRIGHT, rest_pose

SIZE, SHOWN = 256, (0, 1, 3)  # the views that are shown
SCENES = (  # panorama, background, kind of rooms, seed of the look
    ("forest", "hdri", "plain", 1), ("interior", "hdri", "plain", 2), ("night", "hdri", "plain", 3),
    ("courtyard", "clutter", "plain", 4), ("city", "clutter", "lived-in", 5), ("sunset", "clutter", "lived-in", 9),
    ("courtyard", "clutter", "lived-in", 4), ("city", "clutter", "lived-in", 12),
)  # fmt: skip


def scene_look(hdri: str, background: str, rooms: RoomKind, seed: int) -> Look:
    """A look as a release would draw it, of a given panorama and background."""
    look = draw_look(np.random.default_rng(seed), LookSettings(rooms=rooms), (hdri,))
    return dataclasses.replace(look, background=background, arm_style="bare")


def main() -> None:
    """Render and write the picture: two scenes a row."""
    asset, settings = load_asset(), RenderSettings(width=SIZE, height=SIZE, samples_per_pixel=16, crosscheck=0.0)
    studio = Studio(asset, *arm_topology(asset), settings)
    rest, arm, posed = rest_pose(asset)
    skin = bake(asset, rest, arm, Subject(np.zeros(len(asset.shape_names)), 0.185, 30.0, 0.0, 10.0, 66))
    frame = np.zeros(3), UPRIGHT
    strips = []
    for number, scene in enumerate(SCENES):
        cameras = ring(frame, posed.vertices, CameraSettings(), np.random.default_rng(number))
        cameras = dataclasses.replace(cameras, K=cameras.K[list(SHOWN)], world_to_cam=cameras.world_to_cam[list(SHOWN)])
        spec = SampleSpec(posed, None, None, cameras, skin, scene_look(*scene), 1, {"sample": number})
        strips.append(np.concatenate(render_sample(studio, spec, settings)["rgb"], axis=1))
    rows = [np.concatenate(strips[k : k + 2], axis=1) for k in range(0, len(strips), 2)]
    path = Path(__file__).parents[1] / "images" / "backgrounds.jpg"
    cv2.imwrite(str(path), np.concatenate(rows)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])


if __name__ == "__main__":
    main()
