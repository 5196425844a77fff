"""Poses per second of spin matching on one core, as one line of JSON.

Poses are the rest hand with every joint moved by 1 cm (standard deviation) and turned at random. Each mode is timed
several times; the best and the median are reported.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time

import numpy as np

from rigging.fingers.hinges import hinge_axes
from rigging.geometry.rotations import random_rotation
from rigging.hand.asset import load_asset
from rigging.spin.match import MODES, match

POSES = {"ik": 500}  # others: 30,000
REPEATS = 5


def main() -> int:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one core, whatever numpy would like to use
    asset = load_asset()
    _, dorsal = hinge_axes(asset)
    rng = np.random.default_rng(0)
    result = {}
    for mode in MODES:
        count = POSES.get(mode, 30_000)
        joints = asset.joints + 0.01 * rng.normal(size=(count, 21, 3))
        joints = joints @ np.swapaxes(random_rotation(rng, count), 1, 2)
        rates = [count / seconds(asset.joints, joints, mode, dorsal) for _ in range(REPEATS)]
        result[mode] = {"poses_per_second_best": round(max(rates)), "median": round(statistics.median(rates))}
    sys.stdout.write(json.dumps({"benchmark": "spin", "cores": 1, "modes": result}) + "\n")
    return 0


def seconds(rest_joints: np.ndarray, joints: np.ndarray, mode: str, dorsal: np.ndarray) -> float:
    start = time.perf_counter()
    match(rest_joints, joints, mode, dorsal=dorsal)
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
