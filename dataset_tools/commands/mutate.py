"""`mutate`: a copy of a release with one thing broken, to see whether a check notices; or the table of all of them."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("data", type=Path, nargs="?", metavar="DATA", help="folder of a release")
    parser.add_argument("out", type=Path, nargs="?", metavar="OUT", help="folder of the broken copy, not there yet")
    parser.add_argument("--name", help="what to break: see --list")
    parser.add_argument("--rows", choices=("one", "all"), default="one", help="in how many samples (default: one)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of what is drawn (default: 0)")
    parser.add_argument("--list", action="store_true", help="say what can be broken, and which checks must notice")
    parser.add_argument("--table", action="store_true", help="validate DATA broken in every way; copies come and go")
    parser.add_argument("--workers", type=int, metavar="N", help="processes of --table (default: one a core)")


def run(options: argparse.Namespace) -> int:
    """Break, list, or print the table; 1 if a line of it is not as it must be."""
    import numpy as np

    from rigging.errors import InputError

    from ..check.mutate import mutate

    if options.list:
        return _list()
    if options.data is None:
        raise InputError("DATA is missing: the folder of a release; --list says what can be broken in it")
    if options.seed < 0:
        raise InputError(f"--seed {options.seed}: a number from 0 is wanted")
    rng = np.random.default_rng(options.seed)
    if options.workers is not None and options.workers < 1:
        raise InputError(f"--workers {options.workers}: a number from 1 is wanted")
    if options.table:
        if options.out is not None and not options.out.is_dir():
            raise InputError(f"{options.out}: no such folder; --table wants one to put its copies in for a while")
        return _table(options, rng)
    if options.out is None or options.name is None:
        raise InputError("OUT and --name are missing: where the broken copy goes, and what to break (see --list)")
    for shard, row in mutate(options.data, options.out, options.name, options.rows, rng):
        print(f"shard {shard} row {row}")
    return 0


def _list() -> int:
    from ..check.mutations import MUTATIONS

    width = max(map(len, MUTATIONS))
    for name, mutation in MUTATIONS.items():
        print(f"{name:{width}}  {mutation.breaks}; noticed by {' or '.join(mutation.named_by)}")
    return 0


def _table(options: argparse.Namespace, rng: object) -> int:
    """Print the lines as they come, and a sentence at the end."""
    import os
    import tempfile

    from ..check.mutation_table import HEAD, mutation_table
    from ..check.validate import validate
    from ..store.layout import ReleaseFolder

    workers = options.workers or len(os.sched_getaffinity(0))
    print(HEAD, flush=True)
    lines = []
    with tempfile.TemporaryDirectory(prefix="mvhm-mutants-", dir=options.out) as folder:
        for line in mutation_table(
            options.data, Path(folder), lambda data: validate(ReleaseFolder(data), workers).report, rng
        ):
            print(line, flush=True)
            lines.append(line)
    wrong = [line for line in lines if not line.right]
    print(f"\n{len(lines) - len(wrong)} of {len(lines)} lines are as they must be")
    return int(bool(wrong))
