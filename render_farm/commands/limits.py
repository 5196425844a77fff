"""Options on when a worker process is replaced and a sample given up, the same for `render` and `farm`."""

from __future__ import annotations

import argparse

from rigging.option_types import positive, whole

from ..shard.pool import PoolSettings

DEFAULT = PoolSettings()


def add_limits(parser: argparse.ArgumentParser) -> None:
    """Register the options."""
    parser.add_argument(
        "--memory", type=whole, default=DEFAULT.memory, metavar="MB",
        help="a worker process that holds more is replaced; 0 for no limit (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--recycle", type=positive(int), default=DEFAULT.recycle, metavar="N",
        help="samples after which a worker process is replaced by a fresh one (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--sample-seconds", type=positive(float), default=DEFAULT.seconds, metavar="S",
        help="a sample that takes longer counts as hung (default: %(default)g)",
    )  # fmt: skip
    parser.add_argument(
        "--attempts", type=positive(int), default=DEFAULT.attempts, metavar="N",
        help="times a sample is tried before it is set aside (default: %(default)s)",
    )  # fmt: skip


def limits(options: argparse.Namespace) -> PoolSettings:
    """What the options say."""
    return PoolSettings(
        recycle=options.recycle, attempts=options.attempts, seconds=options.sample_seconds, memory=options.memory
    )
