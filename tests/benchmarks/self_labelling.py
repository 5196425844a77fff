"""HaMuCo's iterations of self-labelling, the 2D AUC of its figure 4, and figure 3's numbers of views at test.

    python -m tests.benchmarks.self_labelling out/gate --out FOLDER             # three nano trainings
    python -m tests.benchmarks.self_labelling out/gate --out FOLDER --quick     # tries the script, on the small split

Each iteration is two commands, which anybody can type (docs/training.md): `mvhm train hamuco` on a file of labels, and
`mvhm label` with what was trained. The first labels are noise; every training begins anew. table.md and results.json
are written after every iteration; started again, what is there already is not done again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from baselines.data.label_file import load_labels
from baselines.data.opening import open_source
from baselines.data.source import wanted_fields
from baselines.evaluate.image_area import area_of_estimates, area_of_labels
from baselines.evaluate.markdown import table
from baselines.evaluate.predict import Predictions, predict
from baselines.evaluate.score import scores
from baselines.metrics import protocol
from baselines.train.run_folder import load_run
from rigging.command_line import main as command
from rigging.files import write_atomic

WHO = ("single", "interact", "fused")
PROTOCOLS = (protocol("n_mpjpe_bone"), protocol("procrustes"))
QUICK = ("data.samples=4", "data.batch=32", "stages.views.epochs=1", "stages.together.epochs=1")
ANY = (1, 2, 3, 4, 6, 8)  # views at test
PUBLISHED = (7.75, 7.68, 7.64)  # mm, N-MPJPE of the fusion after iterations 1 to 3, on HanCo

Row = dict[str, Any]


def iterate(data: str, out: Path, options: argparse.Namespace) -> list[Row]:
    """A row for each iteration, of labels, training and scores."""
    rows: list[Row] = []
    for number in range(1, options.iterations + 1):
        labels, run = out / f"labels-{number}.npz", out / f"run-{number}"
        if not labels.exists():
            made = ["--noise", "--seed", str(options.seed)]
            if number > 1:
                made = [
                    "--checkpoint",
                    str(out / f"run-{number - 1}"),
                    "--labels",
                    str(out / f"labels-{number - 1}.npz"),
                ]
            do(["label", data, "--split", options.train_split, "--out", str(labels), "--threads", "1", *made])
        do(train_words(data, labels, run, options))
        rows.append({"iteration": number} | measured(data, labels, run, options.split))
        write(out, rows, options)
    return rows


def train_words(data: str, labels: Path, run: Path, options: argparse.Namespace) -> list[str]:
    """The words of the training; one that is finished is left alone."""
    words = ["train", data, "--model", "hamuco", "--preset", options.preset, "--labels", str(labels)]
    sets = [f"train.seed={options.seed}", f"data.split={options.train_split}", *(QUICK if options.quick else ())]
    return [*words, "--out", str(run), "--resume", *(word for one in sets for word in ("--set", one))]


def do(words: Sequence[str]) -> None:
    """Run a command of `mvhm`. Raises SystemExit where it fails."""
    if code := command(list(words), ("baselines",)):
        raise SystemExit(code)


def measured(data: str, labels: Path, run: Path, split: str) -> Row:
    """2D AUC on the pictures that have the labels, and mm on `split`: of each WHO, and of the fusion by views."""
    config = load_run(run)[1]
    told = {who: said(run, data, config.data.split, who) for who in WHO[:2]}
    truth = open_source(data, config.data.split, ("joints_2d",))
    areas = {who: area_of_estimates(one, config.data.size) for who, one in told.items()}
    row: Row = {"auc_2d": {"labels": area_of_labels(load_labels(labels), truth, config.data.margin)} | areas}
    for who in WHO:
        row[who] = millimetres(said(run, data, split, who))
    row["views"] = {views: millimetres(said(run, data, split, "fused", views)) for views in ANY}
    return row


def said(run: Path, data: str, split: str, who: str, views: int = 0) -> Predictions:
    """What a run's single views, interaction or fusion say of a split, seen by so many views at once."""
    estimator, config = load_run(run, [f"model.scored={who}"])
    return predict(estimator, open_source(data, split, wanted_fields(estimator.fields)), config, views=views)


def millimetres(told: Predictions) -> list[float]:
    """N-MPJPE and PA-MPJPE."""
    return [float(row["epe"]) for row in scores(told, PROTOCOLS).values()]


def write(out: Path, rows: list[Row], options: argparse.Namespace) -> None:
    """results.json and table.md, as far as it has come."""
    about = {"preset": options.preset, "seed": options.seed, "split": options.split, "quick": options.quick}
    write_atomic(out / "results.json", json.dumps(about | {"rows": rows}, indent=1).encode())
    text = "\n".join([*iterations_table(rows), "", *views_table(rows)]) + "\n"
    write_atomic(out / "table.md", text.encode())
    print(text)


def iterations_table(rows: list[Row]) -> list[str]:
    """Lines: a row for each iteration."""
    ours = (f"{who}, N-MPJPE / PA mm" for who in WHO)
    head = ["iteration", "2D AUC: labels", *WHO[:2], *ours, "published, fused, HanCo"]
    cells = (
        [row["iteration"], *(f"{row['auc_2d'][who]:.3f}" for who in ("labels", *WHO[:2])),
         *(pair(row[who]) for who in WHO), published(row["iteration"])]
        for row in rows
    )  # fmt: skip
    return list(table(head, cells))


def views_table(rows: list[Row]) -> list[str]:
    """Lines: the fusion of so many views, a row for each iteration."""
    head = ["iteration", *(f"{views} views" for views in ANY)]
    return list(table(head, ([row["iteration"], *(pair(one) for one in row["views"].values())] for row in rows)))


def pair(figures: Sequence[float]) -> str:
    return " / ".join(f"{figure:.2f}" for figure in figures)


def published(iteration: int) -> str:
    return f"{PUBLISHED[iteration - 1]:.2f}" if iteration <= len(PUBLISHED) else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a release, as a folder of shards, a shard or a pack")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--preset", default="nano")
    parser.add_argument("--iterations", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--split", default="val", help="that is scored in mm (default val)")
    parser.add_argument("--train-split", default="train", help="that is labelled and learnt (default train)")
    parser.add_argument("--quick", action="store_true", help="two iterations of two steps, on --split alone")
    options = parser.parse_args()
    if options.quick:
        options.iterations, options.train_split = 2, options.split
    options.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    iterate(options.data, options.out, options)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
