"""All checks of samples: rows of a shard in, their figures out, and what the checks of a whole release need of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from rigging.errors import InputError
from rigging.hand.bones import bone_lengths

from ..load.dataset import HandDataset
from ..load.index import entries_of
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


@dataclass(frozen=True)
class Clip:
    """Rows of a shard that are of one pair or clip."""

    rows: list[int]
    hands: list[np.ndarray]  # (N, 3) m, vertices of those rows of which they can be read


def check_rows(path: Path, rows: Sequence[int]) -> list[Outcome]:
    """Check rows of a shard, pairs and clips together. Raises ShardError where the shard cannot be opened."""
    dataset, light = HandDataset(path, fields=STORED), HandDataset(path, fields=["pair", "vertices_world"])
    try:
        topology = Topology(dataset.faces, dataset.arm_faces, dataset.face_part, dataset.sizes["N"])
        return [outcome for clip in clips_of(light, rows) for outcome in _check_clip(dataset, topology, clip)]
    finally:
        dataset.close()
        light.close()


def clips_of(dataset: HandDataset, rows: Sequence[int]) -> list[Clip]:
    """The rows of a shard, those of one pair or clip together."""
    clips: dict[int, Clip] = {}
    for row in rows:
        try:
            sample = dataset[row]
            pair, hands = int(sample["meta"]["pair"]), [sample["vertices_world"]]
        except ShardError:
            pair, hands = -1 - row, []
        clip = clips.setdefault(pair, Clip([], []))
        clip.rows.append(row)
        clip.hands.extend(hands)
    return list(clips.values())


def _check_clip(dataset: HandDataset, topology: Topology, clip: Clip) -> Iterator[Outcome]:
    """Outcomes of a pair or clip, with no more of its samples in memory than the first and three in a row."""
    configuration = dataset.attrs["configuration"]
    poses = configuration.get("release", {}).get("pairs", {}).get("length", 2)
    short = len(clip.hands) < len(clip.rows) or (configuration.get("samples") is not None and len(clip.rows) < poses)
    samples = chain((_stored(dataset, topology, row) for row in clip.rows), [None])
    before, here, first = None, next(samples), None
    for row, after in zip(clip.rows, samples):
        known = [one for one in (first, before, here, after) if isinstance(one, Stored)]
        if isinstance(here, Stored):
            link(known, short or any(isinstance(one, ShardError) for one in (before, after)), clip.hands)
            first = first or here
        yield _outcome(row, here)
        for one in known:
            one.before = one.after = None  # else each would keep all before it
        before, here = here, after


def _stored(dataset: HandDataset, topology: Topology, row: int) -> Stored | ShardError:
    try:
        values = dataset[row]
        return Stored(values, values.pop("meta"), topology, dataset.attrs)
    except ShardError as error:
        return error


def link(samples: Sequence[Stored], cut: bool = False, hands: Sequence[np.ndarray] = ()) -> None:
    """Tell samples of one pair or clip of their neighbours; `cut` says that some of these may be missing.

    `hands` are the vertices (V, 3) m of all poses of the clip, by default those of `samples`.
    """
    by_role = {int(sample.meta["pair_role"]): sample for sample in samples}
    hands = hands or [sample["vertices_world"] for sample in samples]
    for role, sample in by_role.items():
        sample.before, sample.after, sample.first = by_role.get(role - 1), by_role.get(role + 1), by_role.get(0)
        sample.hands, sample.cut = hands, cut


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
        "background": str(entries_of(meta["background"]).get("kind", "")),
        "light": str(entries_of(meta["light"]).get("hdri", "")),
    }


def need_embree() -> None:
    """Raises InputError where Embree is not installed."""
    try:
        import embreex  # noqa: F401
    except ImportError:
        raise InputError(
            "validation casts rays with Embree (embreex), which the extra 'publish' brings: pip install '.[publish]'"
        ) from None
