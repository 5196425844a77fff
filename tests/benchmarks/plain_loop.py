"""One process without Ray that renders shards one after another.

python -m tests.benchmarks.plain_loop RELEASE OUT SAMPLES SHARD...
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from render_farm.planning.release import load_release
from render_farm.shard.pool import PoolSettings
from render_farm.shard.render import render_shard
from render_farm.shard.request import Request


def main() -> None:
    logging.basicConfig(level=logging.WARNING)
    release, out, samples, *shards = sys.argv[1:]
    for shard in shards:
        pool = PoolSettings(workers=1)
        render_shard(Request(load_release(release), int(shard), Path(out), int(samples), pool=pool))


if __name__ == "__main__":
    main()
