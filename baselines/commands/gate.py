"""`gate`: whether a release is fit to publish, by its labels and by what estimators learn from it."""

from __future__ import annotations

import argparse
from pathlib import Path

from rigging.option_types import positive

from ..adapters import ADAPTERS
from .options import add_device

KEPT = "what was finished is kept; the same command goes on from there"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("data", type=Path, metavar="DATA", help="folder of a release's shards")
    parser.add_argument(
        "--preset", default="nano", metavar="NAME|FOLDER", help="how large and how long: nano (two CPU cores, 40 min), "
        "gate-short, gate, full, paper, or a folder with gate.toml and one of each estimator (default: nano)",
    )  # fmt: skip
    parser.add_argument(
        "--tables", action="append", default=[], metavar="NAME|FILE", help="train, claim and show more than the preset "
        "does: comparisons, hamuco, hamuco_more, hamr, or a TOML file of such lists; again for each, or several with "
        "spaces between",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, default=Path("out"), metavar="FOLDER",
        help="runs and report go to FOLDER/gates/RELEASE-PRESET (default: out)",
    )  # fmt: skip
    parser.add_argument(
        "--previous", type=Path, metavar="PATH", help="the report before, or its release: compared with"
    )
    for adapter, name in ADAPTERS.items():
        also = "; MVHM's Table 2" if adapter in ("stb", "mhp") else ""
        parser.add_argument(
            f"--{adapter}", type=Path, metavar="FOLDER", help=f"your copy of {name}, for figures across data sets{also}"
        )
    parser.add_argument(
        "--other", type=Path, metavar="DATA", help="a release of another look (or its pack): weak supervision on it"
    )
    add_device(parser)
    parser.add_argument(
        "--workers",
        type=positive(int),
        metavar="N",
        help="processes that validate and train (default: one a core; on a GPU one training after another)",
    )
    parser.add_argument(
        "--keep-going", action="store_true", help="train on what did not validate, too; it fails anyway"
    )


def run(options: argparse.Namespace) -> int:
    """Judge, write the report and say how it went; 1 if the release does not pass."""
    from ..gate.publish import write_all
    from ..gate.real import real_sets
    from ..gate.report import read_previous
    from ..gate.run import Request, gate, report_folder

    previous = read_previous(options.previous) if options.previous else None  # refused before an hour of work
    real = real_sets({adapter: getattr(options, adapter) for adapter in ADAPTERS})
    request = Request(
        options.data, options.preset, options.out, real, options.other, options.device,
        options.workers or 0, options.keep_going,
        tuple(name for text in options.tables for name in text.split()),
    )  # fmt: skip
    gated = gate(request)
    folder = report_folder(request, gated.report.about)
    write_all(folder, gated, previous)
    for line in gated.report.problems:
        print(line)
    print(f"{gated.report.verdict}: {gated.report.summary}")
    print(f"{folder / 'report.md'}; for `mvhm release --gate`: {folder / 'gate.json'}")
    return int(gated.report.verdict == "fail")
