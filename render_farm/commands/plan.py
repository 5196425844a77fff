"""`plan`: say how much work a release is, here and on a farm."""

from __future__ import annotations

import argparse
from pathlib import Path

from rigging.option_types import positive

from ..errors import InputError
from ..planning.release import Release
from .options import add_out, add_poses, add_release, chosen_release


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    add_release(parser)
    add_poses(parser)
    cost = parser.add_mutually_exclusive_group()
    cost.add_argument(
        "--seconds-per-sample", type=positive(float), help="of one core, with its share of skins; default: as measured"
    )
    cost.add_argument("--measured", type=Path, metavar="OUT", help="cost of the samples rendered in OUT/RELEASE so far")
    parser.add_argument("--machines", type=numbers, default=(1, 10, 1000), metavar="1,10,1000", help="sizes of farms")
    parser.add_argument("--cores", type=positive(int), default=16, help="of a machine (default: 16)")
    parser.add_argument("--cpus", type=positive(int), help="cores per shard; default: what ends soonest")
    parser.add_argument("--scratch", action="store_true", help="finished samples wait on local disks, not in OUT")
    add_out(parser)
    parser.add_argument(
        "--splits", action="store_true", help="decide the release (OUT/RELEASE/plan.npz) and say its splits"
    )


def numbers(text: str) -> tuple[int, ...]:
    """Positive whole numbers, with commas between."""
    return tuple(int(positive(int)(part)) for part in text.split(","))


numbers.__name__ = "list of positive whole numbers"


def run(options: argparse.Namespace) -> int:
    """Print the estimate, the extrapolation and, once it is planned, the splits."""
    from ..report.costs import known_costs, measured_costs
    from ..report.extrapolate import estimate, extrapolate, side_by_side

    if options.cpus and options.cpus > options.cores:
        raise InputError(f"--cpus {options.cpus}: a machine has {options.cores} cores (--cores)")
    release = chosen_release(options)
    measured = options.measured is not None
    cost = measured_costs(release, options.measured) if measured else known_costs(release, options.seconds_per_sample)
    farms = [extrapolate(release, cost, m, options.cores, options.scratch, options.cpus) for m in options.machines]
    print("\n\n".join([estimate(release, cost), side_by_side(farms), *splits(release, options.out, options.splits)]))
    return 0


def splits(release: Release, out: Path, make: bool) -> list[str]:
    """The table of splits in the plan in OUT, made if `make` says so; else how to have it, if there is much to tell."""
    from dataset_tools.store.layout import ReleaseFolder

    from ..planning.ensure_plan import ensure_plan
    from ..planning.plan import load_plan
    from ..planning.split_table import split_table

    path = ReleaseFolder(out / release.name).plan
    plan = ensure_plan(release, path.parent) if make else load_plan(path) if path.exists() else None
    if plan is not None and plan.release == release.to_json():
        return [split_table(plan)]
    return ["splits           once planned; to plan now: --splits"] if release.splits.hold_out else []
