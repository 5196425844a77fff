"""From linear renders to shards: a folder for each variant that loaders, statistics and judge take for a release."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from blender_scripts.cycles.bodies import Bodies
from blender_scripts.looks.backgrounds import make_backgrounds
from blender_scripts.looks.look import Look
from blender_scripts.looks.plates import make_plates
from blender_scripts.render_sample import SampleSpec, label_sample, sample_light, sample_record
from dataset_tools.store.encode import encode_sample
from dataset_tools.store.shard_state import State, file_state
from dataset_tools.store.staged import write_staged
from dataset_tools.store.writer import write_manifest, write_shard
from render_farm.planning.configuration import Configuration
from render_farm.planning.plan import Plan, planned_asset
from render_farm.planning.release import Release
from render_farm.planning.spec import look_of_pair, sensors_of_pair, shard_record
from render_farm.shard.staging import Staging
from rigging.errors import InputError
from rigging.hand.arm import arm_topology

from .stage import Inputs, Stage, image_size, load_hands, run_on_samples, samples_of
from .study import Study, Variant, differing, way_of


def restyled(plan: Plan, spec: SampleSpec, index: int, release: Release, hdris: Sequence[str]) -> SampleSpec:
    """The spec of a sample of pair `index` with look and sensors of a variant's release; hands and cameras stay.

    Raises InputError where the path tracer would see a difference.
    """
    look = look_of_pair(plan, release, index, sorted(hdris))
    if name := differing(look, spec.look):
        raise InputError(f"variant {release.name!r} changes {name}, which the path tracer sees")
    return dataclasses.replace(spec, look=look, sensors=sensors_of_pair(release, index, len(spec.cameras.K)))


class DevelopJob:
    """Makes the pictures of a sample in every variant that lacks it; it needs Blender for panoramas only."""

    def __init__(self, stage: Stage, study: Study, names: tuple[str, ...]) -> None:
        self.stage, self.inputs, self.size = stage, Inputs.of(stage, study), image_size(study.release)
        self.releases = {name: study.of(study.named(name)) for name in names}
        self.bodies = Bodies(self.inputs.asset, *arm_topology(self.inputs.asset))

    def __call__(self, sample: int) -> None:
        """Stage `sample` of each variant. The labels are made once."""
        inputs, spec = self.inputs, self.inputs.specs.spec(sample)
        surface = self.bodies.surface(spec.look.arm_shape, spec.left)
        labelled = label_sample(surface, spec, self.size)
        made: dict[Look, Surroundings] = {}  # most variants have the same
        for name, release in self.releases.items():
            place = staging(self.stage, name).path(sample)
            if not place.exists():
                styled = restyled(inputs.plan, spec, inputs.plan.pair_of(sample), release, tuple(inputs.hdris.files))
                if styled.look not in made:
                    made[styled.look] = surroundings_of(styled, self.size, inputs)
                hands = load_hands(self.stage.hands(way_of(release.render), sample))
                write_staged(place, encode_sample(developed(styled, hands, labelled, made[styled.look])))


class Surroundings(NamedTuple):
    """What is behind and around a sample's hand."""

    backgrounds: np.ndarray  # (V, H, W, 3) float32, exposed
    light: np.ndarray  # (64, 128, 3) float32 linear
    gains: np.ndarray  # (3,) of the camera


def surroundings_of(spec: SampleSpec, size: tuple[int, int], inputs: Inputs) -> Surroundings:
    """Those of a sample's pictures of `size` (width, height), as `render_sample` makes them."""
    plates, world_to_cam = make_plates(spec.cameras, size), np.asarray(spec.cameras.world_to_cam, float)
    panorama, light, gains = sample_light(inputs.hdris, spec)
    seen = plates.K, world_to_cam, plates.size
    backgrounds = make_backgrounds(spec.look, panorama, gains, light, *seen, inputs.photos)
    return Surroundings(plates.seen(backgrounds), light, gains)


def developed(
    spec: SampleSpec, hands: np.ndarray, labelled: tuple[dict[str, np.ndarray], np.ndarray], around: Surroundings
) -> dict[str, object]:
    """The record of a sample, as `render_sample` makes it, of its renders (V, H, W, 4) and what `label_sample` gave."""
    labels, coverage = labelled
    return sample_record(spec, hands, around.backgrounds, coverage, labels, around.light, around.gains)


def staging(stage: Stage, name: str) -> Staging:
    """Where a variant's samples wait for its shard."""
    return Staging(stage.variant(name).staging(0))


def develop_study(stage: Stage, study: Study, workers: int = 0) -> None:
    """Write the shards of all variants that are not there yet. Raises InputError if a sample fails."""
    plan = stage.plan(study)
    develop_samples(stage, study, plan, samples_of(plan, study), workers)


def develop_samples(stage: Stage, study: Study, plan: Plan, samples: Sequence[int], workers: int = 0) -> None:
    """Write a shard of `samples` for each variant that has none. Raises InputError if a sample fails."""
    lacking, missing = [], set()
    for variant in study.variants:
        configuration = configured(plan, study, variant)[1]
        if file_state(stage.variant(variant.name).shard(0), configuration.hash).state is not State.WHOLE:
            lacking.append(variant)
            staging(stage, variant.name).open(configuration.sample_hash)
            missing |= set(staging(stage, variant.name).missing(samples))
    names = tuple(variant.name for variant in lacking)
    run_on_samples("develop", partial(DevelopJob, stage, study, names), plan, sorted(missing), stage.logs, workers)
    for variant in lacking:
        pack(stage, study, plan, variant, samples)


def pack(stage: Stage, study: Study, plan: Plan, variant: Variant, samples: Sequence[int]) -> None:
    """The shard of a variant whose `samples` are all staged."""
    own, configuration = configured(plan, study, variant)
    folder, staged = stage.variant(variant.name), staging(stage, variant.name)
    record = shard_record(study.of(variant), 0, own, planned_asset(plan), configuration)
    write_manifest(folder.shard(0), write_shard(folder.shard(0), staged.read(samples), record))
    staged.remove()


def configured(plan: Plan, study: Study, variant: Variant) -> tuple[Plan, Configuration]:
    """The plan as if it had been made for the variant, and what decides its bytes."""
    own = dataclasses.replace(plan, release=study.of(variant).to_json())
    return own, Configuration.of(own, None)
