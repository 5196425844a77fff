"""`statistics`: what a release covers, in numbers and plots, beside photographs if a folder of them is given."""

from __future__ import annotations

import argparse
from pathlib import Path

from rigging.option_types import positive

KEPT = "nothing was written; earlier statistics are as they were"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("data", type=Path, metavar="DATA", help="folder of shards")
    parser.add_argument("--reference", type=Path, metavar="FOLDER", help="photographs to hold the pictures against")
    parser.add_argument("--poses", metavar="SPEC", help="pose source to hold the poses against, such as nyu:PATH "
                        "(default: sampled poses)")  # fmt: skip
    parser.add_argument("--pictures", type=positive(int), default=4000, metavar="N",
                        help="pictures whose statistics are measured, evenly apart (default: about 4000)")  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where it goes (default: DATA/statistics, "
                        "where validation report and release find it)")  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Write table and plots, and print the summary; 0 done."""
    from ..statistics.poses import USUAL_REFERENCE
    from ..statistics.run import Request, statistics
    from ..store.layout import ReleaseFolder
    from ..store.quoted import STATISTICS, refuse_published, write_quoted
    from ..store.report_folder import report_folder

    folder = ReleaseFolder(options.data)
    if options.out is None:
        refuse_published(STATISTICS, folder)
    with report_folder(folder, options.out, folder.statistics_table) as target:
        asked = Request(options.data, options.reference, options.poses or USUAL_REFERENCE, options.pictures)
        table, plots = statistics(asked)
        write_quoted(STATISTICS, target / folder.statistics_table.name, table, plots)
    for name, text in table["summary"].items():
        print(f"{name}: {text}")
    print(options.out or folder.statistics)
    return 0
