"""The camera's sensor: processor time per view, whole and part by part, as one line of JSON.

    python -m tests.benchmarks.run --only sensor        # with one thread: waiting ones count as processor time

A view of the shipped hand that moves by half a centimetre to its neighbours, before a background of noise: the light's
way through lens, sensor and finish. A part's cost is what it adds to a camera in which everything else is off; all ways
take turns, and the best round counts. Whole cameras are drawn from the presets.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping

import numpy as np
from tqdm import tqdm

from blender_scripts.labels.coverage import pixel_coverage
from blender_scripts.labels.hand import label_hand, make_surface
from blender_scripts.labels.rasterise import view_vertices
from blender_scripts.sensor.chain import record
from blender_scripts.sensor.defocus import focus_on
from blender_scripts.sensor.optics import Scene, through_lens
from blender_scripts.sensor.sensor import Sensor, draw_sensors
from blender_scripts.sensor.settings import SensorSettings
from rigging.geometry.cameras import CameraSettings, palm_frame, ring
from rigging.hand.arm import arm_topology, build_arm
from rigging.hand.asset import load_asset
from rigging.hand.shape import RestHand

from .page import processor

SIZES, ROUNDS, CAMERAS = (128, 256, 512), 6, 12
STEP = np.array([0.004, -0.003, 0.002])  # metres from t to t+1
PARTS = {
    "shutter": {"shutter": 0.25}, "defocus": {"aperture": 0.003, "focus": -0.4}, "vignetting": {"vignetting": 0.5},
    "glare": {"glare": 0.02}, "haze": {"haze": 0.05}, "white balance, colours": {"white_balance": (0.1, 0.0)},
    "noise, colours": {"iso": 200.0}, "noise, mosaic, colours": {"iso": 200.0, "binning": 1},
    "noise, noise reduction, colours": {"iso": 200.0, "denoising": 0.5}, "local tone": {"local_tone": 0.3}, 
    "sharpening": {"sharpening": 1.0}, "JPEG": {"jpeg": 80},
}  # fmt: skip


def main() -> int:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    sizes = {size: milliseconds(size) for size in tqdm(SIZES, desc="sensor", unit="size")}
    sys.stdout.write(json.dumps({"benchmark": "sensor", "processor": processor(), "sizes": sizes}) + "\n")
    return 0


def milliseconds(size: int) -> dict[str, dict[str, float]]:
    """Of processor time per view of `size` x `size` pixels: of whole cameras by preset, and of each of PARTS."""
    scene, ways = make_scene(size), {"nothing": Sensor()} | {name: Sensor(**values) for name, values in PARTS.items()}
    best = best_of(scene, ways)
    whole = {}
    for preset in ("mild", "phone"):
        settings = SensorSettings(**SensorSettings.PRESETS[preset])
        drawn = [draw_sensors(np.random.default_rng(seed), settings, 1)[0] for seed in range(CAMERAS)]
        times = list(best_of(scene, dict(enumerate(drawn))).values())
        whole[preset] = {"mean": float(np.mean(times)), "most": float(np.max(times))}
    parts = {name: best[name] - best["nothing"] for name in PARTS}
    return {"whole": whole, "parts": {"hand over background, sRGB": best["nothing"]} | parts}


def best_of(scene: Scene, ways: Mapping[object, Sensor]) -> dict[object, float]:
    """Milliseconds that each camera takes for the scene's picture, the best of ROUNDS."""
    best = dict.fromkeys(ways, np.inf)
    for _ in range(ROUNDS):
        for way, sensor in ways.items():
            start = time.process_time()
            record(through_lens(scene, sensor), sensor, np.random.default_rng(0))
            best[way] = min(best[way], (time.process_time() - start) * 1000)
    return best


def make_scene(size: int) -> Scene:
    """What a camera of a ring sees of the hand at rest, `size` pixels square."""
    asset = load_asset()
    arm_faces, _ = arm_topology(asset)
    arm = build_arm(asset, RestHand(asset.template, asset.joints), "bare", np.random.default_rng(0))
    vertices, surface = np.concatenate([asset.template, arm]), make_surface(asset, arm_faces, arm_joined=True)
    cameras = ring(palm_frame(asset.joints), asset.template, CameraSettings(image_size=size), np.random.default_rng(0))
    K, world_to_cam = cameras.K[:1], cameras.world_to_cam[:1]
    both = vertices - STEP, vertices + STEP
    labels = label_hand(surface, vertices, asset.joints, K, world_to_cam, (size, size), *both)
    coverage = pixel_coverage(view_vertices(vertices, K[0], world_to_cam[0]), surface.faces, labels["parts"][0] > 0)
    light = np.random.default_rng(0).random((size, size, 3), np.float32)
    hand = np.dstack([light * coverage[..., None], coverage])
    flows = labels["flow_forward"][0], labels["flow_backward"][0]
    depth = labels["depth"][0]
    focus = focus_on(depth, labels["mask"][0])
    return Scene(hand, light[::-1].copy(), depth, flows, K[0], focus, np.inf, np.full(3, 0.4))


if __name__ == "__main__":
    sys.exit(main())
