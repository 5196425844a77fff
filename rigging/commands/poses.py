"""`poses SPEC`: what a pose source holds, and what the gate lets through."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..poses.clip import PoseError
from ..poses.gate import Gated, gate_source
from ..poses.registry import open_source
from ..poses.rejects import count_reasons, write_rejects


def report(spec: str, gated: Gated) -> str:
    """A few lines: source, frames, clips, frames rejected by reason."""
    subjects = {(clip.source, clip.subject) for clip in gated.clips}
    lines = [
        f"source    {spec}",
        f"accepted  {gated.accepted} of {gated.frames} frames, in {len(gated.clips)} clips"
        f" ({gated.cuts} cuts at jumps), {len(subjects)} subjects",
        f"rejected  {len(gated.rejects)} frames",
        *(f"  {count:7d}  {reason}" for reason, count in count_reasons(gated.rejects).items()),
    ]
    return "\n".join(lines)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("spec", help="e.g. nyu:PATH, hanco:PATH?is_valid=true, procedural")
    parser.add_argument("--rejects", type=Path, help="write the rejected frames with their reasons to this .csv")


def run(options: argparse.Namespace) -> int:
    """Exit code 0; PoseError or OSError for bad input or where no frame is left."""
    gated = gate_source(open_source(options.spec))
    if options.rejects:
        write_rejects(options.rejects, gated.rejects)
    print(report(options.spec, gated))
    if not gated.clips:
        raise PoseError(f"{options.spec}: no frame is left")
    return 0
