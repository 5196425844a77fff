"""What ran, besides the settings: the run.json of a run."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rigging.errors import InputError

from ..config import Config
from ..data.label_file import identity
from ..data.labels import PseudoLabelled
from ..data.source import Source
from ..estimator import Estimator
from .run_folder import RunFolder

Sources = Sequence[tuple[Source, float]]  # and the share of a batch that each gets


def record(
    config: Config,
    estimator: Estimator,
    sources: Sources,
    init: Path | str | None,
    device: torch.device,
    processes: int,
) -> dict[str, Any]:
    """Estimator, data, weights to begin from, machine and versions of packages."""
    return {
        "estimator": config.estimator,
        "parameters": sum(one.numel() for one in estimator.parameters()),
        "init": None if init is None else str(init),
        "data": [learnt_from(config, one) | {"weight": weight} for one, weight in sources],
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or "cpu",
        "processes": processes,
        "threads": torch.get_num_threads(),
        "packages": {"mvhm": _version("mvhm"), "torch": torch.__version__, "python": platform.python_version()},
    }


def learnt_from(config: Config, source: Source) -> dict[str, Any]:
    """A source, whose hands were learnt from, and by which labels, if not its own."""
    known = {"name": source.name, "samples": int(source.samples), "views": int(source.views)}
    subjects = np.unique(source.subjects[: config.data.samples or None]).tolist()
    known |= identity(source) | {"split": config.data.split, "subjects": subjects}
    return known | ({"labels": dict(source.labels.about)} if isinstance(source, PseudoLabelled) else {})


def check_labels(folder: RunFolder, sources: Sources) -> None:
    """Raise InputError unless the run in the folder learns from the labels that its sources now have."""
    there = json.loads(folder.about.read_text(encoding="utf-8"))["data"] if folder.about.is_file() else []
    here = [one.labels.about if isinstance(one, PseudoLabelled) else {} for one, _ in sources]
    for was, now in zip((row.get("labels", {}) for row in there), here):
        if was.get("sha256") != now.get("sha256"):
            told = was.get("path", "those of the data")
            raise InputError(f"--resume {folder.path}: that run learns from other labels: {told}")


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:  # run from a checkout
        return "not installed"
