"""Training crops changed at random, on the device."""

from __future__ import annotations

import torch
from torch import Tensor

from ..batch import Batch
from ..config import Augment


def augmented(batch: Batch, alpha: Tensor | None, augment: Augment, generator: torch.Generator) -> Batch:
    """The crops changed as `augment` says; alpha (B, 1, S, S), 0 to 1."""
    return batch
