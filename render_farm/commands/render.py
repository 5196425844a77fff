"""`render`: render one shard on this machine."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..rendering.pool import PoolSettings
from .options import add_out, chosen_release, positive

DEFAULT = PoolSettings()


def add(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Register the command."""
    render = commands.add_parser("render", parents=[common], help="render one shard")
    render.add_argument("--shard", type=int, required=True, help="number of the shard, from 0")
    add_out(render)
    render.add_argument("--samples", type=positive(int), help="only the first so many samples of the shard")
    render.add_argument("--cache", type=Path, help="folder of baked skins (default: OUT/.cache)")
    render.add_argument("--scratch", type=Path, help="folder on a local disk to stage samples in (default: OUT)")
    render.add_argument("--retry", action="store_true", help="try samples again that were set aside")
    add_pool(render)
    render.set_defaults(command=run)


def add_pool(parser: argparse.ArgumentParser) -> None:
    """Options on the worker processes."""
    parser.add_argument(
        "--workers", type=workers, default=0, metavar="auto|N",
        help="processes that share the shard (default: auto, one per physical core as memory allows)",
    )  # fmt: skip
    parser.add_argument(
        "--memory", type=whole, default=DEFAULT.memory, metavar="MB",
        help="a worker that holds more is replaced; 0 for no limit (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--sample-seconds", type=positive(float), default=DEFAULT.seconds, metavar="S",
        help="a sample that takes longer counts as hung (default: %(default)g)",
    )  # fmt: skip
    parser.add_argument(
        "--attempts", type=positive(int), default=DEFAULT.attempts, metavar="N",
        help="times a sample is tried before it is set aside (default: %(default)s)",
    )  # fmt: skip


def pool_settings(options: argparse.Namespace) -> PoolSettings:
    """What the options of `add_pool` say."""
    return PoolSettings(
        workers=options.workers, attempts=options.attempts, seconds=options.sample_seconds, memory=options.memory
    )


def workers(text: str) -> int:
    """A number of workers, 0 for "auto". Raises ValueError."""
    return 0 if text == "auto" else int(positive(int)(text))


def whole(text: str) -> int:
    """A whole number from 0. Raises ValueError."""
    value = int(text)
    if value < 0:
        raise ValueError
    return value


workers.__name__, whole.__name__ = "'auto' or positive whole number", "whole number from 0"


def run(options: argparse.Namespace) -> int:
    """Render and print the shard's path."""
    from ..rendering.shard import Request, render_shard

    request = Request(
        release=chosen_release(options),
        shard=options.shard,
        out=options.out,
        samples=options.samples,
        cache=options.cache,
        pool=pool_settings(options),
        scratch=options.scratch,
        retry=options.retry,
    )
    print(render_shard(request))
    return 0
