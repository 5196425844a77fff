"""Which levels of pose, background and camera a release holds out, and what a split may draw of each."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass

from blender_scripts.looks.look import Look, draw_look
from rigging.geometry.camera_bands import CameraBands, Interval, outside, tilt_angle
from rigging.geometry.cameras import ANYWHERE

from ..errors import InputError
from .choose import split_share
from .release import Release
from .seeds import Draw, Stream, generator
from .splits import holds_out

_PANORAMAS = 0.25  # share of the panoramas held out if neither kinds nor panoramas are named
_BAND = 0.25  # share of the phases, and of the cone of tilts, held out if not named


@dataclass(frozen=True)
class HoldOut:
    """The levels that occur only in the splits that hold their factor out (splits.HOLDS_OUT); empty for none."""

    clusters: tuple[int, ...] = ()  # of joint angles
    backgrounds: tuple[str, ...] = ()  # kinds
    panoramas: tuple[str, ...] = ()  # as backgrounds of kind "hdri", and what they light
    phase: Interval | None = None  # azimuth of the first camera, in steps between cameras
    tilt: Interval | None = None  # radians, angle of the ring's axis

    def to_json(self) -> str:
        """Canonical text."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> HoldOut:
        """The inverse of `to_json`. Raises ValueError or TypeError for another text."""
        return cls(**{key: tuple(value) if value is not None else None for key, value in json.loads(text).items()})


def decide_hold_out(release: Release, panoramas: Sequence[str], clusters: tuple[int, ...]) -> HoldOut:
    """What `release` holds out of `panoramas`, kinds and rings: as it says, or drawn from its seed.

    Raises InputError if there are too few panoramas, or none of a name.
    """
    splits, decided = release.splits, HoldOut(clusters)
    if splits.holding("background"):
        kinds, names = _backgrounds(release, sorted(panoramas))
        decided = dataclasses.replace(decided, backgrounds=kinds, panoramas=names)
    if splits.holding("camera"):
        phase, tilt = _bands(release)
        decided = dataclasses.replace(decided, phase=phase, tilt=tilt)
    return decided


def _backgrounds(release: Release, panoramas: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    settings, rng = release.hold_out, generator(release, Stream.HOLD_OUT, Draw.BACKGROUNDS)
    for name in settings.panoramas:
        if name not in panoramas:
            raise InputError(f"[hold_out] panoramas: {name!r} is none of the release's: {', '.join(panoramas)}")
    kinds, names = tuple(sorted(settings.backgrounds)), tuple(sorted(settings.panoramas))
    weighed = sorted(kind for kind, weight in release.look.backgrounds.items() if weight > 0)
    if not kinds and not names and "hdri" in weighed:
        count = max(1, round(_PANORAMAS * len(panoramas)))
        names = tuple(sorted(rng.choice(panoramas, count, replace=False).tolist()))
    elif not kinds and not names:
        kinds = (str(rng.choice(weighed)),)
    if len(names) >= len(panoramas):
        raise InputError(
            f"[hold_out] panoramas: {len(names)} of {len(panoramas)} held out, train has none left: name fewer, add "
            "panoramas to [files] hdris, or hold a kind out with [hold_out] backgrounds"
        )
    return kinds, names


def _bands(release: Release) -> tuple[Interval | None, Interval | None]:
    """Phases and tilts held out; None where the rings of the release do not differ."""
    settings, cameras = release.hold_out, release.cameras
    low = (1 - _BAND) * float(generator(release, Stream.HOLD_OUT, Draw.BANDS).random())
    phase = (settings.phase or (low, low + _BAND)) if cameras.phase else None
    outer = float(tilt_angle(1 - _BAND, cameras.tilt)), cameras.tilt
    tilt = (settings.tilt or outer) if cameras.tilt > 0 else None
    return phase, tilt


def pair_bands(release: Release, held: HoldOut | None, split: int) -> CameraBands:
    """Where rings of split number `split` may stand; `held` is None for a release that holds nothing out."""
    if held is None:
        return ANYWHERE
    phase, band = held.phase, held.tilt
    if holds_out(split, "camera"):
        return CameraBands((phase,) if phase else ANYWHERE.phase, (band,) if band else None)
    phases = outside(phase, 0.0, 1.0) if phase else ANYWHERE.phase
    return CameraBands(phases, outside(band, 0.0, release.cameras.tilt) if band else None)


def pair_look(release: Release, held: HoldOut | None, split: int, index: int, panoramas: Sequence[str]) -> Look:
    """The look of pair `index`, of what its `split` may use; `panoramas` are the names of all there are.

    Splits that hold backgrounds out have held-out kinds, and held-out panoramas behind the hand (and so as its light);
    in all else they are lit like train.
    """
    settings, rng = release.look, generator(release, Stream.LOOK, index)
    if held is None:
        return draw_look(rng, settings, split_share(panoramas, split, release.splits))
    seen = tuple(name for name in panoramas if name not in held.panoramas)
    kinds = held.backgrounds
    if out := holds_out(split, "background"):
        kinds += ("hdri",) if held.panoramas else ()
    weights = {kind: weight for kind, weight in settings.backgrounds.items() if (kind in kinds) == out}
    look = draw_look(rng, dataclasses.replace(settings, backgrounds=weights), seen)
    if out and held.panoramas and look.background == "hdri":
        return dataclasses.replace(look, hdri=str(rng.choice(sorted(held.panoramas))))
    return look
