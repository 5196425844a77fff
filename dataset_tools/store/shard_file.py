"""One shard, open for reading: rows of chosen fields and views, as the file says that they are stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from ..format.codecs import Codec
from ..format.elements import ATTRIBUTE, Element, UnknownEncodingError
from ..format.schema import LONG
from ..format.schema1 import ELEMENTS as SCHEMA_1
from .checksums import Checksums
from .datasets import Datasets
from .errors import ShardError
from .header import attribute, explained, read_attributes, read_checksums, require_version
from .opening import cause_of, open_hdf5
from .recycled import Recycled
from .whole_file import Stamp, require_whole

GROUPS = ("images", "geometry", "metadata")  # of a sample's fields
UNREADABLE = (OSError, KeyError, ValueError, RuntimeError, TypeError, IndexError, MemoryError, OverflowError, cv2.error)


class Found(NamedTuple):
    """A field of a sample: where it lies, what the file says of it, and what follows from that."""

    path: str
    element: Element
    codec: Codec
    parts: tuple[str, ...]  # of the codec, each a dataset that is read for a sample
    shape: tuple[int, ...]  # of a decoded row, all views
    dtype: np.dtype


class ShardFile:
    """A shard by its path. Raises FileNotFoundError or ShardError (one line: foreign, truncated, newer schema, ...).

    Whatever is read is compared with its checksum; a file of version 1, which has none, with its manifest when it is
    opened. `verify=False` does neither. `known` are files of version 1 found whole before: see `require_whole`.
    Large arrays are of memory of `recycled`.
    """

    def __init__(
        self, path: Path | str, verify: bool = True, known: set[Stamp] | None = None, recycled: Recycled | None = None
    ) -> None:
        self.path, self._recycled = Path(path), recycled or Recycled()
        self._file = open_hdf5(self.path)
        self._sums: Checksums | None = None
        self._elements: dict[str, Found] = {}
        try:
            with self._told("its head"):
                self._version = require_version(self._file, self.path)
                if self._version == 1:
                    self._open_1(verify, set() if known is None else known)
                else:
                    self._open_2(verify)
        except BaseException:
            self._file.close()
            raise

    def _open_1(self, verify: bool, known: set[Stamp]) -> None:
        if verify:
            require_whole(self.path, known)
        self._take(dict(self._file.attrs))

    def _open_2(self, verify: bool) -> None:
        attributes = read_attributes(self._file)
        if verify:
            self._sums = read_checksums(self._file, attributes, self.path.stat().st_size)
        self._take(attributes)
        self._groups = tuple(group for group in GROUPS if self._file.id.links.exists(group.encode()))

    def _take(self, attributes: dict[str, Any]) -> None:
        self._head = explained(attributes)
        self.sizes: dict[str, int] = self._head["sizes"]
        self._size = self.sizes["H"], self.sizes["W"]
        size = self.path.stat().st_size
        self._datasets = Datasets(self._file, len(self), self.sizes, size, self._sums, self._recycled)

    @cached_property
    def attrs(self) -> dict[str, Any]:
        """The shard's own fields that are no arrays, and what explains the arrays. Raises ShardError."""
        texts = () if self._version == 1 else LONG
        with self._told("its attributes"):
            return self._head | {name: self.array(f"shard/{name}").item().decode() for name in texts}

    def __len__(self) -> int:
        return int(self._head["samples"])

    def __enter__(self) -> ShardFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._datasets.close()
        self._file.close()

    def fields(self) -> dict[str, str]:
        """The stored fields of a sample, also those that this package does not know, and where they lie in the file."""
        if self._version == 1:
            return {path.split("/")[1]: path for path in SCHEMA_1 if path.split("/")[0] in GROUPS}
        with self._told("its list of fields"):
            return {name: f"{group}/{name}" for group in self._groups for name in self._file[group]}

    def element(self, name: str) -> tuple[str, Element]:
        """Where a field of a sample lies in the file, and what the file says of it. Raises ShardError."""
        with self._told(name):
            return self._found(name)[:2]

    def array(self, path: str) -> np.ndarray:
        """A whole dataset (...), by its path in the file. Raises ShardError where it is damaged or missing."""
        with self._told(path):
            if not path.startswith("shard/"):
                return self._datasets.column(path)
            return self._datasets.once(path, b"" if self._version == 1 else self._encoding(path))

    def read(self, row: int, names: Iterable[str], views: Sequence[int] | None = None) -> dict[str, Any]:
        """Stored fields of one sample; of the chosen views only (None: all).

        Raises ShardError for what is damaged, missing, or encoded as this package does not know; IndexError.
        """
        if not 0 <= row < len(self):
            raise IndexError(f"{self.path}: row {row} of a shard of {len(self)} samples")
        out, name = {}, ""
        try:
            for name in names:
                out[name] = self._field(row, name, views)
        except (UnknownEncodingError, *UNREADABLE) as error:
            raise self._fault(f"{name} of sample {row}", error) from None
        return out

    def streams(self, row: int) -> tuple[bytes, ...]:
        """The colour streams of a sample, one a view, as stored. Raises ShardError."""
        with self._told(f"rgb of sample {row}"):
            return tuple(self._datasets.streams("images/rgb/jpeg", row, None))

    def chunks(self, path: str, row: int) -> tuple[tuple[int, bytes], ...]:
        """The chunks of a code of a sample, one a view, as stored: mask of skipped filters, bytes."""
        with self._told(f"{path} of sample {row}"):
            return tuple(self._datasets.chunks(path, row, range(self.sizes["V"])))

    def chunk_type(self, path: str) -> tuple[str, tuple[int, ...]]:
        """dtype and shape of one view of a code. Raises ShardError."""
        with self._told(path):
            opened = self._datasets.open(path)
            return opened.dtype.str, opened.shape[2:]

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Whatever goes wrong with `what` becomes a ShardError of one line."""
        try:
            yield
        except (UnknownEncodingError, *UNREADABLE) as error:
            raise self._fault(what, error) from None

    def _fault(self, what: str, error: Exception) -> ShardError:
        if isinstance(error, ShardError):
            return error
        if isinstance(error, UnknownEncodingError):
            return ShardError(f"{self.path}: {what} {error}; upgrade the mvhm package to a version that reads it")
        return ShardError(f"{self.path}: {what} {cause_of(error)}")

    def _found(self, name: str) -> Found:
        if name not in self._elements:
            path = next((f"{group}/{name}" for group in GROUPS if self._holds(group, name)), None)
            if path is None:
                raise ValueError("no such field in the file")
            element = self._element(path)
            if element.codec.is_plain:
                self._require_fit(path, element)
            parts = tuple(part for part in element.codec.parts if part != "offsets")
            shape, dtype = element.decoded_shape(self.sizes), np.dtype(element.dtype)
            self._elements[name] = Found(path, element, element.codec, parts, shape, dtype)
        return self._elements[name]

    def _field(self, row: int, name: str, views: Sequence[int] | None) -> Any:
        found = self._found(name)
        parts = {part: self._part(found, part, row, views) for part in found.parts}
        value = found.codec.decode(parts, self._size, found.element.constants, self._recycled.empty)
        if not found.codec.is_plain and (value.dtype != found.dtype or value.shape[1:] != found.shape[1:]):
            wanted = f"{found.dtype} {found.shape}"
            raise ValueError(f"decodes to {value.dtype} {value.shape} instead of {wanted}")
        return value

    def _part(self, found: Found, part: str, row: int, views: Sequence[int] | None) -> Any:
        path = f"{found.path}/{part}" if part else found.path
        if part == "jpeg":
            return self._datasets.streams(path, row, views)
        if part == "code":
            return self._datasets.codes(path, row, views)
        value = self._datasets.row(path, row)
        return value[list(views)] if views is not None and found.element.per_view else value

    def _holds(self, group: str, name: str) -> bool:
        if self._version == 1:
            return f"{group}/{name}" in SCHEMA_1
        return group in self._groups and self._file.id.links.exists(f"{group}/{name}".encode())

    def _element(self, path: str) -> Element:
        if self._version == 1:
            return SCHEMA_1[path]
        text = self._encoding(path)
        if self._sums is not None:
            self._sums.require_once(text, path)
        return Element.parse(text)

    def _encoding(self, path: str) -> bytes:
        text = attribute(self._file, ATTRIBUTE, path)
        if not isinstance(text, str):
            raise ValueError(f"no attribute {ATTRIBUTE!r}")
        return text.encode()

    def _require_fit(self, path: str, element: Element) -> None:
        """Raise ValueError unless a plain dataset has the dtype and shape that the file says."""
        opened, wanted = self._datasets.open(path), (len(self), *element.decoded_shape(self.sizes))
        if not element.is_of(opened.dtype) or opened.shape != wanted:
            raise ValueError(f"{opened.dtype} {opened.shape} instead of {element.dtype} {wanted}")
