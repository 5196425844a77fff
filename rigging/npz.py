"""Archives of plain arrays, read without trusting them."""

from __future__ import annotations

import io
import lzma
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

MAGIC = (b"\x93NUMPY", b"PK\x03\x04", b"PK\x05\x06")  # of an .npy, an archive and an empty one
# What numpy and zipfile raise of bytes that are no whole archive.
DAMAGED = (
    OSError, ValueError, TypeError, KeyError, EOFError, AttributeError, IndexError, OverflowError, MemoryError,
    RuntimeError, SyntaxError, tokenize.TokenError, struct.error, zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error,
    lzma.LZMAError,
)  # fmt: skip


def read_npz(path: Path | str, keys: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """All arrays of an .npz by name, or those of `keys` that it has; the array of an .npy is called "".

    None of Python's objects, which could run code. Raises OSError with the system's reason where the file cannot be
    read, ValueError where it is not a whole archive.
    """
    content = Path(path).read_bytes()  # what goes wrong from here on is no fault of the system
    if not content.startswith(MAGIC):
        raise ValueError("it does not begin as one" if content else "the file is empty")
    try:
        data = np.load(io.BytesIO(content), allow_pickle=False)
        if isinstance(data, np.ndarray):
            return {"": data}
        with data:
            return {name: data[name] for name in data.files if (not keys or name in keys) and not _hidden(name)}
    except DAMAGED as error:
        raise ValueError(_short(error)) from None


def _hidden(name: str) -> bool:
    """Whether an entry of an archive is what a file manager adds to those it makes."""
    return name.startswith("__MACOSX/") or name.rpartition("/")[2].startswith("._")


def _short(error: BaseException) -> str:
    """The message of an error in one line without advice for programmers."""
    text = " ".join(str(error).split())[:200]
    if "allow_pickle" in text:
        return "it holds Python objects, which are not read as they can run code"
    if isinstance(error, SyntaxError | tokenize.TokenError) or "malformed node" in text:
        return "its head is damaged"
    return text or type(error).__name__
