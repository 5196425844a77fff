"""The gate from top to bottom: four tiers, a report. What an interrupted run had finished is reused."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from dataset_tools.load.dataset import HandDataset
from dataset_tools.load.fields import require_pinholes
from dataset_tools.progress import Progress
from dataset_tools.release.hashes import hash_files
from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.release_manifest import data_hash
from rigging.errors import InputError
from rigging.files import write_atomic
from rigging.settings import from_table, nearest

from ..config import PRESETS
from ..data.opening import open_source
from ..data.source import require, wanted_fields
from ..registry import estimator_class
from ..train.ranks import choose_device, cores
from .across import across_sets
from .extras import extra_arms, tables_of, train_extras
from .kept import Kept
from .real import RealSet, real_rows
from .report import About, GateReport
from .runs import OtherData, Runs
from .settings import GateSettings, read_settings
from .tier0 import Tier0, tier0
from .tier1 import overfitted_all
from .tier2 import SPLIT, Trained, arms_of, tier2, train_all
from .tier3 import Tier3, scores_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """What is to be judged, and how."""

    data: Path  # the release: a folder of shards
    preset: str = "nano"  # a name in presets/, or a folder with gate.toml and an estimator's each
    out: Path = Path("out")
    real: tuple[RealSet, ...] = ()  # the user's own
    other: Path | None = None  # data of another look, to fine-tune on
    device: str = ""
    workers: int = 0  # processes that validate, and on the CPU train; 0: one a core
    keep_going: bool = False  # train, too, on what did not validate
    tables: tuple[str, ...] = ()  # more lists of trainings, claims and tables: names in presets/, or TOML files


@dataclass(frozen=True)
class Gated:
    """A report, the runs that it is of, and the trained estimators if it came to that."""

    report: GateReport
    runs: Runs
    trained: Trained | None = None


def gate(request: Request) -> Gated:
    """Judge a release. Raises InputError for what is no release or preset, and what validation and training raise."""
    if choose_device(request.device).type == "cpu":
        torch.set_num_threads(1)  # see trainings_at_a_time
    settings = read_settings(preset_folder(request.preset), request.tables)
    other = other_data(request.other, settings) if request.other else None
    about = dataclasses.replace(look_at(request), other=other.name if other else "")
    kept = kept_in(request, about, settings)
    with kept.alone():
        presets, processes = preset_folder(request.preset), trainings_at_a_time(request)
        runs = Runs(kept, request.data, presets, request.device, processes, other)
        return judged(request, settings, about, runs)


def judged(request: Request, settings: GateSettings, about: About, runs: Runs) -> Gated:
    """The four tiers."""
    kept = runs.kept
    labels = labels_of(request, settings, kept)
    report = GateReport(about, labels, seconds=kept.seconds)
    if about.lacking or (labels.problems and not request.keep_going):
        return Gated(report, runs)
    by_heart = overfitted_all(runs, settings)
    trained = train_all(runs, settings)
    extras = train_extras(runs, trained, settings)
    arms, subjects = arms_of(runs, trained, settings)
    arms |= extra_arms(runs, extras, settings)
    ranks = tier2(arms, subjects, settings.seed, settings.draws, settings.own_claims)
    tables = tables_of(runs, extras, settings)
    seen = across_sets(runs, request.real, extras)
    scores = Tier3(scores_of(runs, trained), real_rows(runs, request.real), seen)
    return Gated(dataclasses.replace(report, tier1=by_heart, tier2=ranks, tables=tables, tier3=scores), runs, trained)


def labels_of(request: Request, settings: GateSettings, kept: Kept) -> Tier0:
    """Tier 0, kept as JSON."""
    workers = request.workers or cores()

    def make(place: Path) -> None:
        found = tier0(request.data, settings.mutated, settings.seed, workers, kept.folder)
        known = {name: value for name, value in dataclasses.asdict(found).items() if value is not None}
        write_atomic(place, json.dumps(known).encode())

    place = kept.once("tier 0", {"mutated": settings.mutated, "seed": settings.seed}, make, ".json")
    return from_table(Tier0, json.loads(place.read_bytes()), str(place))


def look_at(request: Request) -> About:
    """What the release is: its names and the hash of every byte of its shards. Raises InputError."""
    folder = ReleaseFolder(request.data)
    if not request.data.is_dir() or not folder.shards():
        raise InputError(f"{request.data}: no release; a folder of shards is wanted (a pack cannot be validated)")
    shards, hands = [folder.shard(number) for number in folder.shards()], HandDataset(request.data)
    require_pinholes(hands.lenses, request.data, "an estimator's camera", "data of pinhole cameras are wanted")
    return About(
        release=str(hands.attrs["release"]), configuration_hash=str(hands.attrs["configuration_hash"]),
        data_hash=hash_of(shards), splits=counted(hands.index["split"]), preset=Path(request.preset).name,
        mvhm=importlib.metadata.version("mvhm"), torch=torch.__version__, device=_device(request.device),
    )  # fmt: skip


def other_data(path: Path, settings: GateSettings) -> OtherData:
    """Data of another look, named by their bytes. Raises InputError for what cannot train, FileNotFoundError."""
    trained = [estimator_class(extra.estimator) for extra in settings.extras if extra.on == "other"]
    needed = dict.fromkeys(name for cls in trained for name in cls.fields)
    for split in ("train", SPLIT):
        require(open_source(path, split, wanted_fields(needed)), needed)
    folder = ReleaseFolder(path)
    files = [folder.shard(number) for number in folder.shards()] if path.is_dir() else [path]
    return OtherData(path, f"other {hash_of(files)[:12]}")


def counted(splits: np.ndarray) -> dict[str, int]:
    """How many samples each split has; splits (n,) str."""
    names, counts = np.unique(splits, return_counts=True)
    return dict(zip(names.tolist(), counts.tolist()))


def hash_of(paths: Sequence[Path]) -> str:
    """The hash that names the data, of a release's shards as they are now."""
    with Progress("checksums", sum(path.stat().st_size for path in paths), "B") as progress:
        found = hash_files(paths, progress.add)
    for value in found.values():
        if isinstance(value, OSError):
            raise value
    return data_hash({path.name: digest for path, digest in found.items()})


def kept_in(request: Request, about: About, settings: GateSettings) -> Kept:
    """Where finished parts lie: OUT/gates/RELEASE-PRESET/runs."""
    of = {"data": about.data_hash, "mvhm": about.mvhm}
    return Kept(report_folder(request, about) / "runs", of)


def report_folder(request: Request, about: About) -> Path:
    """Where the report goes."""
    return request.out / "gates" / f"{about.release}-{about.preset}"


def preset_folder(preset: str) -> Path:
    """The folder of a preset. Raises InputError."""
    folder = Path(preset) if Path(preset).is_dir() else PRESETS / preset
    known = sorted(path.parent.name for path in PRESETS.glob("*/gate.toml"))
    if "/" not in preset and preset not in known and not Path(preset).is_dir():
        raise InputError(f"--preset {preset}: no preset is called so{nearest(preset, known)}")
    if not (folder / "gate.toml").is_file():
        raise InputError(f"--preset {preset}: a folder with gate.toml and a file of each estimator is wanted")
    return folder


def trainings_at_a_time(request: Request) -> int:
    """How many trainings run at a time: small networks train faster on one core each than one on several.

    On a GPU, whose memory they share, several only where that is asked for.
    """
    return request.workers or (1 if choose_device(request.device).type == "cuda" else cores())


def _device(name: str) -> str:
    device = choose_device(name)
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
