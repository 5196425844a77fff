"""`label DATA --out FILE.npz (--noise | --checkpoint RUN)`: pseudo labels to train on instead of a data set's own."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rigging.errors import InputError

from .data_sets import HELP, open_data, open_fields, with_labels
from .options import add_batch, add_machine, use_machine

if TYPE_CHECKING:
    import numpy as np

    from ..data.label_file import Labels
    from ..data.source import Source

KEPT = "nothing was written; an earlier file is as it was"
EPILOG = """
--noise errs as a detector would, by what is hidden in each view: DATA has to be a release. --checkpoint takes the
joints that a run finds in the pictures (mvhm_sv, lt_alg), or the hand that it fuses of all views, projected (hamuco).
It must not have learnt from true labels of the same subjects. docs/pseudo_labels.md

  mvhm label out/gate --noise --out noise.npz
  mvhm train out/gate --model hamuco --labels noise.npz --out out/first
  mvhm label out/gate --checkpoint out/first --labels noise.npz --out second.npz
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument("data", metavar="DATA", help=HELP)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.npz", help="is replaced if it is there")
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--noise", action="store_true", help="true labels with a detector's errors")
    how.add_argument("--checkpoint", type=Path, metavar="RUN", help="what this run estimates")
    parser.add_argument(
        "--take", choices=("2d", "3d"), default="", help="of --checkpoint: joints found in the pictures, or the hand "
        "projected (default: 3d of an estimator that fuses views)",
    )  # fmt: skip
    parser.add_argument(
        "--labels", type=Path, metavar="FILE", help="of --checkpoint: earlier pseudo labels, about which crops lie"
    )
    parser.add_argument("--true-view", type=int, metavar="N", help="this view's true labels, from 0: weak supervision")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of --noise (default 0)")
    parser.add_argument("--split", default="train", metavar="NAME", help="of DATA (default train; '' is all)")
    add_batch(parser)
    add_machine(parser)


def run(options: argparse.Namespace) -> int:
    """Make the labels, and say how far from the truth they are, where that is known."""
    import dataclasses

    from ..data.label_file import identity
    from ..data.label_noise import NEEDED
    from ..data.labels import with_true_view

    _check(options)
    use_machine(options)
    truth = open_fields(options.data, options.split, NEEDED)  # of a release without its pictures
    labels = _noise(options, truth) if options.noise else _estimated(options, truth)
    made = {"data": {"name": options.data, "split": options.split} | identity(truth)}
    labels = dataclasses.replace(labels, about=dict(labels.about) | made)
    if options.true_view is not None:
        labels = with_true_view(labels, truth, options.true_view)
    labels.save(options.out)
    print(f"{options.out}: labels of {truth.samples} samples, {truth.views} views each{_off(labels, truth)}")
    return 0


def _check(options: argparse.Namespace) -> None:
    """Raise InputError for options that do not go together, before anything is opened."""
    if options.out.suffix != ".npz" or options.out.is_dir():
        raise InputError(f"--out {options.out}: a file FILE.npz is wanted")
    if not options.out.parent.is_dir():
        raise InputError(f"--out {options.out}: there is no folder {options.out.parent}")
    if options.noise and (options.take or options.labels):
        raise InputError(f"--{'take' if options.take else 'labels'}: goes with --checkpoint, not with --noise")
    if options.seed < 0:
        raise InputError(f"--seed {options.seed}: 0 or more is wanted")


def _noise(options: argparse.Namespace, truth: Source) -> Labels:
    import dataclasses

    from ..data.label_file import Labels
    from ..data.label_noise import Noise, noise_labels

    about = {"kind": "noise", "seed": options.seed, "noise": dataclasses.asdict(Noise())}
    return Labels(truth.numbers, *noise_labels(truth, options.seed), about)


def _estimated(options: argparse.Namespace, truth: Source) -> Labels:
    from rigging.files import file_sha256

    from ..data.label_file import Labels
    from ..evaluate.label import check_apart, estimated_labels
    from ..train.run_folder import RunFolder, load_run

    record = check_apart(options.checkpoint, truth)
    estimator, config = load_run(options.checkpoint)
    source = open_data(options.data, options.split, type(estimator))
    source = with_labels(source, options.labels) if options.labels else source
    found = estimated_labels(estimator, source, config, options.take, device=options.device, batch=options.batch or 0)
    weights = RunFolder(options.checkpoint).weights if options.checkpoint.is_dir() else options.checkpoint
    about: dict[str, Any] = {
        "kind": "estimated",
        "take": options.take,
        "estimator": estimator.name,
        "checkpoint": str(options.checkpoint),
        "weights_sha256": file_sha256(weights),
        "trained_on": record["data"],
        "crops_about": str(options.labels or "the data's own joints"),
    }
    return Labels(truth.numbers, *found, about)


def _off(labels: Labels, truth: Source) -> str:
    """How far a release's labels are from the truth, in parts of the box of the hand's joints: in words."""
    import numpy as np

    if "rgb" in truth.fields:  # a real data set: to read all pictures again takes long
        return ""
    true = np.stack([truth.read(sample)["joints_2d"] for sample in range(truth.samples)])
    off = np.linalg.norm(labels.joints_2d - true, axis=-1)
    share: np.ndarray = 100 * off / np.ptp(true, axis=-2).max(-1)[..., None]
    half, much = np.nanmedian(share), 100 * np.nanmean(share > 10)
    return f"; off by {half:.1f} % of the hand's box (median), {much:.1f} % of the joints by more than 10 %"
