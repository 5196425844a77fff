"""What a file says of one of its elements, so that it is read by what it is and not by what the code expects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .codecs import CODECS, DECODERS, Codec, Constants
from .schema import Field

ATTRIBUTE = "encoding"  # of the element: the JSON text of it


class UnknownEncodingError(ValueError):
    """An element whose encoding this version of the package does not know."""


@dataclass(frozen=True)
class Element:
    """A dataset, or a group of the parts of an encoding, that holds one field: how to decode it, and what comes out.

    `shape` is that of a decoded row (of all of it, in the group `shard`), in letters of the file's `sizes` and numbers.
    """

    encoding: str
    version: int
    constants: Constants
    dtype: str
    shape: tuple[str | int, ...]

    @classmethod
    def of(cls, field: Field) -> Element:
        """As `field` is written now."""
        name = "text" if field.dtype == "str" else field.codec
        return cls(name, CODECS[name].version, CODECS[name].constants, field.dtype, field.shape)

    @classmethod
    @lru_cache(maxsize=1024)  # the same in all shards of a release
    def parse(cls, text: bytes) -> Element:
        """From the attribute of a file. Raises ValueError where it is none."""
        try:
            told = json.loads(text)
            shape = tuple(size if isinstance(size, str) else int(size) for size in told["shape"])
            return cls(str(told["name"]), int(told["version"]), dict(told["constants"]), str(told["dtype"]), shape)
        except (KeyError, TypeError, RecursionError) as error:
            raise ValueError(f"its attribute {ATTRIBUTE!r} is none: {error!r}") from None

    @property
    def text(self) -> str:
        """The attribute in the file."""
        told = {
            "name": self.encoding, "version": self.version, "constants": dict(self.constants), "dtype": self.dtype,
            "shape": self.shape,
        }  # fmt: skip
        return json.dumps(told, sort_keys=True)

    @property
    def per_view(self) -> bool:
        """Whether a row's first axis is the view."""
        return self.shape[:1] == ("V",)

    @property
    def codec(self) -> Codec:
        """What decodes it. Raises UnknownEncodingError naming what this package reads."""
        if (self.encoding, self.version) not in DECODERS:
            known = [str(version) for name, version in DECODERS if name == self.encoding]
            reads = f"version {', '.join(known)} of it" if known else ", ".join(sorted({name for name, _ in DECODERS}))
            raise UnknownEncodingError(f"is encoded as {self.encoding} version {self.version}, this mvhm reads {reads}")
        return DECODERS[self.encoding, self.version]

    def decoded_shape(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """The shape of a decoded row. Raises KeyError for a letter that the file does not explain."""
        return tuple(size if isinstance(size, int) else sizes[size] for size in self.shape)

    def is_of(self, dtype: np.dtype) -> bool:
        """Whether `dtype` is that of its decoded values, or of its bytes where they are a text."""
        return dtype.kind == "S" if self.dtype == "str" else dtype == self.dtype
