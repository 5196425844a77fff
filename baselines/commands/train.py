"""`train DATA --model NAME --preset NAME`: train an estimator on a data set."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from rigging.errors import InputError
from rigging.option_types import positive

from ..registry import estimator_class, list_estimators
from .data_sets import HELP, open_data, with_labels
from .options import add_device, each_setting

KEPT = "the run's folder keeps its last state; --resume goes on from there"
RUNS = Path("out/train")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument("data", metavar="DATA", help=HELP)
    parser.add_argument("--model", choices=list_estimators(), metavar="NAME", help=", ".join(list_estimators()))
    parser.add_argument(
        "--preset", default="nano", metavar="NAME|FILE", help="nano, gate-short, gate, full, paper, or a TOML file of "
        "settings such as the config.toml of another run (default nano)",
    )  # fmt: skip
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="one setting of the preset, changed: "
        "data.batch=16, model.width=64, stages.mesh.epochs=3; again for each, or several with spaces between",
    )  # fmt: skip
    parser.add_argument(
        "--with", action="append", default=[], dest="others", metavar="DATA", help="train on this, too; again for each"
    )
    parser.add_argument(
        "--weights", metavar="A,B,...", help="shares of a batch of DATA and each --with (default: equal)"
    )
    parser.add_argument(
        "--labels", type=Path, metavar="FILE", help="pseudo labels (`mvhm label`) of DATA, the only ones it then has"
    )
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="of the run (default: out/train/MODEL-PRESET)")
    parser.add_argument("--resume", action="store_true", help="go on with the run in the folder, if there is one")
    parser.add_argument(
        "--init", type=Path, metavar="RUN|FILE", help="weights to begin from, by name: a run, or what torch.save wrote"
    )
    add_device(parser)
    parser.add_argument(
        "--threads",
        type=positive(int),
        metavar="N",
        help="of the CPU (default: train.threads of the preset, or one a core)",
    )


EPILOG = """
The folder then holds config.toml (what ran; it is a preset, too), run.json, log.jsonl, tensorboard/, and at the end
weights.safetensors. Until then state.safetensors, from which --resume goes on: on the CPU with the same number of
threads to the same weights, bit by bit. Several GPUs: torchrun --nproc-per-node 4 -m baselines train ...

  mvhm train out/gate --model mvhm_sv --preset nano
  mvhm train out/gate --model mvhm_mv --preset nano --init out/train/mvhm_sv-nano
"""


def run(options: argparse.Namespace) -> int:
    """Train, and say where the weights are."""
    import torch

    from ..config import load_config
    from ..train.loop import train
    from ..train.ranks import choose_device, cores

    choose_device(options.device)  # before data are opened
    config = load_config(options.preset, options.model or "", each_setting(options.set))
    torch.set_num_threads(options.threads or config.train.threads or cores())
    out = options.out or RUNS / f"{config.estimator}-{Path(options.preset).stem}"
    cls, specs = estimator_class(config.estimator), [options.data, *options.others]
    opened = [open_data(spec, config.data.split, cls, config.augment) for spec in specs]
    if options.labels:
        opened[0] = with_labels(opened[0], options.labels)
    sources = list(zip(opened, shares(options.weights, len(specs))))
    path = train(config, sources, out, resume=options.resume, init=options.init, device=options.device)
    if os.environ.get("RANK", "0") == "0":
        print(f"{path / 'weights.safetensors'}: the weights")
    return 0


def shares(text: str | None, count: int) -> list[float]:
    """The weights that `--weights` names, one for each of `count` data sets. Raises InputError."""
    try:
        weights = [float(one) for one in text.split(",")] if text else [1.0] * count
    except ValueError:
        weights = []
    if len(weights) != count:
        raise InputError(f"--weights {text}: {count} numbers are wanted, with commas between")
    return weights
