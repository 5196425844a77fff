"""Command line: `python -m dataset_tools format | info | check | view | sheet`."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

COUNTED = ("subject", "hand", "monk_bin", "pose_source", "arm_style", "split")  # samples that `info` counts


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 done, 1 a check failed, 2 bad input (one line on stderr)."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except (ValueError, OSError, IndexError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m dataset_tools", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("format", help="print the documentation of the file format")
    command.add_argument("--write", type=Path, metavar="FILE", help="write it to a file instead")
    command.set_defaults(run=_format)
    command = commands.add_parser("info", help="say what a shard or a folder of shards holds")
    command.add_argument("shard", type=Path)
    command.set_defaults(run=_info)
    command = commands.add_parser("check", help="verify shards: bytes, schema, values, cameras against labels")
    command.add_argument("shard", type=Path, nargs="+")
    command.set_defaults(run=_check)
    command = commands.add_parser("view", help="write pictures of every label of a sample")
    command.add_argument("shard", type=Path)
    command.add_argument("--sample", type=int, default=0, help="row in the shard (default 0)")
    command.add_argument("--out", type=Path, help="folder (default: SHARD's name, -view)")
    command.set_defaults(run=_view)
    command = commands.add_parser("sheet", help="write a contact sheet of a shard")
    command.add_argument("shard", type=Path)
    command.add_argument("--out", type=Path, help="file (default: beside the shard, .png)")
    command.set_defaults(run=_sheet)
    return parser


def _format(options: argparse.Namespace) -> int:
    from .format.format_page import format_page

    if options.write:
        options.write.write_text(format_page(), encoding="utf-8")
    else:
        print(format_page(), end="")
    return 0


def _info(options: argparse.Namespace) -> int:
    from .load.dataset import HandDataset
    from .store.shard_state import unfinished

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


def _check(options: argparse.Namespace) -> int:
    from .check.shard import check_shard, lacking, shards_to_check
    from .store.shard_file import ShardError

    unfinished = [line for given in options.shard for line in lacking(given)]
    for line in unfinished:
        print(line)
    failed = len(unfinished)
    for path in [shard for given in options.shard for shard in shards_to_check(given)]:
        try:
            report = check_shard(path)
        except ShardError as error:  # go on: a release has many shards
            failed += 1
            print(f"{path}: FAILED\n  {error}")
            continue
        failed += bool(report.problems)
        print(
            f"{path}: {'FAILED' if report.problems else 'ok'}, {report.samples} samples, joints within "
            f"{report.triangulation * 1000:.5f} mm, silhouette IoU at least {report.iou:.3f}"
        )
        for problem in report.problems:
            print(f"  {problem}")
    return int(failed > 0)


def _view(options: argparse.Namespace) -> int:
    from .pictures.view import write_views

    out = options.out or Path(f"{options.shard.with_suffix('')}-view")
    for path in write_views(options.shard, options.sample, out):
        print(path)
    return 0


def _sheet(options: argparse.Namespace) -> int:
    from .pictures.sheet import write_sheet

    print(write_sheet(options.shard, options.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
