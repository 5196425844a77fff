"""Shards as a source of batches, read by the loader; left hands are mirrored to right ones."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dataset_tools.load.transforms import mirror
from rigging.errors import InputError, MvhmError

from .source import BASIC_FIELDS, PER_SAMPLE, Arrays

if TYPE_CHECKING:
    from dataset_tools import HandDataset


class ShardSource:
    """Shards through HandDataset; each thread that reads has files of its own."""

    def __init__(self, path: Path | str, split: str = "", fields: Sequence[str] = BASIC_FIELDS) -> None:
        from dataset_tools import HandDataset
        from dataset_tools.load.fields import require_pinholes

        self.name = str(path)
        hands = HandDataset(path, fields=fields)
        require_pinholes(hands.lenses, path, "an estimator's camera", "data of pinhole cameras are wanted")
        hands = hands.select(split=split) if split else hands
        index = hands.index
        self.samples, self.views = len(hands), hands.sizes["V"]
        if not self.samples:
            raise InputError(f"{path}: holds no samples")
        self.configuration_hash = str(hands.attrs["configuration_hash"])
        self.image_size = (hands.sizes["H"], hands.sizes["W"])
        self.numbers, self.subjects, self.splits = index["sample"], index["subject"], index["split"]
        self._left = index["hand"] == "left"
        self.fields = frozenset(hands.fields)
        self._pickled, self._threads = pickle.dumps(hands), threading.local()

    def read(self, sample: int, views: Sequence[int] | None = None) -> Arrays:
        """See Source; of a left hand the mirror image, as estimators know right ones only."""
        arrays = self._stored(sample, views)
        return mirror(arrays, self.image_size[::-1]) if self._left[sample] else arrays

    def _stored(self, sample: int, views: Sequence[int] | None) -> Arrays:
        hands = self._own()
        try:
            if views is None or tuple(views) == tuple(range(self.views)):
                return hands[sample]
            items = hands.views_as_items()
            parts = [items[sample * self.views + view] for view in views]
        except MvhmError as error:
            raise type(error)(f"{error} (sample {self.numbers[sample]})") from error
        for part in parts:
            part.pop("meta", None)
        return {name: _joined([part[name] for part in parts], name) for name in parts[0]}

    def _own(self) -> HandDataset:
        if not hasattr(self._threads, "hands"):
            self._threads.hands = pickle.loads(self._pickled)
        return self._threads.hands

    def __getstate__(self) -> dict:
        return {name: value for name, value in self.__dict__.items() if name != "_threads"}

    def __setstate__(self, state: dict) -> None:
        self.__dict__ |= state
        self._threads = threading.local()


def _joined(parts: list[np.ndarray], name: str) -> np.ndarray:
    return parts[0] if name in PER_SAMPLE else np.stack(parts)
