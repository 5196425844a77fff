"""Made-up rooms, plain and lived-in: their spectra, and what they cost.

    python -m tests.benchmarks.bench_rooms

One line of JSON each, as `bench_detail` prints: per ring of the spectrum (docs/statistics.md) the mean over pictures of
log10 against the ring of 4 to 8 cycles, `noise`, `skin_like`, the share of pixels of a colour that skin could have, and
milliseconds of processor time on one core to make a room and to view it with 256 pixels; `per_view` shares a room
between the two samples of a pair, 16 views.
"""

from __future__ import annotations

import json
import time
from types import ModuleType

import cv2
import numpy as np

from blender_scripts.looks import clutter
from blender_scripts.looks.backgrounds import develop
from blender_scripts.looks.lived_in import room as lived_in
from docs.figures.detail import pinhole

from .bench_detail import SIZE, spectra
from .swap_compose import skin_like

ROOMS, VIEWS, DISTANCE = 40, 4, 0.5  # metres from the hand, which is at the origin
SHARED = 16  # views of one room
KINDS = {"plain": clutter, "lived-in": lived_in}


def cameras(seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """K (3, 3) and world_to_cam (4, 4) of VIEWS cameras around the hand."""
    rng, made = np.random.default_rng(seed), []
    for azimuth in rng.uniform(0, 2 * np.pi) + np.arange(VIEWS) * 2 * np.pi / VIEWS:
        K, matrix = pinhole(azimuth, np.arcsin(rng.uniform(-0.5, 0.5)), rng.uniform(1.8, 3.0))
        made.append((K, matrix + np.outer([0, 0, DISTANCE, 0], [0, 0, 0, 1])))
    return made


def measured(module: ModuleType) -> tuple[dict[str, float], dict[str, float]]:
    """Spectra and hues of a kind of rooms, and milliseconds: per room, per view, per view with its share."""
    pictures, making, viewing, like = [], [], [], []
    for seed in range(-1, ROOMS):  # the first is for compilers and caches
        start = time.process_time()
        room = module.build_room(1000 + seed, DISTANCE)
        made = time.process_time()
        views = [module.view_room(room, *camera, SIZE, SIZE) for camera in cameras(seed + 1)]
        making.append(made - start)
        viewing.append((time.process_time() - made) / VIEWS)
        like.append(skin_like(np.minimum(views, 1.5)))
        pictures += [develop(np.minimum(view, 1.5), 0.4, 0.0, np.random.default_rng(0)) for view in views]
    build, view = 1e3 * float(np.median(making[1:])), 1e3 * float(np.median(viewing[1:]))
    times = {"build": build, "view": view, "per_view": view + build / SHARED}
    hues = {"skin_like": round(float(np.mean(like[1:])), 3)}
    return spectra(pictures[VIEWS:]) | hues, {name: round(value, 1) for name, value in times.items()}


def main() -> None:
    """Measure and print."""
    cv2.setNumThreads(1)
    for name, module in KINDS.items():
        rings, times = measured(module)
        print(json.dumps({"rooms": name, **rings, "ms": times}))


if __name__ == "__main__":
    main()
