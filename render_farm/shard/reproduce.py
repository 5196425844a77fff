"""Renders one sample of a planned release alone, in this very process, to see why it fails."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np

from dataset_tools.pictures.canvas import save
from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.staged import read_staged

from ..errors import InputError
from ..planning.earlier import is_earlier
from ..planning.keep_inputs import kept_places
from ..planning.plan import load_plan
from ..planning.refusals import check_device
from ..planning.release import planned_release
from ..planning.release_tables import FileSettings
from .staging import Staging


def reproduce(folder: Path, sample: int, cache: Path, places: FileSettings | None = None) -> tuple[Path, Path]:
    """Render `sample` of the release in `folder` (OUT/RELEASE) and return the staged file and a picture of its views.

    Everything comes from the plan, as in a shard; shards and their staging folders are left alone. `places` says where
    panoramas and photographs lie; default: where they lay when a shard was last begun. Raises InputError without a
    plan or such a sample, and whatever the sample raises.
    """
    files = ReleaseFolder(folder)
    plan = load_plan(files.plan)
    release = planned_release(plan.release, files.plan)
    if not is_earlier(plan):
        found = dataclasses.replace(places or kept_places(files), calibration=release.files.calibration)
        release = dataclasses.replace(release, files=found)
    check_device(plan, release, folder)
    if not 0 <= sample < min(release.samples, plan.samples):
        last = min(release.samples, plan.samples) - 1
        raise InputError(f"--sample {sample}: release {release.name!r} has samples 0..{last}")
    from .job import SampleJob  # brings Blender into this process

    staging = Staging(files.reproduced)
    staging.folder.mkdir(exist_ok=True)
    SampleJob(files.plan, release, staging, cache)(sample)
    staged = staging.path(sample)
    return staged, save(staged.with_suffix(".png"), views_picture(read_staged(staged).jpeg))


def views_picture(streams: tuple[bytes, ...]) -> np.ndarray:
    """The views of a sample, JPEG streams, side by side: (H, V * W, 3) uint8."""
    views = [cv2.imdecode(np.frombuffer(stream, np.uint8), cv2.IMREAD_COLOR)[..., ::-1] for stream in streams]
    return np.concatenate(views, axis=1)
