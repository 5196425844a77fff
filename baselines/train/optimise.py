"""What learns in a stage, how its weights change, and their moving average."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rigging.errors import InputError
from rigging.settings import nearest

from ..config import Stage


def learn(estimator: nn.Module, stage: Stage) -> None:
    """Let the parts that the stage names learn, and freeze the rest: eval mode, no gradients. Raises InputError."""
    parts = {name for name, _ in estimator.named_modules() if name}
    if unknown := [name for name in stage.learns if name not in parts]:
        children = [name for name, _ in estimator.named_children()]
        raise InputError(f"stage {stage.name!r}: there is no part {unknown[0]!r}{nearest(unknown[0], children)}")
    estimator.eval().requires_grad_(False)
    for name in stage.learns:
        estimator.get_submodule(name).train().requires_grad_(True)


@dataclass(frozen=True)
class Learning:
    """What changes the weights of a stage."""

    parameters: list[nn.Parameter]
    optimiser: torch.optim.Optimizer
    average: Average


def start_learning(estimator: nn.Module, stage: Stage, decay: float) -> Learning:
    """Let the stage's parts learn; `decay` is that of the average."""
    learn(estimator, stage)
    parameters = list(_learning(estimator).values())
    return Learning(parameters, make_optimiser(parameters, stage), Average(estimator, decay))


def make_optimiser(parameters: list[nn.Parameter], stage: Stage) -> torch.optim.Optimizer:
    """The stage's optimiser. Weight decay spares what has one axis: biases and norms."""
    decayed = {"params": [one for one in parameters if one.ndim >= 2], "weight_decay": stage.weight_decay}
    spared = {"params": [one for one in parameters if one.ndim < 2], "weight_decay": 0.0}
    groups = [group for group in (decayed, spared) if group["params"]]
    if stage.optimiser == "rmsprop":
        return torch.optim.RMSprop(groups, lr=stage.lr, alpha=0.99)
    kind = torch.optim.AdamW if stage.optimiser == "adamw" else torch.optim.Adam
    return kind(groups, lr=stage.lr, fused=parameters[0].is_cuda or None)


def learning_rate(stage: Stage, step: int, steps: int) -> float:
    """The rate of step `step` of `steps` (from 0): a linear warm-up, then constant or half a cosine down to 0."""
    if step < stage.warmup:
        return stage.lr * (step + 1) / (stage.warmup + 1)
    if stage.schedule == "constant":
        return stage.lr
    share = (step - stage.warmup) / max(steps - stage.warmup, 1)
    return stage.lr * 0.5 * (1 + math.cos(math.pi * share))


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Let the next step be taken with this learning rate."""
    for group in optimiser.param_groups:
        group["lr"] = rate


class Average:
    """Exponential moving average of the weights and running statistics of the parts that learn.

    The decay grows from 0.1 towards `decay` with the number of updates, min(decay, (1 + n) / (10 + n)), so that the
    random weights of the beginning are forgotten soon. A decay of 0 averages nothing and keeps nothing.
    """

    def __init__(self, estimator: nn.Module, decay: float) -> None:
        self.decay, self.updates = decay, 0
        self._live = _averaged(estimator) if decay else {}
        self.tensors = {name: tensor.detach().clone() for name, tensor in self._live.items()}

    @torch.no_grad()
    def update(self) -> None:
        """Take the present weights in."""
        if self.tensors:
            decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
            torch._foreach_lerp_(list(self.tensors.values()), list(self._live.values()), 1 - decay)
            self.updates += 1

    @torch.no_grad()
    def apply(self) -> None:
        """Give the averages to the estimator."""
        for name, tensor in self.tensors.items():
            self._live[name].copy_(tensor)


def _averaged(estimator: nn.Module) -> dict[str, Tensor]:
    """Parameters that learn, and the floating buffers of modules in training, by name."""
    found: dict[str, Tensor] = dict(_learning(estimator))
    for prefix, module in estimator.named_modules():
        if module.training:
            buffers = module.named_buffers(prefix, recurse=False)
            found |= {name: one for name, one in buffers if one.is_floating_point()}
    return found


def _learning(estimator: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that learn, by name."""
    return {name: one for name, one in estimator.named_parameters() if one.requires_grad}
