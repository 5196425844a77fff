"""Why a detector finds some hands less often: one thing swapped at a time, all else the same to the pixel.

    python -m tests.benchmarks.judge_swaps stage OUT/gate STAGE --cache OUT/.cache   # needs Blender
    python -m tests.benchmarks.judge_swaps compose STAGE
    python -m tests.benchmarks.judge_swaps judge STAGE                               # in the judge's environment
    python -m tests.benchmarks.judge_swaps table STAGE                               # Markdown

`stage` renders each hand bare-armed and in two sleeves, and its backgrounds; `compose` makes pictures of them in
many ways; `judge` asks the detector. Differences are paired, with 95 % intervals over subjects. What was interrupted
goes on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from dataset_tools.judge.detector import Detector
from dataset_tools.progress import Progress
from dataset_tools.statistics.bootstrap import mean_interval
from rigging.files import atomic_file

MEASURES = ("colour distance of hand and surroundings", "gradient of the surroundings")
KINDS = ("panorama", "room", "lived-in room")


def judge(folder: Path) -> None:
    """Ask the detector about every picture; FOLDER/found-NNNNN.npz."""
    detector, paths = Detector(), sorted(folder.glob("views-*.npz"))
    with Progress("judge", len(paths), "pair") as progress:
        for path in paths:
            if not (out := path.with_name(path.name.replace("views", "found"))).exists():
                row = dict(np.load(path))
                pictures = row.pop("pictures")
                found = np.array([[detector(view) is not None for view in views] for views in pictures])
                with atomic_file(out) as file:
                    np.savez(file, found=found, **row)
            progress.add(1)


def table(folder: Path) -> str:
    """Shares found and paired differences from the first row of each block, as Markdown."""
    rows = [dict(np.load(path)) for path in sorted(folder.glob("found-*.npz"))]
    data = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    keys = list(map(tuple, data.pop("conditions")[0].tolist()))
    found, subject = data["found"].astype(float), data["subject"]  # (P, C, V)
    views = f"{found.shape[0]} hands of {len(np.unique(subject))} subjects, {found.shape[0] * found.shape[2]} views."
    lines = [views, "",
             "| arm | background | found | against a bare arm, same background | against the room, bare arm |",
             "|---|---|---|---|---|"]  # fmt: skip
    for place, (arm, name) in enumerate(keys):
        own = found[:, place]
        beside = [own - found[:, keys.index(other)] for other in (("bare", name), ("bare", "room"))]
        cells = ["" if not one.any() else _share(one, subject, "+.1f") for one in beside]
        lines.append(f"| {arm} | {name} | {_share(own, subject, '.1f')} | {' | '.join(cells)} |")
    like = ", ".join(f"{name} {100 * share:.0f} %" for name, share in zip(KINDS, data["skin_like"].mean(0)))
    return "\n".join([*lines, "", f"Pixels of a colour that skin could have: {like}.", "", *_near(data, keys)])


def _share(values: np.ndarray, subject: np.ndarray, form: str) -> str:
    """Percent of (P, V), with its interval over subjects (P,)."""
    clusters = np.repeat(subject, values.shape[1])
    interval = mean_interval(values.ravel(), clusters)
    span = f" ({', '.join(format(100 * end, form) for end in interval)})" if interval else ""
    return f"{100 * values.mean():{form}}{span}"


def _near(data: dict[str, np.ndarray], keys: list[tuple[str, str]]) -> list[str]:
    """Shares found by thirds of the contrast with what is about the hand, and of how busy that is."""
    lines = ["| found, by third | background | least | middle | most |", "|---|---|---|---|---|"]
    subject = np.repeat(data["subject"], data["found"].shape[2])
    for measure, words in enumerate(MEASURES):
        values = data["near"][..., measure]  # (P, 2, V)
        edges = np.nanquantile(values, (1 / 3, 2 / 3))
        for kind, name in enumerate(KINDS[:2]):
            third = np.searchsorted(edges, values[:, kind].ravel())
            own = data["found"][:, keys.index(("bare", name))].ravel()
            cells = [
                f"{_share(own[third == k, None], subject[third == k], '.1f')}, {(third == k).sum()} views"
                for k in range(3)
            ]
            lines.append(f"| {words} | {name} | {' | '.join(cells)} |")
    return lines


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("stage", "compose", "judge", "table"))
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--pairs", type=int, default=96)
    parser.add_argument("--step", type=int, default=2, help="every which view is staged")
    parser.add_argument("--cache", type=Path, default=Path("out/.cache"))
    options = parser.parse_args()
    if options.what == "stage":
        from .swap_stage import stage

        stage(*options.folders, options.pairs, options.step, options.cache)
    elif options.what == "compose":
        from .swap_compose import compose

        compose(*options.folders)
    elif options.what == "judge":
        judge(*options.folders)
    else:
        print(table(*options.folders))


if __name__ == "__main__":
    main()
