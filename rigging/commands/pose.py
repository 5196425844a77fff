"""`pose FILE --out DIR`: our hand, or a rig of one's own, posed to a source's clips, as files to open elsewhere."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from ..errors import InputError
from ..option_types import whole
from ..spin.match import MODES, RETARGETS
from .match import open_file

KEPT = "files that are written are whole"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("file", help="a pose source: webxr:PATH, hanco:PATH, procedural, ..., or a clip's .npz")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    parser.add_argument("--format", type=_names, default=("npz",), help="some of npz,obj,ply,glb (default npz)")
    parser.add_argument("--mode", choices=MODES, default="palm", help="of spin matching (default palm)")
    parser.add_argument("--retarget", choices=RETARGETS, default="directions", help="default: directions")
    skinnings = ("dual_quaternion", "linear")
    parser.add_argument("--skinning", choices=skinnings, default=skinnings[0], help="of all but glb, which is linear")
    parser.add_argument("--subject", default="fitted", help="fitted to each clip (default), mean, or a seed to draw")
    parser.add_argument("--rig", type=Path, help="an .npz with joints, vertices and weights, in place of our hand")
    sides = ("recorded", "right", "left")
    parser.add_argument("--hand", choices=sides, default="recorded", help="default: the side that was recorded")
    parser.add_argument("--frames", type=whole, default=300, help="at most so many in all, 0 for all (default 300)")


def run(options: argparse.Namespace) -> int:
    """Write the files. Raises InputError or OSError for a source or rig that cannot be used."""
    from ..posing.source import PoseChoices, pose_source

    same = {name: getattr(options, name) for name in ("mode", "retarget", "skinning", "subject", "rig", "frames")}
    choices = PoseChoices(formats=options.format, side=options.hand, **same)
    clips, frames, posed = pose_source(open_file(options.file), options.out, choices)
    if not posed:
        raise InputError(f"{options.file}: no frame has 21 joints that say where all bones point")
    logging.info("%s: %d of %d frames posed, %d clips, in %s", options.file, posed, frames, clips, options.out)
    if frames == options.frames:
        logging.info("these are the first %d frames (see %s)", frames, options.typed("--frames"))
    return 0


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split(","))) or ("none",)
