"""Claims of a gate's preset, decided on one GPU in minutes: only what they name is trained, side by side, on a pack.

    mvhm pack out/gate --max-mib 40 --out gate.pack                            # where the release is
    python -m tests.benchmarks.gpu_claims gate.pack --out FOLDER --workers 12   # on the machine with the GPU

Trainings, arms and verdicts are the gate's own (docs/gate.md); nothing is validated, no fusion is trained. `--share`
shortens every stage, `--seeds` and `--claims` say how many trainings and which claims. It prints a table and writes
claims.json; what was finished is reused. Needs neither HDF5 nor Blender.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from baselines.gate.arms import fused_arms, single_arm, tensor
from baselines.gate.claims import ONE, Arm, Finding, judge
from baselines.gate.extras import extra_arms, train_extras
from baselines.gate.kept import Kept
from baselines.gate.run import preset_folder
from baselines.gate.runs import Runs, Training
from baselines.gate.settings import Extra, GateSettings, read_settings
from baselines.gate.tier2 import SPLIT, VIEWS, Trained
from baselines.train.ranks import choose_device
from rigging.errors import InputError
from rigging.files import file_sha256, write_atomic
from rigging.settings import nearest

CLAIMS = ("meshes help", "learning beats RANSAC")
EPOCHS = re.compile(r"^epochs = (\d+)$", re.MULTILINE)


def restricted(settings: GateSettings, names: Sequence[str], seeds: int) -> GateSettings:
    """The settings with the claims of these names alone, and the extras that they need. Raises InputError."""
    known = {claim.name: claim for claim in settings.claims}
    if strange := [name for name in names if name not in known]:
        raise InputError(f"--claims {strange[0]!r}: the preset has none of that name{nearest(strange[0], known)}")
    claims = tuple(known[name] for name in names)
    wanted = needed(settings.extras, {arm for claim in claims for arm in (claim.better, claim.worse)})
    extras = tuple(dataclasses.replace(one, seeds=0) for one in wanted)
    return dataclasses.replace(
        settings, claims=claims, extras=extras, tables=(), musts=(), seeds=seeds, extra_seeds=seeds
    )


def needed(extras: Sequence[Extra], names: set[str]) -> list[Extra]:
    """The extras of these names and all that they begin with, in their order."""
    wanted = set(names)
    for extra in reversed(extras):  # what one needs stands before it
        if extra.name in wanted:
            wanted |= set(extra.before)
    return [extra for extra in extras if extra.name in wanted]


def shortened(presets: Path, share: float, out: Path) -> Path:
    """A copy of a preset's folder in `out` whose stages have a `share` of their epochs, at least one."""
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted(presets.glob("*.toml")):
        text = EPOCHS.sub(lambda found: f"epochs = {max(1, round(share * int(found[1])))}", path.read_text("utf-8"))
        (out / path.name).write_text(text, "utf-8")
    return out


def decided(runs: Runs, settings: GateSettings) -> tuple[list[Finding], dict[str, Arm]]:
    """What the claims come to, and the arms that they name."""
    on = runs.release("train", ONE)
    singles = runs.train_all(
        [Training(f"{ONE}, seed {seed}", runs.config(ONE, seed), on) for seed in range(settings.seeds)]
    )
    folders = train_extras(runs, Trained(tuple(singles), {VIEWS[0]: ()}, ()), settings)
    tested, apart = ([runs.predict(run, runs.release(split)) for run in singles] for split in (SPLIT, "val"))
    arms = {ONE: single_arm(tested, "each view's own pose")}
    arms |= fused_arms(tested, apart, runs.config(ONE).data.size) | extra_arms(runs, folders, settings)
    subjects = tensor(tested[0], "subject")[:, 0].numpy()
    draws = [np.random.default_rng((settings.seed, number)) for number in range(len(settings.claims))]
    found = [judge(claim, arms, subjects, rng, settings.draws) for claim, rng in zip(settings.claims, draws)]
    named = {arm for claim in settings.claims for arm in (claim.better, claim.worse)}
    return found, {name: arm for name, arm in arms.items() if name in named}


def table(found: Sequence[Finding], arms: dict[str, Arm]) -> str:
    """Arms by seed, then claims with their intervals, in Markdown."""
    rows = ["| mm | mean | by seed |", "|---|---|---|"]
    for name, arm in arms.items():
        seeds = ", ".join(f"{error:.1f}" for error in arm.errors.mean(1))
        rows.append(f"| {name} | {arm.errors.mean():.1f} | {seeds} |")
    rows += ["", "| claim | difference, mm | verdict |", "|---|---|---|"]
    for one in found:
        interval = one.interval
        rows.append(
            f"| {one.claim.says} | {interval.mean:+.2f} ({interval.low:+.2f} to {interval.high:+.2f}) | {one.verdict} |"
        )
    return "\n".join(rows)


def as_json(found: Sequence[Finding], arms: dict[str, Arm], device: torch.device) -> dict[str, Any]:
    """The same for machines."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    return {
        "device": name, "torch": torch.__version__, "claims": [dataclasses.asdict(one) for one in found],
        "arms": {name: arm.errors.mean(1).tolist() for name, arm in arms.items()},
    }  # fmt: skip


def main() -> int:
    """Train, judge, print; 1 if a claim does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pack", type=Path, help="file that `mvhm pack` wrote, or a folder of shards")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs and the results")
    parser.add_argument("--preset", default="gate-short", help="gate-short, gate, .. or a folder (gate-short)")
    parser.add_argument("--tables", action="append", default=[], help="more lists, as `mvhm gate` has them")
    parser.add_argument("--claims", nargs="+", default=CLAIMS, metavar="NAME", help=f"default: {', '.join(CLAIMS)}")
    parser.add_argument("--seeds", type=int, default=3, help="of every training (3)")
    parser.add_argument("--share", type=float, default=1.0, help="of every stage's epochs (1)")
    parser.add_argument("--workers", type=int, default=1, help="trainings at a time (1)")
    parser.add_argument("--device", default="", help="default: the GPU")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    device, folder = choose_device(options.device), preset_folder(options.preset)
    torch.set_num_threads(1)
    settings = restricted(read_settings(folder, options.tables), options.claims, options.seeds)
    made_of = {"pack": file_sha256(options.pack) if options.pack.is_file() else str(options.pack)}
    presets = shortened(folder, options.share, options.out / "preset")
    runs = Runs(Kept(options.out / "runs", made_of), options.pack, presets, str(device), options.workers)
    found, arms = decided(runs, settings)
    write_atomic(options.out / "claims.json", (json.dumps(as_json(found, arms, device), indent=2) + "\n").encode())
    print(table(found, arms))
    return int(not all(one.holds for one in found))


if __name__ == "__main__":
    raise SystemExit(main())
