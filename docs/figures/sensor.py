"""Draw docs/images/sensor.jpg: one picture without a sensor, with each part of one alone, and by six phones.

Run from the root of the repository: python -m docs.figures.sensor
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np

from blender_scripts.cycles.scene import Studio
from blender_scripts.looks.backgrounds import blur, make_backgrounds
from blender_scripts.looks.look import Look, LookSettings, draw_look
from blender_scripts.render_sample import (
    SampleSpec,
    label_sample,
    make_scenes,
    render_views,
    sample_light,
    set_stage,
)
from blender_scripts.sensor.chain import record
from blender_scripts.sensor.optics import Scene, through_lens
from blender_scripts.sensor.sensor import Sensor, draw_sensors
from blender_scripts.sensor.settings import SensorSettings
from blender_scripts.settings import RenderSettings
from rigging.geometry.cameras import Cameras, CameraSettings, ring
from rigging.hand.arm import arm_topology
from rigging.hand.asset import load_asset
from rigging.hand.shape import Subject
from rigging.skin.bake import bake

from .skin_tones import UPRIGHT, rest_pose

SIZE, COLUMNS, CAPTION = 384, 4, 22  # px, tiles, px
SHOWN = slice(64, 320), slice(64, 320)  # rows and columns of a picture
STEP = np.array([0.012, 0.004, 0.006])  # metres that the hand moves from one frame to the next
PARTS = {  # stronger than a release has them, to be seen
    "all off": {}, "shutter 1/2 frame": {"shutter": 0.5}, "aperture 4 mm, focus -2": {"aperture": 0.004, "focus": -2.0},
    "vignetting 2": {"vignetting": 2.0}, "glare 10 %": {"glare": 0.1}, "haze 20 %": {"haze": 0.2},
    "ISO 800": {"iso": 800.0}, "ISO 800, mosaic": {"iso": 800.0, "binning": 1},
    "ISO 800, 4 frames": {"iso": 800.0, "frames": 4}, "ISO 800, denoising 1": {"iso": 800.0, "denoising": 1.0},
    "another's colours": {"primaries": (0.0, 1.0, 0.0, 0.0), "correction": (0.0, 0.0, 1.0, 0.0)},
    "white balance 0.3, -0.3": {"white_balance": (0.3, -0.3)}, "exposure +1.3": {"exposure": 1.3},
    "local tone 0.5": {"local_tone": 0.5}, "contrast 1": {"contrast": 1.0}, "black +0.1": {"black": 0.1},
    "sharpening 2": {"sharpening": 2.0}, "JPEG 25": {"jpeg": 25},
}  # fmt: skip
PHONES = (1, 4, 5, 8, 13, 21)  # seeds


def camera() -> Cameras:
    """One before the back of the hand."""
    _, _, posed = rest_pose(load_asset())
    settings = CameraSettings(image_size=SIZE, phase=False, fill=0.8)
    one = ring((np.zeros(3), UPRIGHT), posed.vertices, settings, np.random.default_rng(0))
    return dataclasses.replace(one, K=one.K[:1], world_to_cam=one.world_to_cam[:1])


def look() -> Look:
    """A street by day, sharp."""
    drawn = draw_look(np.random.default_rng(1), LookSettings(), ("city",))
    return dataclasses.replace(
        drawn, background="hdri", background_blur=0.0, lens_blur=0.2, arm_style="bare", lamps=(), exposure_ev=0.0
    )


def sensors() -> dict[str, Sensor]:
    """The tiles' cameras by caption."""
    phone = SensorSettings(**SensorSettings.PRESETS["phone"])
    phones = {f"phone {seed}": draw_sensors(np.random.default_rng(seed), phone, 1)[0] for seed in PHONES}
    return {caption: Sensor(**values) for caption, values in PARTS.items()} | phones


def scene() -> Scene:
    """The hand, moving, as `render_sample` makes it."""
    asset, settings = load_asset(), RenderSettings(width=SIZE, height=SIZE, samples_per_pixel=16)
    studio = Studio(asset, *arm_topology(asset), settings)
    rest, arm, posed = rest_pose(asset)
    before, after = (posed.placed(np.eye(3), way * STEP) for way in (-1, 1))
    skin = bake(asset, rest, arm, Subject(np.zeros(len(asset.shape_names)), 0.185, 30.0, 0.0, 10.0, 66))
    spec = SampleSpec(posed, before, after, camera(), skin, look(), 1, {"sample": 0})
    panorama, light, gains = sample_light(studio.hdris, spec)
    K, world_to_cam = spec.cameras.K, spec.cameras.world_to_cam
    vertices = np.concatenate([posed.vertices, posed.arm_vertices])
    set_stage(studio, spec, vertices, light)
    hands, _ = render_views(studio, vertices, K, world_to_cam, spec.seed)
    labels, coverage = label_sample(studio.bodies.surface("bare", False), spec, (SIZE, SIZE))
    backgrounds = make_backgrounds(spec.look, panorama, gains, light, K, world_to_cam, (SIZE, SIZE))
    return make_scenes(spec, hands, backgrounds, coverage, labels, light, gains)[0]


def main() -> None:
    """Render once, and write the picture of all cameras."""
    taken, tiles = scene(), []
    for caption, sensor in sensors().items():
        picture = record(blur(through_lens(taken, sensor), look().lens_blur), sensor, np.random.default_rng(0))
        tiles.append(labelled(picture, caption))
    rows = [np.concatenate(tiles[k : k + COLUMNS], axis=1) for k in range(0, len(tiles), COLUMNS)]
    path = Path(__file__).parents[1] / "images" / "sensor.jpg"
    cv2.imwrite(str(path), np.concatenate(rows)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])


def labelled(picture: np.ndarray, caption: str) -> np.ndarray:
    """The SHOWN part of a picture (SIZE, SIZE, 3) uint8 with its caption below: (256 + CAPTION, 256, 3)."""
    picture = picture[SHOWN]
    below = np.full((CAPTION, picture.shape[1], 3), 255, np.uint8)
    cv2.putText(below, caption, (6, CAPTION - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return np.concatenate([picture, below])


if __name__ == "__main__":
    main()
