"""HandDataset for PyTorch: the same dict, as tensors. The only module of the package that needs torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .dataset import HandDataset, Paths


class TorchHandDataset:
    """A map-style data set for `torch.utils.data.DataLoader`, with workers started by fork or by spawn.

    Arguments as of HandDataset; or a HandDataset, some of whose samples are selected, say. `transform` changes the dict
    of arrays before it turns into tensors (`load.transforms.crop` and the like). Arrays become tensors of the same
    dtype and shape (`rgb` stays uint8: turn it to float on the GPU); numbers and strings of `meta` stay as they are.
    Raises ImportError where torch is missing.
    """

    def __init__(
        self,
        path: Paths | HandDataset,
        fields: Iterable[str] | None = None,
        views: Iterable[int] | None = None,
        items: str = "sample",
        transform: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
        verify: bool = True,
    ) -> None:
        try:
            import torch  # noqa: F401
        except ImportError:
            raise ImportError("TorchHandDataset needs PyTorch: pip install torch") from None
        self.hands = path if isinstance(path, HandDataset) else HandDataset(path, fields, views, items, verify)
        self.transform = transform

    @property
    def shard_lengths(self) -> np.ndarray:
        """(S,) items in each shard, for a sampler."""
        return self.hands.shard_lengths

    def select(self, **conditions: Any) -> TorchHandDataset:
        """The data set of the samples that meet all conditions: see `HandDataset.select`."""
        return TorchHandDataset(self.hands.select(**conditions), transform=self.transform)

    def views_as_items(self) -> TorchHandDataset:
        """The same samples, one view an item."""
        return TorchHandDataset(self.hands.views_as_items(), transform=self.transform)

    def clips_as_items(self) -> TorchHandDataset:
        """The same samples, those of one pair or clip an item."""
        return TorchHandDataset(self.hands.clips_as_items(), transform=self.transform)

    def __len__(self) -> int:
        return len(self.hands)

    def __getitem__(self, index: int) -> dict[str, Any]:
        sample = self.hands[index]
        return _tensors(self.transform(sample) if self.transform else sample)


def _tensors(value: Any) -> Any:
    import torch

    if isinstance(value, dict):
        return {name: _tensors(item) for name, item in value.items()}
    if isinstance(value, (np.ndarray, np.generic)):
        return torch.from_numpy(np.ascontiguousarray(value)) if value.ndim else torch.tensor(value.item())
    return value
