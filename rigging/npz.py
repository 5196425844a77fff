"""Archives of plain arrays, read without trusting them."""

from __future__ import annotations

import io
import struct
import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np

# What numpy and zipfile raise of bytes that are no whole archive.
DAMAGED = (
    OSError, ValueError, TypeError, KeyError, EOFError, AttributeError, IndexError, OverflowError, MemoryError,
    RuntimeError, SyntaxError, tokenize.TokenError, struct.error, zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error,
)  # fmt: skip


def read_npz(path: Path | str) -> dict[str, np.ndarray]:
    """All arrays of an .npz, by name; none of Python's objects, which could run code.

    Raises OSError with the system's reason where the file cannot be read, ValueError where it is not a whole archive.
    """
    content = io.BytesIO(Path(path).read_bytes())  # what goes wrong from here on is no fault of the system
    try:
        with np.load(content, allow_pickle=False) as data:
            return {name: data[name] for name in data.files}
    except DAMAGED as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ValueError(f"damaged, or not an .npz of plain arrays ({reason})") from None
