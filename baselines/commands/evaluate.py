"""`evaluate CHECKPOINT DATA`: score a trained estimator on a data set, split by split."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from rigging.option_types import positive

from ..registry import estimator_class
from .data_sets import HELP, SCORED, open_data
from .options import add_batch, add_machine, each_setting, use_machine

if TYPE_CHECKING:
    from ..config import Config
    from ..data.source import Source
    from ..estimator import Estimator
    from ..metrics import Scores

DRAWN = {"mm": "root_relative", "px": "projected"}  # protocols of the curves
KEPT = "splits that were done are kept"
EPILOG = """
Figures are told by protocol (docs/metrics.md): in millimetres or pixels, with and without an oracle. The folder of the
run, or --out, then holds scores.json, scores.md, pck.png (curves of the PCK in space and in the image), and with --save
SPLIT.npz with every prediction beside its label.

  mvhm evaluate out/train/mvhm_sv-nano out/gate
  mvhm evaluate out/train/mvhm_sv-nano out/gate --split test_all --save
  mvhm evaluate out/train/hamuco-nano out/gate --split val --views 2 --views 4 --views 8
  mvhm evaluate out/train/hamuco-nano out/gate --set model.scored=single --out out/single
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument(
        "checkpoint", type=Path, metavar="CHECKPOINT", help="folder of a run, or its weights.safetensors"
    )
    parser.add_argument("data", metavar="DATA", help=HELP)
    parser.add_argument(
        "--split", action="append", metavar="NAME", help="score this split; again for each (default: all but train)"
    )
    parser.add_argument(
        "--views",
        action="append",
        type=positive(int),
        metavar="N",
        help="of a sample, seen together; each camera counts as often as any other; again for each (default: as in "
        "training)",
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="a setting that weights do not hang on, "
        "changed, such as model.scored=single; again for each",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="for the scores (default: CHECKPOINT/evaluation)")
    parser.add_argument("--save", action="store_true", help="keep the predictions, too")
    add_batch(parser)
    add_machine(parser)


def run(options: argparse.Namespace) -> int:
    """Score every split, print the table and write it down."""

    from rigging.files import write_atomic

    from ..evaluate.plots import draw_pck
    from ..evaluate.score import curves, table_text
    from ..metrics.scores import CURVE_STEP, Scores
    from ..train.run_folder import load_run

    use_machine(options)
    estimator, config = load_run(options.checkpoint, each_setting(options.set))
    sources = by_split(options.data, config, options.split or [])
    run_folder = options.checkpoint if options.checkpoint.is_dir() else options.checkpoint.parent
    out = options.out or run_folder / "evaluation"
    out.mkdir(parents=True, exist_ok=True)
    found = {
        _name(split, views): _scored(estimator, source, config, options, out, split, views)
        for split, source in sources.items()
        for views in options.views or [0]
    }
    tables, lines = ({split: tell(one) for split, one in found.items()} for tell in (Scores.table, curves))
    text = table_text(tables)
    about = {"format": "mvhm-scores", "version": 1, "checkpoint": str(options.checkpoint), "data": str(options.data)}
    about |= {"set": options.set} if options.set else {}
    told = about | {"splits": tables, "curve_step": CURVE_STEP, "curves": lines}
    write_atomic(out / "scores.json", json.dumps(told, indent=1).encode())
    write_atomic(out / "scores.md", text.encode())
    shown = {split: {unit: one.get(name) for unit, name in DRAWN.items()} for split, one in lines.items()}
    draw_pck(out / "pck.png", shown, CURVE_STEP)
    print(text)
    return 0


def _name(split: str, views: int) -> str:
    """Of a table and a file of predictions."""
    return f"{split}-{views}-views" if views else split


def by_split(data: str, config: Config, splits: list[str]) -> dict[str, Source]:
    """The samples of each split asked for, or of all but the one that was trained on. Raises InputError."""
    import numpy as np

    from rigging.errors import InputError

    cls = estimator_class(config.estimator)
    there = [str(split) for split in np.unique(open_data(data, "", cls).splits)]
    chosen = splits or [split for split in there if split != config.data.split]
    if not chosen:
        raise InputError(f"{data}: holds nothing but the split {config.data.split!r}; --split {there[0]} scores it")
    return {split: open_data(data, split, cls, more=SCORED) for split in chosen}


def _scored(
    estimator: Estimator,
    source: Source,
    config: Config,
    options: argparse.Namespace,
    out: Path,
    split: str,
    views: int,
) -> Scores:
    """The scores of a split, seen by so many views at once; its predictions are kept if that is asked for."""
    from ..evaluate.predict import each_batch, joined
    from ..evaluate.score import scored

    how = {"batch": options.batch or 0, "vertices": True, "views": views}
    parts = each_batch(estimator, source, config, options.device, **how)
    if not options.save:
        return scored(parts)
    kept = []
    scores = scored(kept.append(part.without_vertices()) or part for part in parts)
    joined(kept).save(out / f"{_name(split, views)}.npz")
    return scores
