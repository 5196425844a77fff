"""`compare RUN... --data DATA`: several trained estimators on the same samples, in one table with intervals."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rigging.errors import InputError

from .data_sets import HELP, SCORED, open_data
from .options import add_batch, add_machine, use_machine

if TYPE_CHECKING:
    from ..evaluate.compare import Comparison
    from ..evaluate.measures import Measured

KEPT = "nothing is written until all runs are measured"
OUT = "comparison"  # files: comparison.json, comparison.md, comparison_pck.png
EPILOG = """
Errors of joints and mesh with and without the labels' root depth and scale, each with its 95 % interval over the test
subjects, and the paired difference of every run to the first. NAME=RUN,RUN,... is one row of several seeds.

  mvhm compare out/train/mvhm_sv-nano out/train/ge_gcn-nano --data out/gate
  mvhm compare joints=out/a0,out/a1,out/a2 mesh=out/b0,out/b1,out/b2 --data out/gate --out out/compared
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument(
        "runs", nargs="+", metavar="RUN", help="folder of a run; or NAME=RUN,RUN,... for seeds of one row"
    )
    parser.add_argument("--data", required=True, metavar="DATA", help=HELP)
    parser.add_argument("--split", default="test_subject", metavar="NAME", help="of DATA (default: test_subject)")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help=f"write {OUT}.json, {OUT}.md and {OUT}_pck.png there, too"
    )
    add_batch(parser)
    add_machine(parser)


def run(options: argparse.Namespace) -> int:
    """Measure every run, print the tables and write them down where that is asked for."""

    from ..evaluate.compare import compare, comparison_text
    from ..evaluate.measures import mean_curves
    from ..evaluate.plots import draw_pck

    use_machine(options)
    ways = named(options.runs)
    if options.out and options.out.exists() and not options.out.is_dir():
        raise InputError(f"--out {options.out}: is a file; a folder is wanted")
    took = {name: _mean_seconds(runs) for name, runs in ways.items()}  # opens every run before the first is measured
    measured = {name: [measure(run, options) for run in runs] for name, runs in ways.items()}
    found = compare(measured, took)
    text = comparison_text(found)
    if options.out:
        _write(options, ways, found, text)
        draw_pck(options.out / f"{OUT}_pck.png", {name: mean_curves(seeds) for name, seeds in measured.items()})
    print(text)
    return 0


def named(specs: list[str]) -> dict[str, list[Path]]:
    """The rows that the words ask for: folders of runs by name. Raises InputError."""
    ways: dict[str, list[Path]] = {}
    for spec in specs:
        name, equals, rest = ("", "", spec) if Path(spec).exists() else spec.partition("=")
        runs = [Path(one) for one in (rest.split(",") if equals else [spec])]
        name = name if equals else folder_of(runs[0]).resolve().name
        if not name or Path("") in runs:
            raise InputError(f"{spec}: a run is wanted, or NAME=RUN,RUN,...")
        if name in ways:
            raise InputError(f"{spec}: there is a row {name!r} before; NAME=RUN gives it another name")
        ways[name] = runs
    return ways


def folder_of(run: Path) -> Path:
    """The folder of a run that is named by it or by its weights."""
    return run.parent if run.suffix == ".safetensors" else run


def measure(run: Path, options: argparse.Namespace) -> Measured:
    """A run on the split. Raises InputError, FileNotFoundError."""
    from ..evaluate.measures import measured
    from ..evaluate.predict import each_batch
    from ..train.run_folder import load_run

    estimator, config = load_run(run)
    source = open_data(options.data, options.split, type(estimator), more=SCORED)
    parts = each_batch(estimator, source, config, options.device, batch=options.batch or 0, vertices=True)
    return measured(parts)


def _mean_seconds(runs: list[Path]) -> float | None:
    """What the trainings took, where their logs say so; raises what a run that cannot be read does."""
    from ..train.log import seconds_trained
    from ..train.run_folder import RunFolder, load_run

    seconds = [seconds_trained(RunFolder(folder_of(run)).log, load_run(run)[1].data.batch) for run in runs]
    known = [one for one in seconds if one is not None]
    return sum(known) / len(known) if known else None


def _write(options: argparse.Namespace, ways: dict[str, list[Path]], found: Comparison, text: str) -> None:
    import dataclasses
    import json

    from rigging.files import write_atomic

    about = {"format": "mvhm-comparison", "version": 1, "data": options.data, "split": options.split}
    runs = {name: [str(run) for run in runs] for name, runs in ways.items()}
    options.out.mkdir(parents=True, exist_ok=True)
    table = json.dumps(about | {"runs": runs} | dataclasses.asdict(found), indent=1)
    write_atomic(options.out / f"{OUT}.json", table.encode())
    write_atomic(options.out / f"{OUT}.md", text.encode())
