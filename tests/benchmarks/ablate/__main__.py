"""Ablations of everything after the path tracer: what an estimator learns, and what a detector sees, by variant.

    python -m tests.benchmarks.ablate --folder out/ablate [--real hanco=/data/HanCo]       # renders, trains, tests
    python -m tests.benchmarks.ablate --folder out/ablate-judge --release tests/benchmarks/ablate/judge.toml \\
        --per-tone 130 --parts render develop pictures judge page --judge .venv-judge/bin/python --photographs photos
    python -m tests.benchmarks.ablate --folder /tmp/ablate --quick                         # tries the script

The parts, each of which goes on where it was interrupted: `render` keeps linear renders of the release's samples, once
for each number of samples per pixel and denoiser; `develop` makes a folder of shards of each variant (FOLDER/variants),
for any other command, too; `train` trains the estimator on each and tests it on all; `pictures` takes image statistics
and `judge` asks the outside detector; `page` writes what there is into docs/ablation.md.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rigging.command_line import THREAD_VARIABLES
from rigging.errors import InputError, MvhmError
from rigging.files import write_atomic

from ..run import ROOT, write_section
from .develop import develop_study
from .page import START, judge_section, learned_sections, pictures_section
from .stage import Stage, render_study
from .study import HERE, Study, load_study, quick

PARTS = ("render", "develop", "train", "pictures", "judge", "page")
USUAL = ("render", "develop", "train", "page")
QUICK = ("data.batch=8", "stages.heatmap.epochs=1", "stages.all.epochs=1")


def run(options: argparse.Namespace) -> None:
    """The parts that are asked for, in their order. Raises MvhmError."""
    study = load_study(options.release, options.variants, tuple(options.only or ()))
    study = dataclasses.replace(quick(study) if options.quick else study, per_tone=options.per_tone)
    stage = Stage(options.folder.resolve())
    if "judge" in options.parts and options.judge is None:
        raise InputError("--judge PYTHON is wanted: that of an environment with MediaPipe, which make judge makes")
    work: dict[str, Callable[[], Any]] = {
        "render": lambda: render_study(stage, study, options.workers),
        "develop": lambda: develop_study(stage, study, options.workers),
        "train": lambda: trained(stage, study, options),
        "pictures": lambda: pictures(stage, study, options),
        "judge": lambda: judged(stage, study, options),
        "page": lambda: write_page(stage, study, (stage.folder if options.quick else options.docs) / "ablation.md"),
    }
    for part in (part for part in PARTS if part in options.parts):
        start = time.monotonic()
        found = work[part]()
        if found is not None:
            write_atomic(stage.folder / f"{part}.json", json.dumps(found, indent=1).encode())
        add_seconds(stage, part, time.monotonic() - start)


def trained(stage: Stage, study: Study, options: argparse.Namespace) -> dict[str, Any]:
    """Train and test."""
    from .learn import Lessons, learn, learned_table, real_set

    names = tuple(variant.name for variant in study.variants if variant.trained)
    real, sets = tuple(map(real_set, options.real)), QUICK if options.quick else tuple(options.set)
    seeds = min(options.seeds, 2) if options.quick else options.seeds
    lessons = Lessons(stage, names, seeds, real, sets, options.workers or len(os.sched_getaffinity(0)))
    return learned_table(learn(lessons), study, lessons)


def pictures(stage: Stage, study: Study, options: argparse.Namespace) -> dict[str, Any]:
    """Image statistics."""
    from .judged import measure_pictures

    return measure_pictures(stage, study, options.photographs)


def judged(stage: Stage, study: Study, options: argparse.Namespace) -> dict[str, Any]:
    """The outside detector."""
    from .judged import judge_variants

    return judge_variants(stage, study, options.judge, options.workers or len(os.sched_getaffinity(0)))


def write_page(stage: Stage, study: Study, path: Path) -> None:
    """Put sections of what was measured into the page, in place of what they said before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_text(START, encoding="utf-8")
    found = {part: kept(stage, part) for part in ("train", "pictures", "judge")}
    sections = learned_sections(found["train"], study, kept(stage, "seconds")) if found["train"] else []
    sections += [pictures_section(found["pictures"])] if found["pictures"] else []
    sections += [judge_section(found["judge"], study)] if found["judge"] else []
    for section in sections:
        write_section(section, path)


def kept(stage: Stage, part: str) -> dict[str, Any]:
    """What a part found; nothing if it was not run."""
    place = stage.folder / f"{part}.json"
    return json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}


def add_seconds(stage: Stage, part: str, seconds: float) -> None:
    """Add to what a part took, all its runs together."""
    spent = kept(stage, "seconds")
    if part != "page":
        spent[part] = round(spent.get(part, 0.0) + seconds, 1)
        write_atomic(stage.folder / "seconds.json", json.dumps(spent).encode())


def arguments() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("out/ablate"), help="of all that is made (out/ablate)")
    parser.add_argument("--release", type=Path, default=HERE / "release.toml", help="what is rendered")
    parser.add_argument("--variants", type=Path, default=HERE / "variants.toml", help="what is varied")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these variants alone, the first to compare with")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=USUAL)
    parser.add_argument("--per-tone", type=int, default=0, metavar="N", help="samples of each of the judge's three "
                        "groups of skin tones, at most (default: all samples)")  # fmt: skip
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of the estimator's settings")
    parser.add_argument("--real", action="append", default=[], metavar="NAME=PATH", help="a real data set to test on "
                        "(docs/real_data.md), such as hanco=/data/HanCo; again for each")  # fmt: skip
    parser.add_argument("--photographs", type=Path, help="a folder to hold the pictures against")
    parser.add_argument("--judge", type=Path, metavar="PYTHON", help="of an environment with MediaPipe (make judge)")
    parser.add_argument("--workers", type=int, default=0, help="processes (default: one a core)")
    parser.add_argument(
        "--docs", type=Path, default=ROOT / "docs", help="where ablation.md is written (a quick one: FOLDER)"
    )
    parser.add_argument("--quick", action="store_true", help="8 samples, two variants, two seeds: it says nothing")
    return parser


def main() -> int:
    """0 done, 2 for bad input."""
    options = arguments().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    for name in THREAD_VARIABLES:
        os.environ.setdefault(name, "1")
    try:
        run(options)
    except (MvhmError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return getattr(error, "exit_code", 2)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
