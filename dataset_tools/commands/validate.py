"""`validate`: every check on every sample of a release's folder, with a report to read and one to look at."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..check.validate import Validation

KEPT = "nothing was written; an earlier report is as it was"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("data", type=Path, metavar="DATA", help="folder of shards, finished or still being rendered")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where the report goes (default: DATA/validation)")
    parser.add_argument("--workers", type=int, metavar="N", help="processes (default: one a core)")
    parser.add_argument("--pictures", type=int, default=12, metavar="N", help="samples drawn, worst first (default 12)")


def run(options: argparse.Namespace) -> int:
    """Validate, write the report and say how it went; 1 if anything failed."""
    import os

    from rigging.errors import InputError

    from ..check.sample import need_embree

    need_embree()  # before what else of the extra may be missing
    from ..check.page import write_all
    from ..check.validate import validate
    from ..store.layout import ReleaseFolder
    from ..store.report_folder import report_folder

    for name, least in (("workers", 1), ("pictures", 0)):
        value = getattr(options, name)
        if value is not None and value < least:
            raise InputError(f"--{name} {value}: a number from {least} is wanted")
    folder = ReleaseFolder(options.data)
    workers = options.workers or len(os.sched_getaffinity(0))
    with report_folder(folder, options.out, folder.report) as target:
        validation = validate(folder, workers)
        write_all(target, folder, validation.report, options.pictures)
    return _say(validation, options.out or folder.validation)


def _say(validation: Validation, out: Path) -> int:
    """Print the verdict, and the first things that are wrong."""
    report = validation.report
    for line in report.problems[:10]:
        print(line)
    failed = sorted((one for one in report.results if one.verdict == "fail"), key=lambda one: -one.score)
    for one in failed[:10]:
        print(f"shard {one.shard} row {one.row}: {one.messages[0]}")
    if len(failed) > 10:
        print(f"... and {len(failed) - 10} more samples that failed")
    print(report.state)
    print(f"{validation.seconds / max(report.samples, 1):.3f} s of processor time per sample; {out / 'index.html'}")
    return int(report.verdict == "fail")
