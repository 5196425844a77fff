"""Pseudo labels in a file: joints in the pictures of a data set, how sure they are, and how they were made."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rigging.errors import InputError
from rigging.files import file_sha256, write_atomic
from rigging.npz import read_npz

from .source import Source

FORMAT, VERSION = "mvhm-labels", 1
ARRAYS = ("sample", "joints_2d", "confidence")


@dataclass(frozen=True)
class Labels:
    """n samples of V views. Pixels are those of a source's pictures, the first one's centre is (0.5, 0.5).

    Sources of releases mirror left hands, pictures too.
    """

    sample: np.ndarray  # (n,) int64, their numbers in the data set
    joints_2d: np.ndarray  # (n, V, 21, 2) float32 px
    confidence: np.ndarray  # (n, V, 21) float32, 0 to 1
    about: Mapping[str, Any] = field(default_factory=dict)  # how they were made, and of which data

    def __post_init__(self) -> None:
        """Raise ValueError for what are no labels."""
        n, views = self.confidence.shape[:2] if self.confidence.ndim == 3 else (0, 0)
        shapes = (self.sample.shape, self.joints_2d.shape, self.confidence.shape)
        if shapes != ((n,), (n, views, 21, 2), (n, views, 21)):
            raise ValueError(f"shapes {shapes}, (n,), (n, V, 21, 2) and (n, V, 21) are wanted")
        if len(np.unique(self.sample)) < n:
            raise ValueError("a sample has labels twice")
        if not ((self.confidence >= 0) & (self.confidence <= 1)).all():
            raise ValueError("a confidence is not in 0 to 1")

    def save(self, path: Path | str) -> None:
        """Write all as npz; the same labels give the same bytes."""
        about = json.dumps({"format": FORMAT, "version": VERSION} | dict(self.about), sort_keys=True)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **{name: getattr(self, name) for name in ARRAYS}, about=np.array(about))
        write_atomic(path, buffer.getvalue())


def load_labels(path: Path | str) -> Labels:
    """What `save` wrote; its SHA-256 and path are in `about`. Raises InputError, FileNotFoundError."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file of labels (`mvhm label` makes one)")
    try:
        arrays = read_npz(path, (*ARRAYS, "about"))
        about = json.loads(str(arrays["about"]))
        if about.get("format") != FORMAT or about.get("version") != VERSION:
            raise ValueError(f"format {about.get('format')!r}, version {about.get('version')!r}")
        found = {"path": str(path), "sha256": file_sha256(path)}
        values = [arrays[name].astype(dtype) for name, dtype in zip(ARRAYS, (np.int64, np.float32, np.float32))]
        return Labels(*values, about | found)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: no labels that this mvhm reads ({error}); `mvhm label` makes them") from error


def identity(source: Source) -> dict[str, Any]:
    """What says whether labels are of a data set: its release's hash, "" where it has none, and its pictures' size."""
    return {"configuration_hash": getattr(source, "configuration_hash", ""), "image_size": list(source.image_size)}
