"""`clip`: a film of a pair or clip, a label beside the photographs."""

from __future__ import annotations

import argparse
from pathlib import Path

from rigging.option_types import positive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("shard", type=Path, metavar="DATA", help="a shard or a folder of shards")
    parser.add_argument("--clip", type=int, default=0, help="its number there, from 0 (default: 0)")
    parser.add_argument("--view", type=int, default=0, help="the camera, from 0 (default: 0)")
    parser.add_argument("--label", default="flow_forward", help="what is shown beside it (default: flow_forward)")
    parser.add_argument("--fps", type=positive(float), default=10.0, help="poses a second (default: 10)")
    parser.add_argument("--out", type=Path, metavar="FILE", help=".mp4 (default: DATA's name, -clip-N-LABEL)")


def run(options: argparse.Namespace) -> int:
    """Write the film and print its path."""
    from ..pictures.film import write_film

    name = f"{options.shard.with_suffix('')}-clip-{options.clip}-{options.label}.mp4"
    out = options.out or Path(name)
    print(write_film(options.shard, options.clip, out, options.view, options.label, options.fps))
    return 0
