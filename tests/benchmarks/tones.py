"""Is it the skin tone that hides hands from the outside detector? The same hands in several tones.

    python -m tests.benchmarks.tones --folder out/tones --judge .venv-judge/bin/python
    python -m tests.benchmarks.tones --folder out/dark --judge .venv-judge/bin/python --drawn -60 10 --samples 130 \\
        --tones own 28 50     # the group of dark to brown hands: as they are, made tan, made light
    python -m tests.benchmarks.tones --folder out/groups --judge .venv-judge/bin/python --drawn -60 66 --samples 260 \\
        --tones tan dark light --cameras before mild phone    # the judge's three groups, of the same hands

Samples of tan and intermediate hands of the judge's release (docs/ablation.md), or of others, are rendered in each of
TONES; poses, shapes, cameras, lights and backgrounds stay. It prints what is found, with differences to the first tone
on the same views and their 95 % intervals over subjects. What was interrupted goes on.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dataset_tools.statistics.bootstrap import mean_interval
from dataset_tools.statistics.collect import collect
from render_farm.planning.plan import Plan, save_plan
from rigging.command_line import THREAD_VARIABLES

from .ablate.develop import develop_samples
from .ablate.judged import Views, judged, views_of
from .ablate.stage import Stage, render_samples, samples_of
from .ablate.study import HERE, Study, load_study

OWN = "own"  # tone
GROUPS = {"dark": (-60.0, 10.0), "tan": (10.0, 41.0), "light": (41.0, 65.0)}  # the judge's, in its release's tones
TONES = ("28", "-40", "-50", "-60", "-70")  # degrees ITA; differences are to the first
DRAWN = GROUPS["tan"]  # degrees ITA of those who lend their hands
VARIANTS = ("mild", "phone")
PER_TONE = 130  # samples of each group in the judge's release


def drawn(plan: Plan, study: Study, count: int, between: Sequence[float] = DRAWN) -> list[int]:
    """The first `count` samples of the study whose subjects' tones are `between` two, the second left out, degrees."""
    tones = {sample: plan.ita[plan.subject[plan.pair_of(sample)]] for sample in samples_of(plan, study)}
    return [sample for sample, ita in tones.items() if between[0] <= ita < between[1]][:count]


def in_tone(plan: Plan, samples: Sequence[int], tone: str) -> Plan:
    """The plan with the subjects of `samples` in a tone: OWN, degrees ITA, or one of GROUPS.

    In a group each is as far from its darkest to its lightest as the subject is in all tones of the release.
    """
    if tone == OWN:
        return plan
    tones, subjects = plan.ita.copy(), plan.subject[[plan.pair_of(sample) for sample in samples]]
    tones[subjects] = in_group(plan.ita[subjects], tone) if tone in GROUPS else float(tone)
    return dataclasses.replace(plan, ita=tones)


def in_group(ita: np.ndarray, group: str) -> np.ndarray:
    """Tones (N,) of the release's, degrees, squeezed into those of one of GROUPS."""
    ends = list(GROUPS.values())
    return np.interp(ita, (ends[0][0], ends[-1][1]), GROUPS[group])


def make(stage: Stage, study: Study, plan: Plan, samples: Sequence[int]) -> None:
    """Render `samples` of the plan and write a shard of them for each variant."""
    for folder in (stage.release.path, stage.logs):
        folder.mkdir(parents=True, exist_ok=True)
    save_plan(plan, stage.release.plan)
    render_samples(stage, study, plan, samples)
    develop_samples(stage, study, plan, samples)


def row(name: str, tone: str, views: Views, first: Views) -> str:
    """A line of the table: what is found of all views, how much more than in the first tone; of palms and backs."""
    more = views.found.astype(float) - first.found
    ends = mean_interval(more, views.subject)
    between = f" ({100 * ends[0]:+.1f} to {100 * ends[1]:+.1f})" if ends else ""
    chosen = [views.groups[name] for name in ("all", "seen from: palm", "seen from: back")]
    everything, palm, back = (f"{100 * views.found[group].mean():.1f}" for group in chosen)
    return f"| {name} | {tone} | {everything} | {100 * more.mean():+.1f}{between} | {palm} | {back} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="of what is made")
    parser.add_argument("--judge", type=Path, required=True, metavar="PYTHON", help="of make judge's environment")
    parser.add_argument("--samples", type=int, default=40, help="at most (40)")
    parser.add_argument("--drawn", type=float, nargs=2, default=DRAWN, metavar="ITA", help="tones of those (10 41)")
    parser.add_argument("--tones", nargs="+", default=TONES, metavar="ITA", help=f"or {OWN}, {', '.join(GROUPS)}")
    parser.add_argument("--cameras", nargs="+", default=VARIANTS, metavar="NAME", help="variants (mild phone)")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    os.environ |= dict.fromkeys(THREAD_VARIABLES, "1")
    study = load_study(HERE / "judge.toml", HERE / "variants.toml", tuple(options.cameras))
    study = dataclasses.replace(study, per_tone=PER_TONE)
    plan = Stage(options.folder.resolve() / "plan").plan(study)
    samples = drawn(plan, study, options.samples, options.drawn)
    found: dict[tuple[str, str], Views] = {}
    for tone in options.tones:
        stage = Stage(options.folder.resolve() / f"ita{tone}")
        make(stage, study, in_tone(plan, samples, tone), samples)
        for name in options.cameras:
            table = judged(stage, name, options.judge, len(os.sched_getaffinity(0))) / "views.npz"
            found[name, tone] = views_of(collect(stage.variant(name).path, 1), table)
    print("| camera | ITA | found | more than in the first | palm | back |\n|---|---|---|---|---|---|")
    for name, tone in itertools.product(options.cameras, options.tones):
        print(row(name, tone, found[name, tone], found[name, options.tones[0]]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
