"""What a worker process does: one Blender scene, and sample after sample rendered into the staging folder."""

from __future__ import annotations

import dataclasses
import logging
import os
import time
from pathlib import Path

import psutil

from blender_scripts.render_sample import render_sample
from blender_scripts.scene import Studio
from dataset_tools.writer import encode_sample, write_staged
from rigging.arm import arm_topology

from .plan import load_plan, planned_asset
from .release import Release
from .spec import Specs
from .staging import Staging

log = logging.getLogger(__name__)


class SampleJob:
    """Renders samples of a plan; made once in a process, which then holds Blender."""

    def __init__(self, plan: Path, release: Release, staging: Staging, cache: Path) -> None:
        self.staging = staging
        self.settings = dataclasses.replace(release.render, threads=len(os.sched_getaffinity(0)))
        planned = load_plan(plan)
        asset = planned_asset(planned)
        hdris, photos = release.files.hdris or None, release.files.photos or None
        self.studio = Studio(asset, *arm_topology(asset), self.settings, hdris, photos)
        self.specs = Specs(planned, release, asset, tuple(self.studio.hdris.files), cache)

    def __call__(self, sample: int) -> None:
        """Render and stage `sample`."""
        start = time.perf_counter()
        spec = self.specs.spec(sample)
        record = render_sample(self.studio, spec, self.settings)
        write_staged(self.staging.path(sample), encode_sample(record))
        seconds, memory = time.perf_counter() - start, psutil.Process().memory_info().rss / 1e6
        log.info("sample %d: %.1f s, %.0f MB resident", sample, seconds, memory)
