"""The three ways of rendering a case, each meant for a process of its own: views for quality, samples for time."""

from __future__ import annotations

import dataclasses
import os
import pickle
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from blender_scripts.cycles.scene import Studio
from blender_scripts.render_sample import SampleSpec, render_sample, render_views, set_stage

from .blenderproc_cases import write_cases
from .blenderproc_env import python_of
from .cases import at_their_best, body_of, light_of, make_studio, shown

_state: dict = {}


def start(kind: str, folder: Path) -> None:
    """Make this process render as `kind`: "ours", "typical", "blenderproc" or "reference"."""
    studio, specs = make_studio(folder)
    if kind == "blenderproc":
        write_cases(studio, specs, at_their_best(studio.settings), folder / "cases")
        way = BlenderProc(folder)
    else:
        way = Ours(studio) if kind == "ours" else Typical(studio, plain=kind == "reference")
    _state.update(studio=studio, specs=specs, way=way)


def picture(case: int, samples_per_pixel: int) -> np.ndarray:
    """One view of a case, each case from another side, as a viewer sees it over black: (H, W, 3) in 0..1."""
    spec = _state["specs"].spec(2 * case)
    return shown(_state["way"].view(case, spec, case % 8, samples_per_pixel), spec, _state["studio"])


def timed_sample(case: int, samples_per_pixel: int) -> dict[str, float]:
    """Seconds for a whole 8-view sample; what belongs to the subject (posing, skin maps) is made before."""
    return _state["way"].seconds(case, _state["specs"].spec(2 * case), samples_per_pixel)


class Ours:
    """mvhm itself, at the release's settings."""

    def __init__(self, studio: Studio):
        self.studio = studio

    def view(self, case: int, spec: SampleSpec, view: int, samples_per_pixel: int) -> np.ndarray:
        """The view in linear light, premultiplied: (H, W, 4)."""
        body, one = body_of(spec), slice(view, view + 1)
        self.studio.use(self._settings(samples_per_pixel))
        set_stage(self.studio, spec, body, light_of(spec, self.studio))
        return render_views(self.studio, body, spec.cameras.K[one], spec.cameras.world_to_cam[one], spec.seed)[0][0]

    def seconds(self, case: int, spec: SampleSpec, samples_per_pixel: int) -> dict[str, float]:
        """A whole record: pictures over backgrounds and all labels, optical flow among them."""
        start_time = time.perf_counter()
        render_sample(self.studio, spec, self._settings(samples_per_pixel))
        return {"seconds": time.perf_counter() - start_time}

    def _settings(self, samples_per_pixel: int):
        return dataclasses.replace(self.studio.settings, samples_per_pixel=samples_per_pixel)


class Typical:
    """The typical script; `plain` without denoiser, for the reference pictures."""

    def __init__(self, studio: Studio, plain: bool = False):
        from .typical import TypicalScript  # imports bpy, which only the processes that render may hold

        settings = at_their_best(studio.settings)
        studio.use(settings)
        self.script = TypicalScript(studio, settings, plain)

    def view(self, case: int, spec: SampleSpec, view: int, samples_per_pixel: int) -> np.ndarray:
        """The view in linear light, premultiplied: (H, W, 4)."""
        self.script.scene.cycles.samples = samples_per_pixel
        self.script.set_stage(spec, body_of(spec))
        return self.script.render_view(spec.cameras.K[view], spec.cameras.world_to_cam[view], spec.seed)["Combined"]

    def seconds(self, case: int, spec: SampleSpec, samples_per_pixel: int) -> dict[str, float]:
        """Eight pictures with their label passes."""
        self.script.scene.cycles.samples = samples_per_pixel
        start_time = time.perf_counter()
        self.script.set_stage(spec, body_of(spec))
        for K, world_to_cam in zip(spec.cameras.K, spec.cameras.world_to_cam):
            self.script.render_view(K, world_to_cam, spec.seed)
        return {"seconds": time.perf_counter() - start_time}


class BlenderProc:
    """BlenderProc in its own interpreter, started once and asked over a pipe; it measures its own seconds."""

    def __init__(self, folder: Path):
        """`folder` holds the environment (`blenderproc_env`) and the cases (`write_cases`)."""
        shared_memory = Path("/dev/shm")  # where `blenderproc run` keeps its temporary files
        self._temporary = tempfile.TemporaryDirectory(dir=shared_memory if shared_memory.is_dir() else None)
        script = Path(__file__).with_name("blenderproc_script.py")
        command = [python_of(folder / "blenderproc"), script, "--background", "--", script.name, self._temporary.name,
                   folder / "cases"]  # fmt: skip
        environment = os.environ | {"INSIDE_OF_THE_INTERNAL_BLENDER_PYTHON_ENVIRONMENT": "1"}
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)

    def view(self, case: int, spec: SampleSpec, view: int, samples_per_pixel: int) -> np.ndarray:
        """The view in linear light, premultiplied: (H, W, 4)."""
        return self._ask(case, [view], samples_per_pixel, flow=False)["colors"][0]

    def seconds(self, case: int, spec: SampleSpec, samples_per_pixel: int) -> dict[str, float]:
        """Eight pictures with depth and segmentation; optical flow is timed apart."""
        found = self._ask(case, list(range(len(spec.cameras.K))), samples_per_pixel, flow=True)
        return {key: found[key] for key in ("seconds", "flow_seconds")}

    def _ask(self, case: int, views: list[int], samples_per_pixel: int, flow: bool) -> dict:
        """Send a request and wait for its answer; EOFError if BlenderProc has ended."""
        request = {"case": case, "views": views, "samples_per_pixel": samples_per_pixel, "flow": flow}
        pickle.dump(request, self._process.stdin)
        self._process.stdin.flush()
        return pickle.load(self._process.stdout)
