"""`poses SPEC`: what a pose source holds, and what the gate lets through."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..poses.clip import PoseError
from ..poses.gate.gate import Gated, gate_source
from ..poses.gate.lost import lost_poses
from ..poses.gate.settings import GateSettings, parse_gate
from ..poses.registry import open_source
from ..poses.rejects import count_reasons, write_rejects

MOST_POSES = 12  # lines on screen
MOST_LETTERS = 80  # of the frames of one pose


def report(spec: str, gated: Gated) -> str:
    """A few lines: source, frames, clips, frames rejected by reason."""
    subjects = {(clip.source, clip.subject) for clip in gated.clips}
    files = sum(reject.frame == "" for reject in gated.rejects)
    lines = [
        f"source    {spec}",
        f"accepted  {gated.accepted} of {gated.frames} frames, in {len(gated.clips)} clips"
        f" ({gated.cuts} cuts at jumps), {len(subjects)} subjects",
        f"rejected  {len(gated.rejects) - files} frames"
        + (f", and {files} files that are no recordings" if files else ""),
        *(f"  {count:7d}  {reason}" for reason, count in count_reasons(gated.rejects).items()),
        *_lost(gated),
        *(f"hint      {hint}" for hint in gated.hints),
    ]
    return "\n".join(lines)


def _lost(gated: Gated) -> list[str]:
    """Lines on the poses of which frames were lost, the worst first."""
    poses = lost_poses(gated.clips, gated.rejects)
    lines = [f"  {row.lost:7d}  of {row.frames} {row.pose}: {_shortened(row.where)}" for row in poses[:MOST_POSES]]
    if len(poses) > MOST_POSES:
        lines.append(f"           and {len(poses) - MOST_POSES} more poses, see --rejects")
    return ["lost      by the built-in pose that frames are most like, where", *lines] if lines else []


def _shortened(text: str) -> str:
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS].rpartition(' ')[0]} ..."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("spec", help="e.g. nyu:PATH, hanco:PATH?is_valid=true, procedural")
    parser.add_argument("--rejects", type=Path, help="write the rejected frames with their reasons to this .csv")
    parser.add_argument(
        "--gate",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a limit of the gate, such as palm=off or palm=0.012, or "
        f"preset={'|'.join(GateSettings.PRESETS)} (docs/poses.md)",
    )


def run(options: argparse.Namespace) -> int:
    """Exit code 0; PoseError or OSError for bad input or where no frame is left."""
    gated = gate_source(open_source(options.spec), parse_gate(options.gate))
    if options.rejects:
        write_rejects(options.rejects, gated.rejects)
    print(report(options.spec, gated))
    if not gated.clips:
        reasons = ", ".join(f"{reason} {count}" for reason, count in count_reasons(gated.rejects).items())
        raise PoseError("; ".join([f"{options.spec}: no frame is left of {gated.frames} ({reasons})", *gated.hints]))
    return 0
