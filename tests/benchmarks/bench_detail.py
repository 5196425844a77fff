"""Panoramas as backgrounds, with and without detail: their spectra beside those of photographs, and what they cost.

    python -m tests.benchmarks.bench_detail [FOLDER_OF_PHOTOGRAPHS]

One line of JSON each: per ring of the spectrum (docs/statistics.md) the mean over pictures of log10 against the ring of
4 to 8 cycles, since a background may be of any contrast; `noise`; and milliseconds of processor time per view of 256
pixels on one core, all in turn.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from blender_scripts.looks.backgrounds import develop
from blender_scripts.looks.detail import Backdrop, detailed_view
from blender_scripts.looks.exposure import camera_gains, panorama_gain, scene_light
from blender_scripts.looks.hdri import HdriLibrary, hdri_files
from blender_scripts.looks.look import LookSettings, draw_look
from dataset_tools.statistics.photographs import photographs, read_photograph
from dataset_tools.statistics.picture_measures import RING_NAMES, measure
from docs.figures.detail import pinhole

LOOKS, SIZE, TIMED = 120, 256, 20
DETAIL = {"as they are": 0.0, "with detail": 1.0}


def backdrops(library: HdriLibrary, detail: float) -> list[tuple[Backdrop, np.ndarray, np.ndarray]]:
    """LOOKS panoramas exposed as in a release, each with K (3, 3) and world_to_cam (4, 4) of a camera."""
    out = []
    for seed in range(LOOKS):
        rng = np.random.default_rng(seed)
        look = draw_look(rng, LookSettings(), tuple(library.files))
        panorama, light = library.panorama(look.hdri), scene_light(look, library.light(look.hdri, look.rotation))
        gains = panorama_gain(look, panorama, camera_gains(look, light))
        camera = pinhole(rng.uniform(-np.pi, np.pi), np.arcsin(rng.uniform(-0.5, 0.5)), rng.uniform(1.8, 3.0))
        out.append((Backdrop(panorama, look.rotation, gains, 1.5, detail, seed), *camera))
    return out


def spectra(pictures: list[np.ndarray]) -> dict[str, float]:
    """Means over pictures (H, W, 3) uint8 of their rings against the second, and of noise; empty ones do not count."""
    table = np.array([measure(picture)[: len(RING_NAMES) + 1] for picture in pictures])
    table = table[np.isfinite(table).all(1)]
    table[:, :-1] -= table[:, 1:2].copy()
    return dict(zip((*RING_NAMES, "noise"), table.mean(0).round(3).tolist()))


def milliseconds(views: list[tuple[Backdrop, np.ndarray, np.ndarray]]) -> float:
    """Processor time per view, each seen once."""
    start = time.process_time()
    for view in views:
        detailed_view(*view, (SIZE, SIZE))
    return round(1e3 * (time.process_time() - start) / len(views), 2)


def main() -> None:
    """Measure and print."""
    cv2.setNumThreads(1)
    library = HdriLibrary(hdri_files())
    scenes = {name: backdrops(library, detail) for name, detail in DETAIL.items()}
    for name, views in scenes.items():
        lit = [np.minimum(detailed_view(*view, (SIZE, SIZE)), 1.5) for view in views]
        pictures = [develop(view, 0.4, 0.0, np.random.default_rng(0)) for view in lit]
        print(json.dumps({"panoramas": name, **spectra(pictures)}))
    for folder in sys.argv[1:]:
        print(json.dumps({"photographs": folder, **spectra([read_photograph(p) for p in photographs(Path(folder))])}))
    times = {name: min(milliseconds(views[:TIMED]) for _ in range(5)) for name, views in scenes.items()}
    print(json.dumps({"ms": times}))


if __name__ == "__main__":
    main()
