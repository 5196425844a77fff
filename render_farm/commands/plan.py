"""`plan`: say how much work a release is."""

from __future__ import annotations

import argparse

from .options import chosen_release, positive


def add(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Register the command."""
    plan = commands.add_parser("plan", parents=[common], help="say how much work a release is")
    plan.add_argument("--seconds-per-sample", type=positive(float), help="of one core; default: as measured")
    plan.add_argument("--bake-seconds", type=positive(float), help="per baked skin; default: as measured")
    plan.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Print the estimate."""
    from ..estimate import estimate

    print(estimate(chosen_release(options), options.seconds_per_sample, options.bake_seconds).table())
    return 0
