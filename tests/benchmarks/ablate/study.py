"""What is varied after the path tracer: a release, and variants of how its renders become pictures, read from TOML."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from blender_scripts.looks.look import Look, LookSettings, draw_look
from blender_scripts.settings import RenderSettings
from render_farm.planning.release import Release, load_release
from rigging.errors import InputError, input_errors
from rigging.settings import from_table

HERE = Path(__file__).parent
# Of a look, what the path tracer sees: equal in all variants, or their linear renders could not be shared.
NOT_VARIED = ("width", "height", "threads")  # of [render]
TRACED = ("hdri", "rotation", "hdri_strength", "lamps", "arm_style", "cloth")
_TRIES = 20  # looks drawn to see whether a variant leaves TRACED alone
_PANORAMAS = ("a", "b", "c")


@dataclass(frozen=True)
class Variant:
    """One way of making pictures of the same renders: keys of [look] and [render] that differ from what it is like."""

    name: str  # of its folder, too
    says: str  # in the table: what differs
    section: str = "Variants"  # of the page, whose tables it stands in
    like: str = ""  # the variant before it that it differs from, and is compared with; "": the release, and the first
    look: dict[str, Any] = field(default_factory=dict)
    render: dict[str, Any] = field(default_factory=dict)
    trained: bool = True  # false: only looked at, by statistics and the judge


@dataclass(frozen=True)
class Study:
    """A release and its variants."""

    release: Release
    variants: tuple[Variant, ...]
    per_tone: int = 0  # samples of each of the judge's three groups of skin tones, at most; 0: all

    def of(self, variant: Variant) -> Release:
        """The release as the variant has it. Raises SettingsError that names the variant and the key."""
        base = self.release
        look, render = (
            _changed(getattr(base, table), self._keys(variant, table), f"variant {variant.name}", table)
            for table in ("look", "render")
        )
        with input_errors(f"variant {variant.name}"):
            return dataclasses.replace(base, name=variant.name, look=look, render=render)

    def _keys(self, variant: Variant, table: str) -> dict[str, Any]:
        """Keys of a table that differ from the release's."""
        own = getattr(variant, table)
        return _merged(self._keys(self.named(variant.like), table), own) if variant.like else own

    def against(self, variant: Variant) -> Variant | None:
        """What a variant is compared with; None for the first."""
        name = variant.like or self.variants[0].name
        return None if name == variant.name else self.named(name)

    def named(self, name: str) -> Variant:
        """The variant of a name. Raises InputError."""
        for variant in self.variants:
            if variant.name == name:
                return variant
        raise InputError(f"variant {name!r}: there are {', '.join(one.name for one in self.variants)}")

    def ways(self) -> dict[str, RenderSettings]:
        """Each way of rendering that a variant needs, by a name that tells it apart."""
        settings = (self.of(variant).render for variant in self.variants)
        return {way_of(one): one for one in settings}


def way_of(settings: RenderSettings) -> str:
    """A name of all settings that change a render."""
    values = dataclasses.asdict(settings)
    del values["threads"], values["crosscheck"]
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:8]
    return f"{settings.samples_per_pixel}spp-{settings.denoiser_quality.lower()}-{digest}"


def load_study(release: Path, variants: Path, only: tuple[str, ...] = ()) -> Study:
    """The study of two TOML files: `release`, and `variants` with [[variants]]; `only` of some names, if any are given.

    Raises InputError that names file, variant and key.
    """
    try:
        table = tomllib.loads(variants.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{variants}: cannot be read as TOML: {error}") from error
    rows = from_table(_Variants, table, str(variants)).variants
    study = Study(load_release(str(release)), rows)
    check_study(study, variants)
    return chosen(study, only) if only else study


def chosen(study: Study, names: Sequence[str]) -> Study:
    """Some variants of a study, with all their keys; one that lacks what it was like is compared with the first.

    Raises InputError for an unknown name.
    """
    variants = []
    for variant in map(study.named, names):
        like = variant.like if variant.like in names else ""
        keys = {table: study._keys(variant, table) for table in ("look", "render")}
        variants.append(dataclasses.replace(variant, like=like, **keys))
    return dataclasses.replace(study, variants=tuple(variants))


def check_study(study: Study, where: Path) -> None:
    """Raise InputError unless names are unique, comparisons exist, and no variant changes what the path tracer sees."""
    names = [variant.name for variant in study.variants]
    if not names or len(set(names)) < len(names):
        raise InputError(f"{where}: variants: at least one is wanted, each with a name of its own")
    for number, variant in enumerate(study.variants):
        if variant.like and variant.like not in names[:number]:
            raise InputError(f"{where}: variant {variant.name!r}: like = {variant.like!r}: must be one before it")
        for key in sorted(set(NOT_VARIED) & set(variant.render)):
            raise InputError(f"{where}: variant {variant.name!r}: render.{key} is the release's own")
        release = study.of(variant)
        for seed in range(_TRIES):
            looks = (draw_look(np.random.default_rng(seed), one.look, _PANORAMAS) for one in (release, study.release))
            if name := differing(*looks):
                raise InputError(f"{where}: variant {variant.name!r} changes {name}, which the path tracer sees")


def differing(one: Look, other: Look) -> str:
    """The first of TRACED in which two looks differ; "" for none."""
    return next((name for name in TRACED if getattr(one, name) != getattr(other, name)), "")


def quick(study: Study) -> Study:
    """A smoke run of it: 8 samples of 4 subjects, 64 px, and the first variants of each way of rendering, at most 2."""
    base = study.release
    first = {way_of(study.of(variant).render): variant for variant in reversed(study.variants)}
    names = [one.name for one in study.variants if one in first.values()][:2]
    release = dataclasses.replace(
        base, samples=8, shard_size=8,
        poses=dataclasses.replace(base.poses, candidates=100),
        subjects=dataclasses.replace(base.subjects, count=4, skin_resolution=256),
        hold_out=dataclasses.replace(base.hold_out, subjects=1, clusters=4),
        cameras=dataclasses.replace(base.cameras, image_size=64),
        render=dataclasses.replace(base.render, width=64, height=64),
    )  # fmt: skip
    return dataclasses.replace(chosen(study, names), release=release)


@dataclass(frozen=True)
class _Variants:
    """The file of variants."""

    variants: tuple[Variant, ...]


def _merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """A table with the keys of another over its own, table in table."""
    both = {key: _merged(base[key], own[key]) for key in base if isinstance(base[key], dict) and key in own}
    return {**base, **own, **both}


def _changed(settings: LookSettings | RenderSettings, keys: dict[str, Any], where: str, table: str) -> Any:
    """Settings with some keys of theirs as a TOML table gives them."""
    kept = {one.name: getattr(settings, one.name) for one in dataclasses.fields(settings) if one.name not in keys}
    with input_errors(f"{where}: [{table}]"):
        return dataclasses.replace(from_table(type(settings), keys, where, table), **kept)
