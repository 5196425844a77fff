"""`match FILE`: how well each mode of spin matching turns the rig to the poses of a file."""

from __future__ import annotations

import argparse

import numpy as np

from ..errors import InputError, input_errors
from ..fingers.hinges import hinge_axes
from ..hand.asset import load_asset
from ..hand.bones import bone_lengths
from ..option_types import whole
from ..poses.clip import PoseClip
from ..poses.registry import PoseSource, open_source
from ..spin.errors import SpinErrors, pool, spin_errors
from ..spin.match import MODES, RETARGETS, match, matchable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("file", help="a pose source: nyu:PATH, hanco:PATH, procedural, ..., or a clip's .npz")
    parser.add_argument("--mode", choices=(*MODES, "all"), default="all", help="default: all")
    parser.add_argument("--retarget", choices=RETARGETS, default="directions", help="default: directions")
    parser.add_argument("--frames", type=whole, default=2000, help="at most so many frames, 0 for all (default 2000)")


def run(options: argparse.Namespace) -> int:
    """Print the table. Raises InputError or FileNotFoundError for a file that cannot be used."""
    asset = load_asset()
    hinges, dorsal = hinge_axes(asset)
    clips = read_clips(options.file, options.frames)
    rest_joints = asset.joints * size_ratio(asset.joints, clips)
    modes = MODES if options.mode == "all" else (options.mode,)
    columns = {}
    for mode in modes:
        columns[mode] = match_errors(rest_joints, hinges, dorsal, clips, mode, options.retarget).summary()
    frames = sum(len(clip) for clip in clips)
    print(f"{options.file}: {frames} frames in {len(clips)} runs, by {options.retarget}")
    print_table(columns)
    return 0


def open_file(spec: str) -> PoseSource:
    """The pose source of a spec, or of the bare name of a clip's .npz. Raises PoseError."""
    return open_source(spec if not spec.endswith(".npz") or ":" in spec else f"npz:{spec}")


def read_clips(spec: str, limit: int = 0) -> list[np.ndarray]:
    """Runs of consecutive whole frames, each (T, 21, 3) m in float64, of a pose source; `limit` frames if not 0."""
    source = open_file(spec)
    runs, left = [], limit or None
    for clip in source.clips():
        for run in whole_runs(clip):
            runs.append(run[:left])
            left = None if left is None else left - len(runs[-1])
            if left == 0:
                return runs
    if not runs:
        raise InputError(f"{spec}: no frame with all 21 joints that say where all bones point; allowed is at least one")
    return runs


def whole_runs(clip: PoseClip) -> list[np.ndarray]:
    """Joints (T, 21, 3) of the consecutive frames of a clip that have all joints, which say where all bones point."""
    whole = clip.valid.all(axis=1) & matchable(clip.joints)
    edges = np.flatnonzero(np.diff(whole.astype(int), prepend=0, append=0))
    return [clip.joints[start:stop].astype(float) for start, stop in edges.reshape(-1, 2)]


def size_ratio(rest_joints: np.ndarray, clips: list[np.ndarray]) -> float:
    """Median over all frames of (sum of bone lengths) / (that of the rig at rest (21, 3)); clips of (T, 21, 3)."""
    sums = np.concatenate([bone_lengths(joints).sum(axis=1) for joints in clips])
    return float(np.median(sums) / bone_lengths(rest_joints).sum())


def match_errors(
    rest_joints: np.ndarray,
    hinges: np.ndarray,
    dorsal: np.ndarray,
    clips: list[np.ndarray],
    mode: str,
    retarget: str = "directions",
) -> SpinErrors:
    """Errors of one mode over all clips (T, 21, 3). Raises InputError for a frame that has no palm or bone directions.

    rest_joints (21, 3) m, hinges (21, 3) and dorsal (5, 3) as `hinge_axes` gives them.
    """
    parts = []
    for joints in clips:
        with input_errors():  # a frame whose palm or bone has no direction
            result = match(rest_joints, joints, mode, retarget, dorsal=dorsal)
        parts.append(spin_errors(rest_joints, hinges, joints, result))
    return pool(parts)


def print_table(columns: dict[str, dict[str, str]]) -> None:
    """One line per measure, one column per mode."""
    rows = list(next(iter(columns.values())))
    first = max(map(len, rows))
    widths = {mode: max(len(mode), *map(len, texts.values())) for mode, texts in columns.items()}
    print(" " * first, *(mode.rjust(width) for mode, width in widths.items()), sep="  ")
    for row in rows:
        print(row.ljust(first), *(columns[mode][row].rjust(width) for mode, width in widths.items()), sep="  ")
