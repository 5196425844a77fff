"""WebDataset: tars of `KEY.VIEW.jpg`, `KEY.labels.npz` and `KEY.meta.json`, a sample after another."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..format.optional import OPTIONAL_FIELDS
from .conventions import Convention
from .source import Part, Sample, Source
from .target import Target, nothing_more, tar_writer

ARRAYS = (
    "parts", "depth", "joints_world", "joints_2d", "joint_visible", "joint_in_frame", "vertices_world", "K",
    "world_to_cam",
)  # fmt: skip


def members(sample: Sample, part: Part, convention: Convention) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of the files of a sample; `labels.npz` holds the loader's own arrays, exactly."""
    key = f"{sample.number:07d}"
    for view, picture in enumerate(sample.pictures):
        yield f"{key}.{view}.jpg", picture
    buffer, names = io.BytesIO(), (*ARRAYS, *(name for name in OPTIONAL_FIELDS if name in sample.values))
    np.savez_compressed(buffer, faces=sample.faces, **{name: sample.values[name] for name in names})
    yield f"{key}.labels.npz", buffer.getvalue()
    yield f"{key}.meta.json", json.dumps(plain(sample.values["meta"]), ensure_ascii=False).encode()


def plain(meta: dict[str, Any]) -> dict[str, Any]:
    """Metadata with lists instead of arrays."""
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in meta.items()}


def target(source: Source) -> Target:
    """The format."""
    return Target(ARRAYS, "{name}.tar", tar_writer(members), nothing_more, lenses=True)
