"""The loader: shards as a sequence of dicts of numpy arrays."""

from __future__ import annotations

import json
import operator
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from rigging.errors import InputError

from ..format.schema import METADATA
from ..store.errors import ShardError
from ..store.layout import ReleaseFolder
from ..store.names import shard_number
from .clips import as_python, clip_bounds, stack
from .derive import Derivation, stored_names
from .fields import choose_fields, choose_views
from .index import SampleIndex, build_index, index_of
from .select import Where, matching
from .shard_set import Paths, ShardSet, find_shards

__all__ = ["HandDataset", "Paths", "find_shards", "outward"]

META = frozenset(field.name for field in METADATA)
JSON_ATTRS = ("configuration", "package_versions")
ITEMS = ("sample", "view", "clip")


class HandDataset:
    """Samples of one or more shards: `HandDataset(path)[i]` is a dict of arrays (all of them in docs/format.md).

    `path` is a shard, a folder of shards, or a list of shards. `fields` are names of the schema, "meta" for all
    metadata (default: everything but `amodal_mask`, which takes longest); `views` are indices of cameras (default:
    all): only what is chosen is read and decoded. Metadata comes as the dict `sample["meta"]`; index -1 is the last
    sample, a slice gives a list. `attrs` (release, configuration, licence, ...), faces and names are those of the first
    shard, and all shards agree in them.

    With `items="view"` an item is one view of one sample, views of a sample in a row: arrays without the axis of views,
    what belongs to the sample as it is, and the camera's index as `meta["view"]`. With `items="clip"` it is a pair or
    clip, of those of its samples that are chosen: arrays (T, ...), numbers of the metadata (T,) and its texts in lists.

    Whatever is read is compared with its checksum, and a shard of schema version 1 with its manifest, once, when it is
    opened; `verify=False` does neither. Files open when first read, once per process, so a dataset can be pickled and
    used after fork or spawn. Raises FileNotFoundError; ShardError for a file that cannot be read, and for a foreign,
    damaged or newer one; InputError (a ValueError) for unknown fields, views or items.
    """

    def __init__(
        self,
        path: Paths,
        fields: Iterable[str] | None = None,
        views: Iterable[int] | None = None,
        items: str = "sample",
        verify: bool = True,
    ) -> None:
        if items not in ITEMS:
            raise InputError(f"items: {', '.join(map(repr, ITEMS))} are allowed, got {items!r}")
        self._shards = ShardSet(path, verify)
        self._chosen: np.ndarray | None = None  # (n,) positions in all samples, rising; None: all
        self._index: SampleIndex | None = None
        self._bounds: np.ndarray | None = None  # (C + 1,) of clips in the chosen samples, once they are asked for
        self.items = items
        strange = self._shards.strange  # fields of these files alone, and where they lie in them
        meta = META.union(name for name, place in strange.items() if place.startswith("metadata/"))
        self.fields = choose_fields(fields, tuple(strange), meta)
        self.views = choose_views(views, self.sizes["V"])
        self._stored = stored_names(self.fields, strange)
        self._arrays = tuple(name for name in self.fields if name not in meta)
        self._columns = tuple(name for name in self.fields if name in meta)  # of the metadata
        self.faces: np.ndarray = self._shards.shared["shard/faces"]  # (F, 3) int32
        self.face_part: np.ndarray = self._shards.shared["shard/face_part"]  # (F,) uint8, index into part_names
        self.arm_faces: np.ndarray = self._shards.shared["shard/arm_faces"]  # (B, 3) int32
        self._derivation = Derivation(self.faces, (self.sizes["H"], self.sizes["W"]))
        self.attrs = self._shards.attrs | {name: _parsed(self._shards, name) for name in JSON_ATTRS}
        self.joint_names = tuple(self.attrs["joint_names"])
        self.joint_parents = tuple(self.attrs["joint_parents"])
        self.part_names = tuple(self.attrs["part_names"])

    @property
    def paths(self) -> tuple[Path, ...]:
        """The shards, also those of which no sample is chosen."""
        return self._shards.paths

    @property
    def sizes(self) -> dict[str, int]:
        """The letters of the schema's shapes and their values; V counts all views, chosen or not."""
        return self._shards.sizes

    @property
    def lenses(self) -> bool:
        """Whether its cameras have lenses that distort (the field `distortion`)."""
        return "distortion" in self._shards.strange

    @property
    def index(self) -> SampleIndex:
        """A row for every sample of this data set (not for every view), without opening shards where it can be."""
        if self._index is None:
            self._index = _index(self._shards)
        return self._index if self._chosen is None else self._index.take(self._chosen)

    @property
    def shard_lengths(self) -> np.ndarray:
        """(S,) items in each shard; items of a shard follow each other."""
        shards = len(self._shards.counts)
        if self.items == "clip":
            return np.bincount(self._shard_of_samples()[self._clips()[:-1]], minlength=shards)
        if self._chosen is None:
            return np.array(self._shards.counts) * self._items_per_sample()
        return np.bincount(self._shard_of_samples(), minlength=shards) * self._items_per_sample()

    def _shard_of_samples(self) -> np.ndarray:
        """(n,) which of the shards each chosen sample is in."""
        chosen = np.arange(len(self._shards)) if self._chosen is None else self._chosen
        return np.searchsorted(np.cumsum(self._shards.counts), chosen, side="right")

    def _clips(self) -> np.ndarray:
        """(C + 1,) first of the chosen samples of each clip, and their number."""
        if self._bounds is None:
            self._bounds = clip_bounds(self._shard_of_samples(), self.index["pair"])
        return self._bounds

    def select(
        self,
        split: str | Iterable[str] | None = None,
        subject: int | Iterable[int] | None = None,
        where: Where | None = None,
    ) -> HandDataset:
        """The data set of those samples that meet all conditions, in the same order; see docs/loader.md.

        `where` is a function of the index's columns that returns a mask, or a dict of columns with, for each, a value,
        several, or a function of it. Selections can follow each other. Raises InputError for an unknown column, or a
        split, subject or other value that no sample of the release has.
        """
        mask = matching(self.index, split, subject, where, among=self._index)
        chosen = np.arange(len(self._shards)) if self._chosen is None else self._chosen
        return self._with(_chosen=chosen[mask], _bounds=None)

    def views_as_items(self) -> HandDataset:
        """The same samples, one view an item."""
        return self._with(items="view")

    def clips_as_items(self) -> HandDataset:
        """The same samples, those of one pair or clip an item."""
        return self._with(items="clip")

    def _with(self, **changes: Any) -> HandDataset:
        other = object.__new__(type(self))
        other.__dict__ |= self.__dict__ | changes
        return other

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_index": None}

    def __len__(self) -> int:
        return len(self._clips()) - 1 if self.items == "clip" else self._samples() * self._items_per_sample()

    def _samples(self) -> int:
        return len(self._shards) if self._chosen is None else len(self._chosen)

    def _items_per_sample(self) -> int:
        """Items that a sample makes, unless they are clips."""
        if self.items == "sample":
            return 1
        return self.sizes["V"] if self.views is None else len(self.views)

    def __getitem__(self, index: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        """Item `index`, a dict of arrays. Raises IndexError outside the data set."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        position, view = self._position(index)
        if self.items != "clip":
            return self._read(position, view)
        first, end = self._clips()[position : position + 2].tolist()
        return stack([self._read(self._chosen_sample(sample), None) for sample in range(first, end)])

    def _read(self, position: int, view: int | None) -> dict[str, Any]:
        """The sample at `position` among all samples; one view of it, if not None."""
        path, row = self._shards.locate(position)
        views = self.views if view is None else (view,)
        values = self._shards.open(path).read(row, self._stored, views)
        sample = {name: self._derivation.field(name, values) for name in self._arrays}
        meta = {name: as_python(values[name]) for name in self._columns}
        if view is not None:
            sample = {name: value[0] if self._shards.per_view(name) else value for name, value in sample.items()}
            meta["view"] = view
        return sample | ({"meta": meta} if meta else {})

    def locate(self, index: int) -> tuple[Path, int]:
        """The shard that holds item `index`, and the row of its (first) sample in it."""
        position = self._position(index)[0]
        return self._shards.locate(self._chosen_sample(self._clips()[position]) if self.items == "clip" else position)

    def _position(self, index: int) -> tuple[int, int | None]:
        """Where item `index` is among all samples, and its camera if items are views; of a clip, which one it is."""
        number, count = operator.index(index), len(self)
        if not -count <= number < count:
            raise IndexError(f"{self.items} {number} of a data set of {count}")
        number %= count
        if self.items == "clip":
            return number, None
        if self.items == "sample":
            return self._chosen_sample(number), None
        sample, view = divmod(number, self._items_per_sample())
        return self._chosen_sample(sample), view if self.views is None else self.views[view]

    def _chosen_sample(self, number: int) -> int:
        """Where chosen sample `number` is among all samples."""
        return number if self._chosen is None else int(self._chosen[number])

    def close(self) -> None:
        """Close all files; the next read opens them again."""
        self._shards.close()


def _index(shards: ShardSet) -> SampleIndex:
    """A row for every sample of the shards, in their order: the folder's index, or one built of the shards named.

    Raises InputError for a folder's index that does not fit its shards.
    """
    if shards.folder is None:
        return build_index(shards.paths)
    index = index_of(shards.folder)
    numbers = [shard_number(path) for path in shards.paths]
    index = index.take(np.isin(index["shard"], numbers))  # of a part of a release, the part
    rows = np.concatenate([np.arange(count) for count in shards.counts])
    if len(index) != len(rows) or (index["row"] != rows).any() or (
        index["shard"] != np.repeat(numbers, shards.counts)
    ).any():  # fmt: skip
        raise InputError(f"{ReleaseFolder(shards.folder).index}: does not fit the shards beside it; fetch both again")
    return index


def outward(faces: np.ndarray, hand: str) -> np.ndarray:
    """Faces (F, 3) in the order that is counter-clockwise from outside, for a "right" or a (mirrored) "left" hand."""
    return faces if hand == "right" else np.ascontiguousarray(faces[:, ::-1])


def _parsed(shards: ShardSet, name: str) -> Any:
    try:
        return json.loads(shards.attrs[name])
    except (KeyError, ValueError, TypeError):
        raise ShardError(f"{shards.paths[0]}: {name} is damaged or missing (not JSON)") from None
