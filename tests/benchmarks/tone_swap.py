"""Is it the skin tone that hides hands from the outside detector? The same samples, with tones exchanged.

    python -m tests.benchmarks.tone_swap --judged out/judged --folder out/swapped --judge .venv-judge/bin/python

begins where an ablation of the judge's release stopped (docs/ablation.md), which has its plan, and what was found.
Subjects below an ITA of -45 degrees get a tan skin, and as many samples of tan ones a dark skin; poses, shapes,
cameras, lights and backgrounds stay. It prints what is found of either, before and after.
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
import os
from pathlib import Path

import h5py
import numpy as np

from dataset_tools.statistics.bootstrap import mean_interval
from render_farm.planning.plan import Plan, load_plan, save_plan
from rigging.command_line import THREAD_VARIABLES

from .ablate.develop import develop_samples
from .ablate.judged import judged
from .ablate.stage import Stage, render_samples, samples_of
from .ablate.study import HERE, Study, load_study

DARK, TAN = (-66.0, -45.0), (10.0, 28.0)  # degrees ITA
VARIANTS = ("before", "mild")


def swapped(plan: Plan, study: Study) -> tuple[Plan, list[int]]:
    """The plan with tones exchanged, and the samples that this changes."""
    length, ita = plan.poses_per_pair, plan.ita.copy()
    tone = {sample: float(plan.ita[plan.subject[sample // length]]) for sample in samples_of(plan, study)}
    dark = [sample for sample, of in tone.items() if of < DARK[1]]
    tan = [sample for sample, of in tone.items() if TAN[0] <= of < TAN[1]][: len(dark)]
    for samples, (low, high) in ((dark, TAN), (tan, DARK)):
        subjects = np.unique(plan.subject[np.array(samples, int) // length])
        ita[subjects] = np.linspace(low, high, len(subjects))
    return dataclasses.replace(plan, ita=ita), sorted(dark + tan)


def make(stage: Stage, study: Study, plan: Plan, samples: list[int]) -> None:
    """Render `samples` of the plan and write a shard of them for each variant."""
    for folder in (stage.release.path, stage.logs):
        folder.mkdir(parents=True, exist_ok=True)
    save_plan(plan, stage.release.plan)
    render_samples(stage, study, plan, samples)
    develop_samples(stage, study, plan, samples)


def found(stage: Stage, name: str) -> dict[int, tuple[float, int, np.ndarray]]:
    """By sample: its tone, its subject, and in which views (V,) a hand was found."""
    with (
        h5py.File(stage.variant(name).shard(0)) as file,
        np.load(stage.variant(name).judge_table.parent / "views.npz") as views,
    ):
        columns = (file["metadata"][column][:] for column in ("sample", "ita", "subject"))
        sides = views["side"].reshape(len(file["metadata/sample"]), -1) != ""
        return {int(sample): (float(ita), int(subject), seen) for sample, ita, subject, seen in zip(*columns, sides)}


def table(before: Stage, after: Stage) -> str:
    """A line for each variant and way of exchanging: found before, after, and the difference with its interval."""
    lines = []
    for name in VARIANTS:
        old, new = found(before, name), found(after, name)
        for says, chosen in (
            ("dark, then tan", [one for one in new if old[one][0] < DARK[1]]),
            ("tan, then dark", [one for one in new if old[one][0] >= TAN[0]]),
        ):
            first, second = (np.stack([of[one][2] for one in chosen]).astype(float) for of in (old, new))
            subject = np.repeat([new[one][1] for one in chosen], first.shape[1])
            ends = [100 * end for end in mean_interval((second - first).ravel(), subject)]
            rates = f"{100 * first.mean():.1f} % and {100 * second.mean():.1f} %"
            lines.append(f"{name}, {says}: {rates} of {first.size} views; {ends[0]:+.1f} to {ends[1]:+.1f} points")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judged", type=Path, required=True, help="folder of the ablation that was judged")
    parser.add_argument("--folder", type=Path, required=True, help="of what is made")
    parser.add_argument("--judge", type=Path, required=True, metavar="PYTHON", help="of make judge's environment")
    parser.add_argument("--per-tone", type=int, default=130, help="as that ablation had it (130)")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    for name in THREAD_VARIABLES:
        os.environ.setdefault(name, "1")
    study = load_study(HERE / "judge.toml", HERE / "variants.toml", VARIANTS)
    study = dataclasses.replace(study, per_tone=options.per_tone)
    before, after = Stage(options.judged.resolve()), Stage(options.folder.resolve())
    make(after, study, *swapped(load_plan(before.release.plan), study))
    for name in VARIANTS:
        judged(after, name, options.judge, len(os.sched_getaffinity(0)))
    print(table(before, after))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
