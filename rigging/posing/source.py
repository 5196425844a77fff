"""Whole pose sources as files: every clip posed and written (docs/posing.md)."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..hand.asset import load_asset
from ..hand.shape import Subject, mean_subject, sample_subject
from ..poses.clip import PoseClip
from ..poses.registry import PoseSource
from .export import check_formats, export_clip, file_name
from .pose import PosedClip, clip_subject, posable, pose_rig
from .rig import Rig, load_rig, subject_rig


@dataclass(frozen=True)
class PoseChoices:
    """How clips are posed and written. Raises InputError for an unknown format or subject, or a subject of a rig."""

    formats: Sequence[str] = ("npz",)  # of export.FORMATS
    mode: str = "palm"  # of spin matching
    retarget: str = "directions"
    skinning: str = "dual_quaternion"
    subject: str = "fitted"  # to each clip, "mean", or a whole number: the seed to draw one from
    rig: Path | None = None  # a file of `load_rig`, in place of our hand
    side: str = "recorded"  # or "right", "left"
    frames: int = 0  # at most so many in all; 0 is all

    def __post_init__(self) -> None:
        check_formats(self.formats, True, self.retarget)
        if self.subject not in ("fitted", "mean") and not self.subject.isdecimal():
            raise InputError(f"--subject {self.subject}: allowed are fitted, mean or a seed to draw one")
        if self.rig is not None and self.subject != "fitted":
            raise InputError(f"--subject {self.subject}: a rig of one's own has no subject, leave it out")


def pose_source(source: PoseSource, folder: Path | str, choices: PoseChoices) -> tuple[int, int, int]:
    """Pose the clips of a source and write them to a folder; returns the numbers of clips, frames, and frames posed.

    A frame that does not say where all bones point is left out, and a clip of such frames with a warning.
    Raises InputError or OSError for what cannot be used.
    """
    rig_of = _rigs(choices)
    names: Counter[str] = Counter()
    frames = posed = 0
    for clip in _some(source.clips(), choices.frames):
        frames += len(clip)
        if not posable(clip).any():
            logging.warning("%s: none of its %d frames says where all bones point", clip.name, len(clip))
            continue
        rig = rig_of(clip)
        check_formats(choices.formats, rig.faces is not None, choices.retarget)
        hand = pose_rig(rig, clip, choices.mode, choices.retarget, choices.skinning)
        export_clip(_sided(hand, choices.side), folder, choices.formats, _unused(names, clip.name))
        posed += len(hand)
    return names.total(), frames, posed


def _some(clips: Iterator[PoseClip], limit: int) -> Iterator[PoseClip]:
    """The clips up to `limit` frames in all, if not 0."""
    left = limit
    for clip in clips:
        yield clip.select(slice(left)) if limit else clip
        left -= min(left, len(clip))
        if limit and not left:
            return


def _rigs(choices: PoseChoices) -> Callable[[PoseClip], Rig]:
    """Who is posed to a clip."""
    if choices.rig is not None:
        rig = load_rig(choices.rig)
        return lambda clip: rig
    asset = load_asset()
    if choices.subject == "fitted":
        return lambda clip: subject_rig(asset, clip_subject(clip))
    rig = subject_rig(asset, _named_subject(choices.subject))
    return lambda clip: rig


def _named_subject(subject: str) -> Subject:
    asset = load_asset()
    return mean_subject(asset) if subject == "mean" else sample_subject(np.random.default_rng(int(subject)), asset)


def _sided(hand: PosedClip, side: str) -> PosedClip:
    left = hand.clip.mirrored if side == "recorded" else side == "left"
    return hand.mirror() if left else hand


def _unused(names: Counter[str], clip_name: str) -> str:
    """A file's name for a clip that no clip before has; `names` counts them."""
    name = file_name(clip_name)
    names[name] += 1
    return name if names[name] == 1 else f"{name}-{names[name]}"
