"""`pose FILE --out DIR`: our hand, or a rig of one's own, posed to a source's clips, as files to open elsewhere."""

from __future__ import annotations

import argparse
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..hand.asset import HandAsset, load_asset
from ..hand.shape import Subject, mean_subject, sample_subject
from ..option_types import whole
from ..poses.clip import PoseClip
from ..posing.export import FORMATS, check_formats, export_clip, file_name
from ..posing.pose import PosedClip, clip_subject, posable, pose_rig
from ..posing.rig import Rig, load_rig, subject_rig
from ..spin.match import MODES, RETARGETS
from ..spin.posed import SKINNING
from .match import open_file

KEPT = "files that are written are whole"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("file", help="a pose source: webxr:PATH, hanco:PATH, procedural, ..., or an .npz")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    parser.add_argument("--format", type=_formats, default=("npz",), help=f"some of {','.join(FORMATS)} (default npz)")
    parser.add_argument("--mode", choices=MODES, default="palm", help="of spin matching (default palm)")
    parser.add_argument("--retarget", choices=RETARGETS, default="directions", help="default: directions")
    parser.add_argument("--skinning", choices=tuple(SKINNING), default="dual_quaternion", help="of all but glb")
    parser.add_argument(
        "--subject", default="fitted", help="fitted to each clip (default), mean, or a seed to draw from"
    )
    parser.add_argument("--rig", type=Path, help="an .npz with joints, vertices and weights, in place of our hand")
    parser.add_argument(
        "--hand", choices=("recorded", "right", "left"), default="recorded", help="default: as it was recorded"
    )
    parser.add_argument("--frames", type=whole, default=300, help="at most so many in all, 0 for all (default 300)")


def run(options: argparse.Namespace) -> int:
    """Write the files. Raises InputError or OSError for a source or rig that cannot be used."""
    rig_of = _rigs(options.rig, options.subject)
    posed, names, frames = 0, Counter(), 0
    for clip in some_frames(open_file(options.file).clips(), options.frames):
        rig = rig_of(clip)
        check_formats(options.format, rig.faces is not None, options.retarget)
        hand = pose_rig(rig, clip, options.mode, options.retarget, options.skinning)
        export_clip(_sided(hand, options.hand), options.out, options.format, _unused(names, clip.name))
        posed, frames = posed + len(hand), frames + len(clip)
    if not posed:
        raise InputError(f"{options.file}: no frame has 21 joints that say where all bones point")
    logging.info("%s: %d of %d frames posed, %d clips, in %s", options.file, posed, frames, names.total(), options.out)
    if options.frames and frames >= options.frames:
        logging.info("these are the first %d frames (see %s)", frames, options.typed("--frames"))
    return 0


def some_frames(clips: Iterator[PoseClip], limit: int) -> Iterator[PoseClip]:
    """The clips with a frame that can be posed, up to `limit` frames if not 0."""
    left = limit or None
    for clip in clips:
        clip = clip.select(slice(left))
        left = None if left is None else left - len(clip)
        if posable(clip).any():
            yield clip
        else:
            logging.warning("%s: none of its %d frames can be posed", clip.name, len(clip))
        if left == 0:
            return


def _rigs(path: Path | None, subject: str) -> Callable[[PoseClip], Rig]:
    """Who is posed to a clip."""
    if path is not None:
        rig = load_rig(path)
        return lambda clip: rig
    asset = load_asset()
    if subject == "fitted":
        return lambda clip: subject_rig(asset, clip_subject(clip))
    rig = subject_rig(asset, _named_subject(asset, subject))
    return lambda clip: rig


def _named_subject(asset: HandAsset, subject: str) -> Subject:
    if subject == "mean":
        return mean_subject(asset)
    if not subject.isdecimal():
        raise InputError(f"--subject {subject}: allowed are fitted, mean or a whole number, the seed to draw one from")
    return sample_subject(np.random.default_rng(int(subject)), asset)


def _sided(hand: PosedClip, side: str) -> PosedClip:
    left = hand.clip.mirrored if side == "recorded" else side == "left"
    return hand.mirror() if left else hand


def _unused(names: Counter, clip_name: str) -> str:
    """A file's name for a clip that no clip before has; `names` counts them."""
    name = file_name(clip_name)
    names[name] += 1
    return name if names[name] == 1 else f"{name}-{names[name]}"


def _formats(text: str) -> tuple[str, ...]:
    names = tuple(filter(None, text.split(",")))
    if not names or set(names) - set(FORMATS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of formats; allowed: {','.join(FORMATS)}")
    return names
