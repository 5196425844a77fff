"""`render`: render one shard on this machine."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from rigging.option_types import positive

from .options import SAMPLES_KEPT, add_request, request

KEPT = SAMPLES_KEPT


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    add_request(parser)
    parser.add_argument("--shard", type=int, required=True, help="number of the shard, from 0")
    parser.add_argument("--cache", type=Path, help="folder of baked skins (default: OUT/.cache)")
    parser.add_argument(
        "--workers", type=workers, default=0, metavar="auto|N",
        help="processes that share the shard (default: auto, one per physical core as memory allows)",
    )  # fmt: skip


def workers(text: str) -> int:
    """A number of workers, 0 for "auto". Raises ValueError."""
    return 0 if text == "auto" else int(positive(int)(text))


workers.__name__ = "'auto' or positive whole number"


def run(options: argparse.Namespace) -> int:
    """Render and print the shard's path."""
    from ..shard.render import render_shard

    asked = request(options, options.shard)
    print(render_shard(replace(asked, cache=options.cache, pool=replace(asked.pool, workers=options.workers))))
    return 0
