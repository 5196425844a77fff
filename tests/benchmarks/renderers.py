"""The two ways of rendering a case, each meant for a process of its own: views for quality, samples for time."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import numpy as np

from blender_scripts.render_sample import render_sample, render_views, set_stage

from .cases import body_of, light_of, make_studio, shown

_state: dict = {}


def start(kind: str, folder: Path) -> None:
    """Make this process render as `kind`: "ours", "typical" or "reference"."""
    _state["studio"], _state["specs"] = make_studio(folder)
    _state["kind"] = kind


def picture(case: int, view: int, samples_per_pixel: int) -> np.ndarray:
    """One view of a case as a viewer sees it over black: (H, W, 3) in 0..1."""
    studio, spec = _state["studio"], _state["specs"].spec(2 * case)
    settings = dataclasses.replace(studio.settings, samples_per_pixel=samples_per_pixel)
    K, world_to_cam = spec.cameras.K[view : view + 1], spec.cameras.world_to_cam[view : view + 1]
    if _state["kind"] == "ours":
        studio.use(settings)
        set_stage(studio, spec, body_of(spec), light_of(spec, studio))
        combined = render_views(studio, body_of(spec), K, world_to_cam, spec.seed)[0][0]
    else:
        script = _script(settings)
        script.set_stage(spec, body_of(spec))
        combined = script.render_view(K[0], world_to_cam[0], spec.seed)["Combined"]
    return shown(combined, spec, studio)


def timed_sample(case: int, samples_per_pixel: int) -> float:
    """Seconds for a whole 8-view sample; what belongs to the subject (posing, skin) is made before."""
    studio, spec = _state["studio"], _state["specs"].spec(2 * case)
    settings = dataclasses.replace(studio.settings, samples_per_pixel=samples_per_pixel)
    start_time = time.perf_counter()
    if _state["kind"] == "ours":
        render_sample(studio, spec, settings)
    else:
        script = _script(settings)
        script.set_stage(spec, body_of(spec))
        for K, world_to_cam in zip(spec.cameras.K, spec.cameras.world_to_cam):
            script.render_view(K, world_to_cam, spec.seed)
    return time.perf_counter() - start_time


def _script(settings):
    from .typical import TypicalScript  # imports bpy, which only the processes that render may hold

    if _state.get("script_settings") != settings:
        _state["script"] = TypicalScript(_state["studio"], settings, plain=_state["kind"] == "reference")
        _state["script_settings"] = settings
    return _state["script"]
