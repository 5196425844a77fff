"""`check`: the quick check of shards, one line each."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("shard", type=Path, nargs="+", metavar="DATA", help="shards or folders of shards")


def run(options: argparse.Namespace) -> int:
    """Print what is wrong with each shard; 1 if anything is."""
    from ..check.shard import lacking, shards_to_check

    unfinished = [line for given in options.shard for line in lacking(given)]
    for line in unfinished:
        print(line)
    shards = [shard for given in options.shard for shard in shards_to_check(given)]
    failed = len(unfinished) + sum([not _is_sound(path) for path in shards])
    return int(failed > 0)


def _is_sound(path: Path) -> bool:
    """Check a shard and say how it is."""
    from ..check.shard import check_shard
    from ..store.shard_file import ShardError

    try:
        report = check_shard(path)
    except ShardError as error:  # go on: a release has many shards
        print(f"{path}: FAILED\n  {error}")
        return False
    print(
        f"{path}: {'FAILED' if report.problems else 'ok'}, {report.samples} samples, joints within "
        f"{report.triangulation * 1000:.5f} mm, silhouette IoU at least {report.iou:.3f}"
    )
    for problem in report.problems:
        print(f"  {problem}")
    return not report.problems
