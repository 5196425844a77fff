"""Which samples are recorded, and where the recording goes: known before `rerun` is imported."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from rigging.errors import InputError

from ..load.dataset import HandDataset
from ..load.fields import require_pinholes
from .span import Span

FEW = 100  # samples that are recorded by default; the viewer holds all of them in memory
ENDING = ".rrd"
BYTES = 16  # of memory that a pixel takes with all its labels, measured at 128 and 256 px
FIELDS = (
    "mask", "parts", "depth", "flow_forward", "flow_backward", "flow_forward_valid", "flow_backward_valid",
    "joints_world", "joints_2d", "joint_visible", "vertices_world", "arm_vertices_world", "K", "world_to_cam", "meta",
)  # fmt: skip


def choose(data: Path, samples: Span | None, split: str | None) -> tuple[HandDataset, range]:
    """The samples of a shard or folder of shards (of a split) with FIELDS, and which of them are recorded.

    Raises FileNotFoundError, ShardError, InputError for a split or samples that are not there, or lenses that distort.
    """
    dataset = HandDataset(data, fields=FIELDS)
    require_pinholes(dataset.lenses, data, "rerun's pinhole camera", "`mvhm browse` shows it")
    dataset = dataset if split is None else dataset.select(split=split)
    return dataset, chosen_samples(len(dataset), samples)


def chosen_samples(count: int, samples: Span | None) -> range:
    """Positions, among `count` samples, of those from first to last; by default the first FEW. Raises InputError."""
    if samples is None:
        return range(min(FEW, count))
    first, last = samples
    last = count - 1 if last is None else last
    if last >= count:
        told = f"{first}" if first == last else f"{first}-{last}"
        raise InputError(f"--samples {told}: there are samples 0 to {count - 1}")
    return range(first, last + 1)


def require_memory(count: int, sizes: Mapping[str, int], free: int) -> None:
    """Raise InputError if a recording of `count` samples of such `sizes` takes more than the `free` bytes."""
    needed = count * sizes["V"] * sizes["H"] * sizes["W"] * BYTES
    if needed > free:
        raise InputError(
            f"--samples: a recording of {count} samples takes about {needed / 1e9:.1f} GB of memory, here and in the "
            f"viewer, and {free / 1e9:.1f} GB are free; choose fewer"
        )


def place_of(data: Path, out: Path | None) -> Path:
    """The file to write: `out`, or by default beside the folder of shards.

    Raises InputError in that folder, and where nothing can be written.
    """
    folder = Path(os.path.abspath(data.parent if data.suffix == ".h5" else data))
    if out is None:
        name = f"{folder.name}-{data.stem}" if data.suffix == ".h5" else folder.name
        return _writable(folder.with_name(name + ENDING))
    if out.suffix != ENDING:
        raise InputError(f"--out {out}: a recording is a {ENDING}")
    if Path(os.path.realpath(folder)) in Path(os.path.realpath(out)).parents:
        raise InputError(f"--out {out}: lies in the release; a recording belongs beside it")
    return _writable(out)


def _writable(path: Path) -> Path:
    """The path, if its folder is there and may be written to."""
    if not path.parent.is_dir():
        raise InputError(f"{path}: no such folder; choose another --out")
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"{path}: cannot be written there; choose another --out")
    return path
