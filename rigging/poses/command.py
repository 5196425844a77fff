"""`python -m rigging poses SPEC`: what a pose source holds, and what the gate lets through."""

from __future__ import annotations

import argparse
from pathlib import Path

from .clip import PoseError
from .gate import Gated, gate_source
from .registry import open_source
from .rejects import count_reasons, write_rejects


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


def add_parser(subcommands: argparse._SubParsersAction) -> None:
    """Add the subcommand `poses`."""
    parser = subcommands.add_parser("poses", help="what a pose source holds and what is rejected", description=__doc__)
    parser.add_argument("spec", help="e.g. nyu:PATH, hanco:PATH?is_valid=true, procedural")
    parser.add_argument("--rejects", type=Path, help="write the rejected frames with their reasons to this .csv")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Exit code 0; PoseError or OSError for bad input or where no frame is left."""
    gated = gate_source(open_source(arguments.spec))
    if arguments.rejects:
        write_rejects(arguments.rejects, gated.rejects)
    print(report(arguments.spec, gated))
    if not gated.clips:
        raise PoseError(f"{arguments.spec}: no frame is left")
    return 0
