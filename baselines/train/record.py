"""What ran, besides the settings: the run.json of a run."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..config import Config
from ..data.label_file import identity
from ..data.labels import PseudoLabelled
from ..data.source import Source
from ..estimator import Estimator

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


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:  # run from a checkout
        return "not installed"
