"""`farm`: render many shards with Ray, here or on a cluster."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from rigging.option_types import positive

from ..errors import InputError
from ..planning.release import Release
from .options import SAMPLES_KEPT, add_request, request, shard_numbers

KEPT = SAMPLES_KEPT


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    add_request(parser)
    parser.add_argument("--shards", default="all", help="such as 0-249 or 0-9,12 (default: all)")
    parser.add_argument("--address", help="HOST:PORT of a Ray cluster with a token (default: start Ray here)")
    parser.add_argument("--cpus", type=positive(float), default=1.0, help="cores of a worker (default: 1)")
    parser.add_argument("--gpus", type=positive(float), help="GPUs of a worker, such as 0.5 (default: as needed)")
    parser.add_argument("--collect", type=Path, help="folder of the nodes' own, where --out is not shared")


def run(options: argparse.Namespace) -> int:
    """Render and print what became of the shards."""
    from ..farm.cluster import cluster
    from ..farm.farm_request import FarmRequest

    each, collect = request(options), options.collect
    shards, gpus = shard_numbers(options.shards, each.release.shards), gpus_of_worker(options.gpus, each.release)
    each = replace(each, out=each.out.absolute(), scratch=each.scratch and each.scratch.absolute())
    with cluster(options.address or None):
        from ..farm.driver import run_farm  # not before: Ray reads its settings when it is imported

        tally = run_farm(FarmRequest(each, tuple(shards), options.cpus, gpus, collect and collect.absolute()))
    for line in tally.table():
        print(options.typed(line))
    return tally.exit_code


def gpus_of_worker(asked: float | None, release: Release) -> float:
    """GPUs of a worker: those asked for, else 1 if the release is rendered on a GPU. Raises InputError."""
    device = release.render.device
    if device == "CPU" and asked:
        raise InputError(
            f"--gpus {asked:g}: release {release.name!r} is rendered on the CPU ([render] device): say device = "
            "'OPTIX' or another in the release file, which makes it another release"
        )
    return 0.0 if device == "CPU" else asked or 1.0
