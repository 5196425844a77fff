"""Schema, HDF5 shards, loader, checks and viewer: the only home of h5py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .load.dataset import HandDataset
    from .load.torch_dataset import TorchHandDataset

__all__ = ["HandDataset", "TorchHandDataset"]


def __getattr__(name: str) -> Any:
    """The two loaders, imported when first asked for: `import dataset_tools` alone loads nothing heavy."""
    if name == "HandDataset":
        from .load.dataset import HandDataset

        return HandDataset
    if name == "TorchHandDataset":
        from .load.torch_dataset import TorchHandDataset

        return TorchHandDataset
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
