"""All checks of samples: rows of a shard in, their figures out, and what the checks of a whole release need of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rigging.errors import InputError
from rigging.hand.bones import bone_lengths

from ..load.dataset import HandDataset
from ..store.shard_file import ShardError
from . import anatomy, backgrounds, cameras, images, labels, views
from .duplicates import picture_hashes, pose_descriptor
from .figures import Check, Figure, Figures
from .stored import STORED, Stored
from .surface import Topology

READABLE = Check("readable", "faults in what is stored", 0, "faults")
_MODULES: tuple[tuple[tuple[Check, ...], Callable[[Stored], Figures]], ...] = (
    (labels.CHECKS, labels.label_figures),
    (views.CHECKS, views.view_figures),
    (cameras.CHECKS, cameras.camera_figures),
    (anatomy.CHECKS, anatomy.anatomy_figures),
    (images.CHECKS, images.image_figures),
    (backgrounds.CHECKS, backgrounds.background_figures),
)
SAMPLE_CHECKS = (READABLE, *(check for checks, _ in _MODULES for check in checks), *anatomy.SUBJECT_CHECKS)
COLUMNS = ("sample", "split", "subject", "pair", "pair_role", "clip", "hand", "pose_source", "source_frame")


@dataclass(frozen=True)
class Outcome:
    """What the checks measured of one sample, and its row of the columns that the release's checks take."""

    row: int
    figures: Figures
    columns: dict[str, Any] = field(default_factory=dict)  # see `_columns`; empty for a sample that cannot be read
    bones: np.ndarray | None = None  # (21,) m, NaN where they need not stay the same
    edge: float = np.nan  # m, mean edge of the hand's mesh
    hashes: np.ndarray | None = None  # (V,) uint64, of the pictures
    pose: np.ndarray | None = None  # (60,), the descriptor of the pose


def check_rows(path: Path, rows: Sequence[int]) -> list[Outcome]:
    """Check rows of a shard, pairs together. Raises ShardError where the shard cannot be opened."""
    dataset = HandDataset(path, fields=STORED)
    try:
        topology = Topology(dataset.faces, dataset.arm_faces, dataset.face_part, dataset.sizes["N"])
        outcomes = []
        for group in pairs_of(path, rows):
            outcomes += _check_pair(dataset, topology, group)
        return outcomes
    finally:
        dataset.close()


def pairs_of(path: Path, rows: Sequence[int]) -> Iterator[list[int]]:
    """The rows, those of one pair together."""
    dataset = HandDataset(path, fields=["pair"])
    groups: dict[int, list[int]] = {}
    for row in rows:
        try:
            pair = int(dataset[row]["meta"]["pair"])
        except ShardError:
            pair = -1 - row
        groups.setdefault(pair, []).append(row)
    dataset.close()
    yield from groups.values()


def _check_pair(dataset: HandDataset, topology: Topology, rows: list[int]) -> list[Outcome]:
    samples: dict[int, Stored | ShardError] = {}
    for row in rows:
        try:
            values = dataset[row]
            samples[row] = Stored(values, values.pop("meta"), topology, dataset.attrs)
        except ShardError as error:
            samples[row] = error
    whole = [sample for sample in samples.values() if isinstance(sample, Stored)]
    link(whole, cut=len(whole) < len(rows) or dataset.attrs["configuration"].get("samples") is not None)
    return [_outcome(row, sample) for row, sample in samples.items()]


def link(samples: Sequence[Stored], cut: bool = False) -> None:
    """Tell the samples of one pair of their neighbours; `cut` says that some of the pair may be missing."""
    by_role = {int(sample.meta["pair_role"]): sample for sample in samples}
    for role, sample in by_role.items():
        sample.before, sample.after, sample.first = by_role.get(role - 1), by_role.get(role + 1), by_role.get(0)
        sample.cut = cut and len(samples) < 2


def sample_figures(sample: Stored) -> Figures:
    """Figures of all checks of one sample; a check that cannot even be made counts as a fault."""
    figures: Figures = {READABLE.name: Figure(0.0)}
    for checks, measure in _MODULES:
        try:
            figures |= measure(sample)
        except (ArithmeticError, ValueError, IndexError, np.linalg.LinAlgError) as error:
            about = f"{checks[0].name} and others cannot be measured: {type(error).__name__}: {error}"
            figures[READABLE.name] = Figure(figures[READABLE.name].value + 1, about)
    return figures


def _outcome(row: int, sample: Stored | ShardError) -> Outcome:
    if isinstance(sample, ShardError):
        return Outcome(row, {READABLE.name: Figure(1.0, str(sample))})
    with np.errstate(all="ignore"):  # what is broken may well divide by zero
        figures = sample_figures(sample)
    joints = sample["joints_world"].astype(float)
    keeps = sample.attrs["retarget"] == "directions"
    bones = bone_lengths(joints) if keeps else np.full(len(joints), np.nan)
    edge = anatomy.edge_lengths(sample["vertices_world"].astype(float), sample.topology.hand_faces).mean()
    return Outcome(
        row, figures, _columns(sample.meta), bones, float(edge),
        picture_hashes(sample["rgb"], sample["parts"]), pose_descriptor(joints, sample.meta["hand"]),
    )  # fmt: skip


def _columns(meta: dict[str, Any]) -> dict[str, Any]:
    """COLUMNS as they are, the kind of the background, and the panorama of the light, as in a release's index."""
    return {name: meta[name] for name in COLUMNS} | {
        "background": str(_entry(meta["background"], "kind")),
        "light": str(_entry(meta["light"], "hdri")),
    }


def _entry(text: str, key: str) -> Any:
    try:
        return json.loads(text).get(key, "")
    except (ValueError, AttributeError):
        return ""


def need_embree() -> None:
    """Raises InputError where Embree is not installed."""
    try:
        import embreex  # noqa: F401
    except ImportError:
        raise InputError(
            "validation casts rays with Embree (embreex), which the extra 'publish' brings: pip install '.[publish]'"
        ) from None
