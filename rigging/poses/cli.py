"""`python -m rigging poses SPEC`: what a pose source holds, and what the gate lets through."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

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


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0, 2 for bad input, 3 where no frame is left."""
    parser = argparse.ArgumentParser(prog="python -m rigging poses", description=__doc__)
    parser.add_argument("spec", help="e.g. nyu:PATH, hanco:PATH?is_valid=true, procedural")
    parser.add_argument("--rejects", type=Path, help="write the rejected frames with their reasons to this .csv")
    args = parser.parse_args(argv)
    try:
        gated = gate_source(open_source(args.spec))
        if args.rejects:
            write_rejects(args.rejects, gated.rejects)
    except (ValueError, OSError) as error:
        print(f"poses: {error}", file=sys.stderr)
        return 2
    print(report(args.spec, gated))
    if not gated.clips:
        print(f"poses: {args.spec}: no frame is left", file=sys.stderr)
        return 3
    return 0
