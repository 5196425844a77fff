"""Scores of a data set under several protocols at once, added batch by batch and merged without rounding."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from rigging.errors import InputError

from .check import checked_points, checked_valid
from .curves import AREAS, Curve
from .errors import MM
from .protocol import PROTOCOLS, RANGES, Protocol
from .shapes import F_THRESHOLDS, f_scores, mask_iou
from .sums import ExactSum

CURVE_STEP = 0.5  # mm or px
PCK_AT = (5.0, 10.0, 20.0, 30.0)
OVERLAPS = {  # of masks: rows of a table
    "mask": "masks of the hand",
    "mask_oracle": "masks of the hand, root depth and scale of the labels",
}

Figure = float | int | str | None


class MeanOf:
    """A mean that streams exactly."""

    def __init__(self, columns: int = 1) -> None:
        self.counts, self.total = np.zeros(columns, np.int64), ExactSum(columns)

    def add(self, values: np.ndarray) -> None:
        """Values (n, columns); NaN does not count."""
        counted = ~np.isnan(values)
        self.counts = self.counts + counted.sum(axis=0)
        column = np.broadcast_to(np.arange(values.shape[1]), values.shape)
        self.total.add(values[counted], column[counted])

    def merge(self, other: MeanOf) -> None:
        self.counts = self.counts + other.counts
        self.total.merge(other.total)

    def value(self) -> float:
        return self.total.mean(self.counts.sum())


class Tally:
    """All that is summed of the errors under one protocol: (n, K) with NaN for what does not count.

    Errors of K = `keypoints` points are told apart by point; with keypoints 1 any number of them are pooled.
    """

    def __init__(self, unit: str, keypoints: int) -> None:
        self.samples, self.keypoints = 0, keypoints
        self.error = MeanOf(keypoints)
        high = max(high for _, high in RANGES[unit])
        self.curve = Curve(np.arange(0, high + CURVE_STEP / 2, CURVE_STEP))
        self.areas = {
            (low, high, mode): area(low, high, keypoints) for low, high in RANGES[unit] for mode, area in AREAS.items()
        }

    def add(self, errors: np.ndarray) -> None:
        """Errors (n, K) of n samples; NaN does not count."""
        self.samples += int((~np.isnan(errors)).any(axis=1).sum())
        errors = errors.reshape(-1, self.keypoints)
        self.error.add(errors)
        self.curve.add(errors.reshape(-1, 1))
        for area in self.areas.values():
            area.add(errors)

    def merge(self, other: Tally) -> None:
        self.samples += other.samples
        self.error.merge(other.error)
        self.curve.merge(other.curve)
        for key, area in self.areas.items():
            area.merge(other.areas[key])

    def row(self) -> dict[str, Figure]:
        """The figures by name."""
        pck = dict(zip(self.curve.thresholds, self.curve.pooled()))
        row = {"samples": self.samples, "points": int(self.error.counts.sum()), "epe": self.error.value()}
        for (low, high, mode), area in self.areas.items():
            row[f"auc_{low:g}_{high:g}" + ("" if mode == "exact" else f"_{mode}")] = area.value()
        return row | {f"pck_{at:g}": float(pck[at]) for at in PCK_AT}


class Scores:
    """Scores under `protocols`: `add` batches, `merge` others with the same protocols, read `table`.

    The same figures to the last bit however the samples are split and ordered (on one machine: an alignment is the
    same whatever else is in its batch). Only what is given is scored: rows without samples have figures None.
    """

    def __init__(self, protocols: Sequence[Protocol] = PROTOCOLS) -> None:
        names = [protocol.name for protocol in protocols]
        if len(set(names)) < len(names):
            raise InputError(f"protocols need names of their own, got {', '.join(names)}")
        self.protocols = tuple(protocols)
        self.tallies: dict[str, Tally] = {}
        self.f_scores: dict[str, MeanOf] = {}
        self.overlaps = {row: MeanOf() for row in OVERLAPS}

    def add(
        self,
        pred: np.ndarray | None = None,
        true: np.ndarray | None = None,
        valid: np.ndarray | None = None,
        *,
        oracle: np.ndarray | None = None,
        vertices: tuple[np.ndarray, np.ndarray] | None = None,
        oracle_vertices: np.ndarray | None = None,
        vertices_valid: np.ndarray | None = None,
        image: tuple[np.ndarray, np.ndarray] | None = None,
        projected: tuple[np.ndarray, np.ndarray] | None = None,
        masks: tuple[np.ndarray, np.ndarray] | None = None,
        overlaps: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """Add n samples; pairs are (predictions, labels). Adds nothing and raises InputError where shapes do not fit.

        pred, true (n, K, 3) m in camera axes, valid (n, K); `oracle` is pred made with root depth and scale of the
        labels. vertices (n, N, 3) m and those of the oracle, vertices_valid (n,). image, and `projected` from pred,
        (n, K, 2) px, with the same valid. masks (n, H, W) bool, of the hand; or by OVERLAPS their intersections over
        union (n,), where those are known: NaN does not count.
        """
        joints = {True: (oracle, true), False: (pred, true)}
        meshes = {True: (oracle_vertices, vertices and vertices[1]), False: vertices or (None, None)}
        parts, flat = [], {True: projected, False: image}
        for protocol in self.protocols:
            own, mesh = joints[protocol.oracle], meshes[protocol.oracle]
            if protocol.points == "vertices":
                if mesh[0] is not None:
                    parts.append((protocol, *_mesh_scores(protocol, mesh, vertices_valid, own, valid)))
            elif (points := flat[protocol.projected] if protocol.unit == "px" else own) and points[0] is not None:
                parts.append((protocol, protocol.errors(*points, valid), None))
        self._add(parts, dict(overlaps or {}) | ({} if masks is None else {"mask": mask_iou(*masks)}))

    def merge(self, other: Scores) -> Scores:
        """Add what `other` was given; returns itself. Raises InputError if the protocols differ."""
        if other.protocols != self.protocols:
            raise InputError("only scores under the same protocols can be merged")
        for name, tally in other.tallies.items():
            self._tally_of(name, tally.keypoints).merge(tally)
        for name, mean in other.f_scores.items():
            self.f_scores.setdefault(name, MeanOf(len(F_THRESHOLDS))).merge(mean)
        for name, mean in other.overlaps.items():
            self.overlaps[name].merge(mean)
        return self

    def table(self) -> dict[str, dict[str, Figure]]:
        """Figures by protocol and name, for JSON; None where nothing was scored or a figure is not defined.

        `epe` is the mean error in `unit`; `auc_*` and `pck_*` are shares, AUCs without a suffix exact; `f_5` and `f_15`
        at mm; `iou`, in the rows of OVERLAPS, the mean over samples.
        """
        rows = {protocol.name: self._row(protocol) for protocol in self.protocols}
        for name, mean in self.overlaps.items():
            if samples := int(mean.counts[0]):
                rows[name] = {"protocol": OVERLAPS[name], "samples": samples, "iou": mean.value()}
        return rows

    def by_joint(self, name: str) -> np.ndarray:
        """Mean error (K,) of each joint under a protocol; NaN for joints never scored."""
        tally = self._scored(name)
        return tally.error.total.means(tally.error.counts)

    def curve(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Thresholds (t,) every half mm or px and PCK (t,) under a protocol, over all points alike."""
        curve = self._scored(name).curve
        return curve.thresholds, curve.pooled()

    def _add(
        self, parts: list[tuple[Protocol, np.ndarray, np.ndarray | None]], overlaps: dict[str, np.ndarray]
    ) -> None:
        """Errors (n, K), and of meshes F-scores (n, t), by protocol; and overlaps (n,) of masks."""
        keypoints = [errors.shape[1] if f is None else 1 for _, errors, f in parts]  # vertices are pooled: so many
        tallies = [self._tally_of(protocol.name, count) for (protocol, _, _), count in zip(parts, keypoints)]
        for tally, (protocol, errors, f) in zip(tallies, parts):
            tally.add(errors)
            if f is not None:
                self.f_scores.setdefault(protocol.name, MeanOf(len(F_THRESHOLDS))).add(f)
        for name, overlap in overlaps.items():
            self.overlaps[name].add(overlap[:, None])

    def _tally_of(self, name: str, keypoints: int) -> Tally:
        unit = next(protocol.unit for protocol in self.protocols if protocol.name == name)
        tally = self.tallies.setdefault(name, Tally(unit, keypoints))
        if tally.keypoints != keypoints:
            raise InputError(f"protocol {name}: samples of {tally.keypoints} and of {keypoints} points do not mix")
        return tally

    def _scored(self, name: str) -> Tally:
        if name not in self.tallies:
            raise InputError(f"nothing was scored under {name!r}; scored: {', '.join(self.tallies) or 'nothing'}")
        return self.tallies[name]

    def _row(self, protocol: Protocol) -> dict[str, Figure]:
        head = {"protocol": protocol.describe(), "unit": protocol.unit}
        tally = self.tallies.get(protocol.name, Tally(protocol.unit, 1))
        row = head | tally.row()
        if protocol.name in self.f_scores:
            mean = self.f_scores[protocol.name]
            values = mean.total.means(mean.counts)
            row |= {f"f_{at:g}": float(value) for at, value in zip(F_THRESHOLDS, values)}
        return {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in row.items()}


def _mesh_scores(
    protocol: Protocol,
    mesh: tuple[np.ndarray, np.ndarray],
    mesh_valid: np.ndarray | None,
    joints: tuple[np.ndarray | None, np.ndarray | None],
    valid: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Errors (m, N) in mm and F-scores (m, t) of those m meshes, (predictions, labels) (n, N, 3) m, that count."""
    shape = np.shape(mesh[0])
    known = checked_valid(mesh_valid, shape[:1], "vertices")
    pred, true, _ = checked_points(*mesh, np.broadcast_to(known[:, None], shape[:2]), what="vertices")
    moved = protocol.aligned_vertices((pred, true), joints, valid)
    known = known & np.isfinite(moved).all(axis=(1, 2))
    errors = np.linalg.norm(moved[known] - true[known], axis=-1) * MM
    return errors, f_scores(moved[known], true[known])
