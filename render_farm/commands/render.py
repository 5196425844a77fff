"""`render`: render one shard on this machine."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from rigging.option_types import positive

from .limits import add_limits, limits
from .options import SAMPLES_KEPT, add_out, add_poses, add_release, chosen_release

KEPT = SAMPLES_KEPT


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    add_release(parser)
    add_poses(parser)
    parser.add_argument("--shard", type=int, required=True, help="number of the shard, from 0")
    add_out(parser)
    parser.add_argument("--samples", type=positive(int), help="only the first so many samples of the shard")
    parser.add_argument("--cache", type=Path, help="folder of baked skins (default: OUT/.cache)")
    parser.add_argument("--scratch", type=Path, help="folder on a local disk to stage samples in (default: OUT)")
    parser.add_argument("--retry", action="store_true", help="try samples again that were set aside")
    parser.add_argument(
        "--workers", type=workers, default=0, metavar="auto|N",
        help="processes that share the shard (default: auto, one per physical core as memory allows)",
    )  # fmt: skip
    add_limits(parser)


def workers(text: str) -> int:
    """A number of workers, 0 for "auto". Raises ValueError."""
    return 0 if text == "auto" else int(positive(int)(text))


workers.__name__ = "'auto' or positive whole number"


def run(options: argparse.Namespace) -> int:
    """Render and print the shard's path."""
    from ..shard.render import Request, render_shard

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
