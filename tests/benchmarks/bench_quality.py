"""Quality against time: PSNR of every case, and seconds of 8-view samples, at several samples per pixel, three ways."""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from itertools import zip_longest
from pathlib import Path

import numpy as np
from tqdm import tqdm

from .blenderproc_env import is_ready
from .cases import CASES, ita_of_cases, psnr
from .renderers import picture, start, timed_sample

_log = logging.getLogger(__name__)

LADDERS = {"ours": (1, 2, 3, 4, 6, 8, 12, 16, 32), "typical": (1, 2, 4, 8), "blenderproc": (1, 2, 4, 8)}
REFERENCE_SAMPLES, CHECK_SAMPLES = 1024, 128
TIMED = (1, 7, 6)  # cases: light, medium and dark skin


def process(kind: str, folder: Path) -> ProcessPoolExecutor:
    """A process that renders as `kind`."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(1, mp_context=context, initializer=start, initargs=(kind, folder))


def ways(folder: Path) -> list[str]:
    """What can be measured here: BlenderProc only if its environment is in `folder`."""
    if is_ready(folder / "blenderproc"):
        return list(LADDERS)
    _log.warning("BlenderProc is NOT measured; python -m tests.benchmarks.blenderproc_env %s", folder / "blenderproc")
    return [kind for kind in LADDERS if kind != "blenderproc"]


def references(folder: Path) -> list[np.ndarray]:
    """One view of every case at 1024 samples per pixel, without a denoiser; kept in `folder`."""
    path = folder / f"references-{REFERENCE_SAMPLES}.npz"
    if not path.exists():
        with process("reference", folder) as pool:
            bar = tqdm(range(CASES), desc=f"references at {REFERENCE_SAMPLES} samples", unit="view")
            made = [pool.submit(picture, case, REFERENCE_SAMPLES).result() for case in bar]
        np.savez_compressed(path, pictures=np.stack(made))
    return list(np.load(path)["pictures"])


def rungs(kinds: list[str], ladders: dict[str, tuple[int, ...]]) -> list[tuple[str, int]]:
    """The ways and their samples per pixel, the ways taking turns, from few samples to many."""
    steps = zip_longest(*([(kind, samples) for samples in ladders[kind]] for kind in kinds))
    return [rung for step in steps for rung in step if rung is not None]


def measure(folder: Path, cases: int = CASES, ladders: dict[str, tuple[int, ...]] | None = None) -> dict:
    """PSNR and seconds of every way; with fewer `cases` or `ladders` a quick look.

    psnr and seconds: way: samples per pixel: a list over the cases, or over those of TIMED (numbers of `timed_sample`).
    """
    expected, kinds = references(folder)[:cases], ways(folder)
    todo = rungs(kinds, ladders or LADDERS)
    found = {"ita": ita_of_cases(folder)[:cases], "psnr": {k: {} for k in kinds}, "seconds": {k: {} for k in kinds}}
    with ExitStack() as stack:
        pools = {kind: stack.enter_context(process(kind, folder)) for kind in kinds}
        for kind, samples in tqdm(todo, desc="quality", unit="rung"):
            made = [pools[kind].submit(picture, case, samples).result() for case in range(cases)]
            found["psnr"][kind][str(samples)] = [psnr(*pair) for pair in zip(made, expected)]
        for kind, samples in tqdm(todo, desc="time", unit="rung"):
            times = [pools[kind].submit(timed_sample, case, samples).result() for case in TIMED]
            found["seconds"][kind][str(samples)] = times
        if "blenderproc" in pools:
            found["blenderproc_check"] = check(pools["blenderproc"], expected)
    return found


def check(pool: ProcessPoolExecutor, expected: list[np.ndarray]) -> dict:
    """Whether BlenderProc makes the same pictures: PSNR of the TIMED cases with little noise left."""
    cases = [case for case in TIMED if case < len(expected)]
    made = [pool.submit(picture, case, CHECK_SAMPLES).result() for case in cases]
    found = [psnr(one, expected[case]) for one, case in zip(made, cases)]
    return {"samples_per_pixel": CHECK_SAMPLES, "psnr": found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("out/bench"))
    parser.add_argument("--quick", action="store_true", help="four cases and few samples per pixel, to try it out")
    options = parser.parse_args()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    quick = {"cases": 4, "ladders": {kind: ladder[:2] for kind, ladder in LADDERS.items()}} if options.quick else {}
    sys.stdout.write(json.dumps(measure(folder, **quick)))


if __name__ == "__main__":
    main()
