"""What is rendered in the benchmark: poses and skin tones of a small release, spread over the tones."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from blender_scripts.cycles.scene import Studio
from blender_scripts.looks.colour import linear_to_srgb8
from blender_scripts.looks.exposure import camera_gains, scene_light, skin_reflectance
from blender_scripts.render_sample import SampleSpec
from blender_scripts.settings import RenderSettings
from render_farm.planning.ensure_plan import ensure_plan
from render_farm.planning.release import load_release
from render_farm.planning.spec import Specs, plan_subject
from rigging.hand.arm import arm_topology
from rigging.hand.asset import load_asset

RELEASE = Path(__file__).parent / "bench.toml"
CASES = 12


def release_and_plan(folder: Path):
    """The benchmark's release and its plan, kept in `folder`."""
    release = load_release(str(RELEASE))
    return release, ensure_plan(release, folder)


def make_studio(folder: Path, threads: int = 2) -> tuple[Studio, Specs]:
    """Blender with the scene, and the specs of the cases: `specs.spec(2 * case)`."""
    release, plan = release_and_plan(folder)
    asset, settings = load_asset(), dataclasses.replace(release.render, threads=threads)
    studio = Studio(asset, *arm_topology(asset), settings)
    return studio, Specs(plan, release, asset, tuple(studio.hdris.files), folder / "cache")


def ita_of_cases(folder: Path) -> list[float]:
    """Individual typology angle (degrees) of every case's skin: light is high."""
    plan = release_and_plan(folder)[1]
    return [float(plan_subject(plan, int(plan.subject[plan.pair_of(2 * case)])).ita) for case in range(CASES)]


def at_their_best(settings: RenderSettings) -> RenderSettings:
    """For the reference and for the others: what a release saves on bounces or skin must not change the yardstick."""
    return dataclasses.replace(settings, bounces=4, subsurface="RANDOM_WALK")


def body_of(spec: SampleSpec) -> np.ndarray:
    """Vertices (N, 3) of hand and arm."""
    return np.concatenate([spec.posed.vertices, spec.posed.arm_vertices]).astype(np.float32).astype(float)


def shown(combined: np.ndarray, spec: SampleSpec, studio: Studio) -> np.ndarray:
    """What a viewer sees of linear, premultiplied (H, W, 4) over black: (H, W, 3) sRGB in 0..1."""
    gains = camera_gains(spec.look, light_of(spec, studio), skin_reflectance(spec.skin.albedo))
    return linear_to_srgb8(combined[..., :3] * gains) / 255.0


def light_of(spec: SampleSpec, studio: Studio) -> np.ndarray:
    """The light around the hand as mvhm renders it, (64, 128, 3)."""
    return scene_light(spec.look, studio.hdris.light(spec.look.hdri, spec.look.rotation))


def psnr(picture: np.ndarray, reference: np.ndarray) -> float:
    """Peak signal to noise ratio in dB over the whole picture."""
    return float(-10 * np.log10(np.mean((picture - reference) ** 2)))
