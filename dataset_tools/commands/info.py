"""`info`: what a shard or a folder of shards holds."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

COUNTED = ("subject", "hand", "monk_bin", "pose_source", "arm_style", "split")  # samples that are counted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("shard", type=Path, metavar="DATA", help="a shard or a folder of shards")


def run(options: argparse.Namespace) -> int:
    """Print numbers, sizes, where it comes from, and how often each value of COUNTED occurs."""
    from ..load.dataset import HandDataset
    from ..store.shard_state import unfinished

    dataset = HandDataset(options.shard, fields=COUNTED)
    size = sum(path.stat().st_size for path in dataset.paths)
    views = len(dataset) * dataset.sizes["V"]
    print(f"{len(dataset.paths)} shard(s), {len(dataset)} samples, {views} views, {size / 2**20:.1f} MiB")
    for line in unfinished(options.shard):
        print(line)
    print(f"sizes: {', '.join(f'{letter} = {n}' for letter, n in dataset.sizes.items())}")
    for name in ("release", "configuration_hash", "schema_version", "device", "licence", "retarget", "spin_mode"):
        print(f"{name}: {dataset.attrs[name]}")
    metas = [sample["meta"] for sample in dataset]
    for name in COUNTED:
        counts = Counter(meta[name] for meta in metas)
        text = ", ".join(f"{value} {count}" for value, count in sorted(counts.items()))
        print(f"{name}: {text if len(counts) <= 12 else f'{len(counts)} different'}")
    print("packages: " + json.dumps(dataset.attrs["package_versions"], sort_keys=True))
    return 0
