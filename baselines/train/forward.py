"""A network applied to a batch: in bf16 where that is asked for, with answers in float32."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch
from torch import nn

from ..batch import Batch
from ..config import Training
from ..estimator import Output
from .cached import CachedBatch


def place(estimator: nn.Module, device: torch.device, training: Training) -> None:
    """Move an estimator to the device, weights of its convolutions on pictures channels last if that is asked for."""
    estimator.to(device)
    for one in estimator.parameters():
        if training.channels_last and one.ndim == 4:  # those on volumes have a format of their own
            one.data = one.data.contiguous(memory_format=torch.channels_last)


def forward(
    network: Callable[..., Output], batch: Batch, training: Training, wanted: frozenset[str] | None = None
) -> Output:
    """What an estimator (or what torch.compile made of it) says of a batch; what is in numbers comes as float32."""
    extra = {"precomputed": batch.precomputed} if isinstance(batch, CachedBatch) else {}
    if training.channels_last and not extra:
        batch = dataclasses.replace(batch, rgb=batch.rgb.contiguous(memory_format=torch.channels_last))
    with torch.autocast(batch.rgb.device.type, torch.bfloat16, enabled=training.precision == "bf16"):
        output = network(batch, wanted, **extra)
    return {name: one.float() if one.is_floating_point() else one for name, one in output.items()}
