"""What a worker process does: one Blender scene, and sample after sample rendered into the staging folder."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from blender_scripts.cycles.crosscheck import CrossCheckError
from blender_scripts.cycles.scene import Studio
from blender_scripts.render_sample import render_sample
from dataset_tools.store.encode import encode_sample
from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.staged import write_staged
from rigging.hand.arm import arm_topology

from ..errors import DisagreementError
from ..planning.keep_inputs import open_panoramas, open_photographs
from ..planning.plan import load_plan, planned_asset
from ..planning.release import Release
from ..planning.spec import Specs
from .staging import Staging


class SampleJob:
    """Renders samples of a plan; made once in a process, which then holds Blender."""

    def __init__(self, plan: Path, release: Release, staging: Staging, cache: Path) -> None:
        self.staging = staging
        self.settings = dataclasses.replace(release.render, threads=len(os.sched_getaffinity(0)))
        planned = load_plan(plan)
        asset = planned_asset(planned)
        files = ReleaseFolder(plan.parent)
        hdris = open_panoramas(files, planned, release.files.hdris)
        photos = open_photographs(files, planned, release.files.photos)
        self.studio = Studio(asset, *arm_topology(asset), self.settings, hdris, photos)
        self.specs = Specs(planned, release, asset, tuple(self.studio.hdris.files), cache)

    def __call__(self, sample: int) -> None:
        """Render and stage `sample`. Raises DisagreementError if its labels are not what Cycles sees."""
        try:
            record = render_sample(self.studio, self.specs.spec(sample), self.settings)
        except CrossCheckError as error:
            raise DisagreementError(str(error)) from error
        write_staged(self.staging.path(sample), encode_sample(record))
