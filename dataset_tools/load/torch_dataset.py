"""HandDataset for PyTorch: the same dict, as tensors. The only module of the package that needs torch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .dataset import HandDataset, Paths


class TorchHandDataset:
    """A map-style data set for `torch.utils.data.DataLoader`, with workers started by fork or by spawn.

    Arguments as of HandDataset. Arrays become tensors of the same dtype and shape (`rgb` stays uint8: turn it to
    float on the GPU); numbers and strings of `meta` stay as they are. Raises ImportError where torch is missing.
    """

    def __init__(
        self,
        path: Paths,
        fields: Iterable[str] | None = None,
        views: Iterable[int] | None = None,
        verify: bool = True,
    ) -> None:
        try:
            import torch  # noqa: F401
        except ImportError:
            raise ImportError("TorchHandDataset needs PyTorch: pip install torch") from None
        self.hands = HandDataset(path, fields, views, verify)

    def __len__(self) -> int:
        return len(self.hands)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return _tensors(self.hands[index])


def _tensors(value: Any) -> Any:
    import torch

    if isinstance(value, dict):
        return {name: _tensors(item) for name, item in value.items()}
    if isinstance(value, (np.ndarray, np.generic)):
        return torch.from_numpy(np.ascontiguousarray(value)) if value.ndim else torch.tensor(value.item())
    return value
