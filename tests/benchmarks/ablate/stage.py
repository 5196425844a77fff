"""Linear renders of a study's samples, kept: every variant makes its pictures of these, and none is rendered twice."""

from __future__ import annotations

import dataclasses
import io
import os
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from blender_scripts.cycles.scene import Studio
from blender_scripts.looks.backgrounds import PhotoFolder
from blender_scripts.looks.hdri import HdriLibrary, hdri_files
from blender_scripts.looks.plates import make_plates
from blender_scripts.render_sample import render_views, sample_light, set_stage
from dataset_tools.judge.groups import TONE_GROUPS, by_least
from dataset_tools.progress import Progress
from dataset_tools.statistics.looks import tone_of
from dataset_tools.store.layout import ReleaseFolder
from render_farm.files import digest
from render_farm.planning.configuration import package_versions
from render_farm.planning.ensure_plan import ensure_plan
from render_farm.planning.keep_inputs import open_panoramas, open_photographs
from render_farm.planning.plan import Plan, load_plan, planned_asset
from render_farm.planning.release import Release
from render_farm.planning.spec import Specs
from render_farm.shard.pool import Pool, PoolSettings
from rigging.errors import InputError
from rigging.files import write_atomic
from rigging.hand.arm import arm_topology
from rigging.hand.asset import HandAsset

from ..cases import body_of
from .study import Study


@dataclass(frozen=True)
class Stage:
    """The folder of a study: plan, renders by way and sample, shards by variant."""

    folder: Path

    @property
    def release(self) -> ReleaseFolder:
        """Where the plan lies."""
        return ReleaseFolder(self.folder / "plan")

    @property
    def cache(self) -> Path:
        """Of baked skins."""
        return self.folder / ".cache"

    @property
    def logs(self) -> Path:
        """What workers say."""
        return self.folder / "logs"

    def hands(self, way: str, sample: int) -> Path:
        """The renders (V, H, W, 4) of a sample."""
        return self.folder / "hands" / way / f"{sample:05d}.npz"

    def variant(self, name: str) -> ReleaseFolder:
        """The shards of a variant, a folder as any release's."""
        return ReleaseFolder(self.folder / "variants" / name)

    def plan(self, study: Study) -> Plan:
        """The plan, made if there is none. Raises InputError where the folder holds renders of something else."""
        for folder in (self.folder, self.release.path, self.logs):
            folder.mkdir(parents=True, exist_ok=True)
        plan = ensure_plan(study.release, self.release.path)
        parts = [*map(str, sorted(package_versions().items())), *([str(study.per_tone)] if study.per_tone else [])]
        mark, made_of = self.folder / "made_of", digest(plan.content, *parts)
        if mark.exists() and mark.read_text() != made_of:
            raise InputError(f"{self.folder}: holds renders of another release or version; choose another --folder")
        write_atomic(mark, made_of.encode())
        return plan


@dataclass(frozen=True)
class Inputs:
    """What all jobs on a study's samples begin with."""

    plan: Plan
    asset: HandAsset
    specs: Specs
    hdris: HdriLibrary
    photos: PhotoFolder | None

    @classmethod
    def of(cls, stage: Stage, study: Study) -> Inputs:
        """Of a planned study."""
        plan = load_plan(stage.release.plan)
        asset = planned_asset(plan)
        hdris = open_panoramas(stage.release, plan, study.release.files.hdris) or HdriLibrary(hdri_files())
        photos = open_photographs(stage.release, plan, study.release.files.photos)
        specs = Specs(plan, study.release, asset, tuple(hdris.files), stage.cache)
        return cls(plan, asset, specs, hdris, photos)


class RenderJob:
    """Renders a sample in every way that is not there yet; made once in a process, which then holds Blender."""

    def __init__(self, stage: Stage, study: Study) -> None:
        self.stage, self.study, self.inputs = stage, study, Inputs.of(stage, study)
        threads = len(os.sched_getaffinity(0))
        self.ways = {way: dataclasses.replace(one, threads=threads) for way, one in study.ways().items()}
        topology = arm_topology(self.inputs.asset)
        self.studio = Studio(self.inputs.asset, *topology, next(iter(self.ways.values())), self.inputs.hdris)

    def __call__(self, sample: int) -> None:
        """Render `sample`; its pictures are linear and premultiplied, float32."""
        spec, size = self.inputs.specs.spec(sample), image_size(self.study.release)
        body, (_, light, _) = body_of(spec), sample_light(self.inputs.hdris, spec)
        plates, world_to_cam = make_plates(spec.cameras, size), np.asarray(spec.cameras.world_to_cam, float)
        for way, settings in self.ways.items():
            if not (place := self.stage.hands(way, sample)).exists():
                self.studio.use(dataclasses.replace(settings, width=plates.size[0], height=plates.size[1]))
                set_stage(self.studio, spec, body, light)
                hands = render_views(self.studio, body, plates.K, world_to_cam, spec.seed)[0]
                save_hands(place, plates.seen(hands))


def samples_of(plan: Plan, study: Study) -> list[int]:
    """The samples that a study takes: all, or of each group of skin tones those of its first pairs."""
    length = plan.poses_per_pair
    pairs = range(study.release.samples // length)
    if study.per_tone:
        groups = by_least(tone_of(plan.ita[plan.subject]), TONE_GROUPS).of
        pairs = sorted(
            pair for group in np.unique(groups) for pair in np.flatnonzero(groups == group)[: study.per_tone // length]
        )  # fmt: skip
    return [pair * length + role for pair in pairs for role in range(length)]


def image_size(release: Release) -> tuple[int, int]:
    """Width and height of its pictures, px."""
    return release.render.width, release.render.height


def save_hands(place: Path, hands: np.ndarray) -> None:
    """Keep renders (V, H, W, 4) float32 without loss."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, hands=hands)
    place.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(place, buffer.getvalue())


def load_hands(place: Path) -> np.ndarray:
    """What `save_hands` kept, (V, H, W, 4) float32."""
    with np.load(place) as file:
        return file["hands"]


def render_study(stage: Stage, study: Study, workers: int = 0) -> None:
    """Render all that is not there yet. Raises InputError if a sample fails."""
    plan = stage.plan(study)
    render_samples(stage, study, plan, samples_of(plan, study), workers)


def render_samples(stage: Stage, study: Study, plan: Plan, samples: Sequence[int], workers: int = 0) -> None:
    """Render those of `samples` that are not there yet. Raises InputError if one fails."""
    missing = [
        sample for sample in samples
        if not all(stage.hands(way, sample).exists() for way in study.ways())
    ]  # fmt: skip
    run_on_samples("render", partial(RenderJob, stage, study), plan, missing, stage.logs, workers)


def run_on_samples(
    name: str, setup: Callable[[], Any], plan: Plan, samples: Sequence[int], logs: Path, workers: int
) -> None:
    """A job on each of `samples`, the poses of a pair in the same process. Raises InputError for one that fails."""
    settings = PoolSettings(workers=workers, attempts=2)
    pool = Pool(setup, settings, logs, plan.pair_of)
    with Progress(name, len(samples), "sample") as progress, closing(pool.run(samples)) as outcomes:
        for outcome in outcomes:
            if outcome.cause is not None:
                raise InputError(f"{name}: sample {outcome.task}: {outcome.reason} (logs: {logs})")
            progress.add(1)
