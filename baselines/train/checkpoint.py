"""Weights and states as safetensors: written whole or not at all, read only into what they are of."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from rigging.errors import InputError
from rigging.files import write_atomic

from ..estimator import Estimator
from .optimise import Learning

VERSION = 1  # of what is in these files


@dataclass(frozen=True)
class Position:
    """How far a training is: `step` of `epoch` of `stage` is next, from 0."""

    stage: int = 0
    epoch: int = 0
    step: int = 0
    log: int = 0  # bytes of the log so far


@dataclass(frozen=True)
class State:
    """All that a training needs to go on as if it had not been interrupted; randomness follows from the position."""

    position: Position = Position()
    tensors: dict[str, Tensor] = field(default_factory=dict)  # "model.NAME", "average.NAME", "optimiser.NAME.KEY"

    def of(self, kind: str) -> dict[str, Tensor]:
        """The tensors of a kind, without it in their names."""
        return {name.partition(".")[2]: one for name, one in self.tensors.items() if name.startswith(f"{kind}.")}


def save_weights(path: Path, estimator: Estimator) -> None:
    """Write an estimator's parameters and buffers."""
    _write(path, estimator.state_dict(), {"format": "mvhm-weights", "estimator": estimator.name})


def save_state(path: Path, estimator: Estimator, position: Position, learning: Learning | None = None) -> None:
    """Write all that is needed to go on at `position`; between stages nothing is learning."""
    tensors = {f"model.{key}": one for key, one in estimator.state_dict().items()}
    if learning is not None:
        names = {one: key for key, one in estimator.named_parameters()}
        for one, values in learning.optimiser.state.items():
            tensors |= {f"optimiser.{names[one]}.{key}": value for key, value in values.items()}
        tensors |= {f"average.{key}": one for key, one in learning.average.tensors.items()}
        tensors["averaged"] = torch.tensor(learning.average.updates)
    where = {"estimator": estimator.name, "position": dataclasses.asdict(position)}
    _write(path, tensors, {"format": "mvhm-state"} | where)


def load_state(path: Path, name: str) -> State:
    """The state of a training of the estimator `name`. Raises InputError."""
    tensors, metadata = read(path, "mvhm-state", name)
    return State(Position(**metadata["position"]), tensors)


def restore(state: State, estimator: nn.Module, learning: Learning) -> None:
    """Give optimiser and average what the state holds of them; what it does not hold has not begun yet."""
    optimiser, average = learning.optimiser, learning.average
    saved, names = state.of("optimiser"), {one: key for key, one in estimator.named_parameters()}
    for one in (one for group in optimiser.param_groups for one in group["params"]):
        values = {key.rpartition(".")[2]: v for key, v in saved.items() if key.rpartition(".")[0] == names[one]}
        if values:
            optimiser.state[one] = {key: _like(value, key, one, optimiser) for key, value in values.items()}
    for key, value in state.of("average").items():
        average.tensors[key].copy_(value)
    average.updates = int(state.tensors.get("averaged", 0))


def fill(estimator: nn.Module, tensors: Mapping[str, Tensor], where: str) -> None:
    """Give an estimator all its weights. Raises InputError if they are those of another one or of other settings."""
    wanted = estimator.state_dict()
    for name in wanted.keys() | tensors.keys():
        there, here = (tuple(of[name].shape) if name in of else "missing" for of in (tensors, wanted))
        if there != here:
            raise InputError(f"{where}: weights of another estimator or settings: {name} is {there}, {here} is wanted")
    estimator.load_state_dict(tensors)


def read(path: Path, kind: str, name: str = "") -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and metadata of a file of ours, checked to be of a kind, estimator and version. Raises InputError."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = json.loads((file.metadata() or {}).get("mvhm", "{}"))
            tensors = {key: file.get_tensor(key) for key in list(file.keys())}
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path}: damaged, or not safetensors ({error})") from error
    if metadata.get("format") != kind:
        raise InputError(f"{path}: its format is {metadata.get('format')!r}, {kind!r} is wanted")
    if metadata.get("version") != VERSION:
        raise InputError(f"{path}: is of version {metadata.get('version')}, this mvhm reads version {VERSION}")
    if name and metadata.get("estimator") != name:
        raise InputError(f"{path}: is of the estimator {metadata.get('estimator')!r}, not of {name!r}")
    return tensors, metadata


def _write(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, Any]) -> None:
    copies = {name: one.detach().to("cpu", copy=True).contiguous() for name, one in tensors.items()}
    told = json.dumps(metadata | {"version": VERSION})  # in one text: safetensors writes several in any order
    write_atomic(path, save(copies, {"mvhm": told}))


def _like(value: Tensor, key: str, parameter: Tensor, optimiser: torch.optim.Optimizer) -> Tensor:
    """A saved tensor of an optimiser where and in the memory format in which the optimiser makes it."""
    if key != "step":
        return torch.empty_like(parameter, requires_grad=False).copy_(value)
    return value.to(parameter.device) if optimiser.defaults.get("fused") else value
