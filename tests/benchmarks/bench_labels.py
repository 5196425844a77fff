"""Exact labels without Blender: views per second of one core by image size, as one line of JSON.

    python -m tests.benchmarks.bench_labels

Processor time of `label_hand` for samples of 8 views as a release's cameras see them, from the shipped hand in a bare
arm; the best of several rounds, in which all ways take turns.
"""

from __future__ import annotations

import json
import os
import sys
import time

import numpy as np
from tqdm import tqdm

from blender_scripts.labels.hand import label_hand, make_surface
from rigging.geometry.cameras import CameraSettings, palm_frame, ring
from rigging.hand.arm import arm_topology, build_arm
from rigging.hand.asset import load_asset
from rigging.hand.shape import RestHand

from .page import processor

SIZES, ROUNDS = (128, 256, 512), 30
STEP = np.array([0.004, -0.003, 0.002])  # metres from t to t+1
WAYS = {"no flow": (False, False), "flow to one side": (False, True), "flow to both": (True, True)}


def main() -> int:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    sizes = {size: milliseconds(size) for size in tqdm(SIZES, desc="labels", unit="size")}
    sys.stdout.write(json.dumps({"benchmark": "labels", "processor": processor(), "sizes": sizes}) + "\n")
    return 0


def milliseconds(size: int) -> dict[str, float]:
    """Of processor time per view of `size` x `size` pixels, by way, and the share of pixels that hand and arm cover."""
    asset = load_asset()
    arm_faces, _ = arm_topology(asset)
    arm = build_arm(asset, RestHand(asset.template, asset.joints), "bare", np.random.default_rng(0))
    vertices, surface = np.concatenate([asset.template, arm]), make_surface(asset, arm_faces, arm_joined=True)
    settings = CameraSettings(image_size=size)
    cameras = ring(palm_frame(asset.joints), asset.template, settings, np.random.default_rng(0))
    scene = surface, vertices, asset.joints, cameras.K, cameras.world_to_cam, (size, size)
    best = dict.fromkeys(WAYS, np.inf)
    for _ in range(ROUNDS):
        for way, (before, after) in WAYS.items():
            neighbours = vertices - STEP if before else None, vertices + STEP if after else None
            start = time.process_time()
            labels = label_hand(*scene, *neighbours)
            best[way] = min(best[way], (time.process_time() - start) / len(cameras) * 1000)
    return best | {"covered": float((labels["parts"] > 0).mean())}


if __name__ == "__main__":
    sys.exit(main())
