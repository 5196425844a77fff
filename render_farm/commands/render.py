"""`render`: render one shard on this machine."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from .limits import add_limits, limits
from .options import add_out, chosen_release, positive


def add(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Register the command."""
    render = commands.add_parser("render", parents=[common], help="render one shard")
    render.add_argument("--shard", type=int, required=True, help="number of the shard, from 0")
    add_out(render)
    render.add_argument("--samples", type=positive(int), help="only the first so many samples of the shard")
    render.add_argument("--cache", type=Path, help="folder of baked skins (default: OUT/.cache)")
    render.add_argument("--scratch", type=Path, help="folder on a local disk to stage samples in (default: OUT)")
    render.add_argument("--retry", action="store_true", help="try samples again that were set aside")
    render.add_argument(
        "--workers", type=workers, default=0, metavar="auto|N",
        help="processes that share the shard (default: auto, one per physical core as memory allows)",
    )  # fmt: skip
    add_limits(render)
    render.set_defaults(command=run)


def workers(text: str) -> int:
    """A number of workers, 0 for "auto". Raises ValueError."""
    return 0 if text == "auto" else int(positive(int)(text))


workers.__name__ = "'auto' or positive whole number"


def run(options: argparse.Namespace) -> int:
    """Render and print the shard's path."""
    from ..rendering.shard import Request, render_shard

    request = Request(
        release=chosen_release(options),
        shard=options.shard,
        out=options.out,
        samples=options.samples,
        cache=options.cache,
        pool=dataclasses.replace(limits(options), workers=options.workers),
        scratch=options.scratch,
        retry=options.retry,
    )
    print(render_shard(request))
    return 0
