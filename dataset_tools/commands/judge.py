"""`judge`: how surely an outside detector finds the hands of a release; `make judge` has the environment for it."""

from __future__ import annotations

import argparse
from pathlib import Path

from rigging.option_types import positive

KEPT = "nothing was written; an earlier judgement is as it was"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("data", type=Path, metavar="DATA", help="folder of shards")
    parser.add_argument("--photographs", type=Path, metavar="FOLDER", help="photographs in which hands are looked for, "
                        "too")  # fmt: skip
    parser.add_argument("--workers", type=positive(int), metavar="N", help="processes (default: one a core)")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where it goes (default: DATA/judge, where "
                        "validation report and release find it)")  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Write table, page and pictures, and print the summary; 0 done."""
    import os

    from ..judge.detector import need_mediapipe

    need_mediapipe()
    from ..judge.run import Request, judge
    from ..store.layout import ReleaseFolder
    from ..store.quoted import JUDGE, refuse_published
    from ..store.report_folder import report_folder

    folder = ReleaseFolder(options.data)
    if options.out is None:
        refuse_published(JUDGE, folder)
    workers = options.workers or len(os.sched_getaffinity(0))
    with report_folder(folder, options.out, folder.judge_table) as target:
        table = judge(Request(options.data, options.photographs, workers), target)
    for name, text in table["summary"].items():
        print(f"{name}: {text}")
    print(options.out or folder.judge)
    return 0
