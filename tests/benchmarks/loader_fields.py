"""What each field costs to load, how else its codes could be compressed, and memory over epochs."""

from __future__ import annotations

import os
import time
from pathlib import Path

import h5py
import numpy as np
import zstandard

from dataset_tools import HandDataset
from dataset_tools.format.codecs import CODECS
from dataset_tools.format.schema import SAMPLE_FIELDS

CHOICES: dict[str, list[str] | None] = {
    name: [name] for name in (
        "rgb", "alpha", "parts", "mask", "depth", "normals", "flow_forward", "flow_forward_visible", "joints_2d",
        "joint_visible", "vertices_world", "amodal_mask", "meta",
    )
} | {"cameras": ["K", "world_to_cam"], "all but amodal_mask": None}  # fmt: skip
LEVELS = (1, 3, 9, 19)


def field_seconds(path: Path, rounds: int) -> dict[str, list[float]]:
    """Seconds of processor time per view of each choice of fields, by turns, after one round unseen."""
    sets = {name: HandDataset(path, fields=fields) for name, fields in CHOICES.items()}
    out: dict[str, list[float]] = {name: [] for name in sets}
    for number in range(-1, rounds):
        for name, hands in sets.items():
            start = time.process_time()
            for sample in range(len(hands)):
                hands[sample]
            if number >= 0:
                out[name].append((time.process_time() - start) / len(hands) / hands.sizes["V"])
    return out


def storage(path: Path) -> dict[str, dict[str, dict[str, float]]]:
    """KiB per view, and microseconds to decompress it, of the codes of the first sample at levels of Zstandard.

    Each view in a chunk of its own, its bytes shuffled, as shards have them ("view"), or one chunk of all ("sample").
    """
    out = {}
    with h5py.File(HandDataset(path, fields=["meta"]).paths[0]) as file:
        for name, field in SAMPLE_FIELDS.items():
            if field.stored and "code" in CODECS[field.codec].parts:
                out[name] = _levels(_code(file, f"{field.path}/code"))
    return out


def _code(file: h5py.File, path: str) -> np.ndarray:
    """(V, bytes) uint8: the codes of the first sample, the bytes of a view shuffled."""
    import hdf5plugin  # noqa: F401  registers Zstandard

    code = file[path][0]
    parts = code.reshape(len(code), -1).view(np.uint8).reshape(len(code), -1, code.dtype.itemsize)
    return np.ascontiguousarray(parts.transpose(0, 2, 1)).reshape(len(code), -1)


def _levels(views: np.ndarray) -> dict[str, dict[str, float]]:
    pieces = {f"view, {level}": (list(views), level) for level in LEVELS} | {"sample, 3": ([views], 3)}
    return {name: _measured(chunks, level, len(views)) for name, (chunks, level) in pieces.items()}


def _measured(chunks: list[np.ndarray], level: int, views: int) -> dict[str, float]:
    packed = [zstandard.ZstdCompressor(level=level).compress(np.ascontiguousarray(chunk)) for chunk in chunks]
    undo, seconds = zstandard.ZstdDecompressor(), []
    for _ in range(20):
        start = time.process_time()
        for chunk in packed:
            undo.decompress(chunk)
        seconds.append(time.process_time() - start)
    return {"kib": sum(map(len, packed)) / views / 1024, "us": float(np.median(seconds)) / views * 1e6}


def resident_megabytes(path: Path, epochs: int) -> list[float]:
    """Resident memory of this process after each of several epochs, of all fields."""
    hands, out = HandDataset(path), []
    for _ in range(epochs):
        for sample in range(len(hands)):
            hands[sample]
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        out.append(pages * os.sysconf("SC_PAGE_SIZE") / 1e6)
    return out
