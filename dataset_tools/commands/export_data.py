"""`export-data FORMAT DATA`: a release in a format that others read."""

from __future__ import annotations

import argparse
from pathlib import Path

KEPT = "what is finished is kept; run it again to go on"
FORMATS = (
    "webdataset", "huggingface", "freihand", "interhand", "coco", "coco-wholebody", "hamer", "obj", "ply", "glb",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("format", choices=FORMATS, metavar="FORMAT", help=", ".join(FORMATS))
    parser.add_argument("data", type=Path, metavar="DATA", help="a shard or a folder of shards")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="new, empty, or of the same export (default: DATA-FORMAT)"
    )


def run(options: argparse.Namespace) -> int:
    """Export, and print the path of what says what is there."""
    from ..export.run import export

    data = str(options.data).removesuffix(".h5")
    out = options.out or Path(f"{data}-{options.format}")
    print(export(options.format, options.data, out))
    return 0
