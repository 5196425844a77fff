"""Errors sample by sample: what intervals of a run, and of differences between runs, are made of."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rigging.errors import InputError
from rigging.files import write_atomic

from ..metrics.curves import pck
from ..metrics.errors import MM, sample_errors
from ..metrics.protocol import Protocol, protocol
from .predict import Predictions

THRESHOLDS = np.arange(51.0)  # mm, of the curve


@dataclass(frozen=True)
class Measure:
    """A figure that every crop has one of: the mean error in mm, or with `area` (mm) its part of an exact AUC."""

    name: str
    protocol: Protocol
    area: tuple[float, float] | None = None

    def of(self, run: Predictions) -> np.ndarray | None:
        """Values (n,) of n crops, NaN where one has no label; None where the run says nothing of it."""
        errors = self._errors(run)
        if errors is None or self.area is None:
            return None if errors is None else sample_errors(errors)
        low, high = self.area
        return sample_errors(np.clip((high - errors) / (high - low), 0, 1))  # NaN stays NaN

    def _errors(self, run: Predictions) -> np.ndarray | None:
        """Errors (n, 21 or N) mm."""
        joints = run.oracle_joints_cam if self.protocol.oracle else run.joints_cam
        if self.protocol.points == "joints":
            return self.protocol.errors(joints, run.true_joints_cam, run.joint_valid)
        vertices = run.oracle_vertices_cam if self.protocol.oracle else run.vertices_cam
        if vertices is None or run.true_vertices_cam is None:
            return None
        pairs = (vertices, run.true_vertices_cam), (joints, run.true_joints_cam)
        return np.linalg.norm(self.protocol.aligned_vertices(*pairs, run.joint_valid) - pairs[0][1], axis=-1) * MM


MEASURES = (
    Measure("joints, mm", protocol("root_relative")),
    Measure("joints, oracle, mm", protocol("mvhm")),
    Measure("AUC 20-50, oracle", protocol("mvhm"), (20.0, 50.0)),
    Measure("mesh, mm", protocol("mpvpe")),
    Measure("mesh, oracle, mm", Protocol("mpvpe_oracle", oracle=True, points="vertices")),
)
JOINTS, _, AREA, _, MESH_ORACLE = (one.name for one in MEASURES)


@dataclass(frozen=True)
class Measured:
    """S samples by every measure that can be had; the mean over the views of a sample."""

    sample: np.ndarray  # (S,) int64, its number in the data set
    subject: np.ndarray  # (S,) int64
    curve: np.ndarray  # (51,) share of joints, relative to the wrist and without it, within 0, 1, .. 50 mm
    values: dict[str, np.ndarray]  # (S,) by the names of MEASURES

    def save(self, path: Path) -> None:
        """Write all as npz."""
        buffer = io.BytesIO()
        np.savez(buffer, sample=self.sample, subject=self.subject, curve=self.curve, **self.values)
        write_atomic(path, buffer.getvalue())

    @classmethod
    def load(cls, path: Path) -> Measured:
        """What `save` wrote."""
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        return cls(*(arrays.pop(name) for name in ("sample", "subject", "curve")), arrays)


def measured(parts: Iterable[Predictions]) -> Measured:
    """Predictions batch by batch, crops of a sample in a row; meshes are forgotten after each. Raises InputError."""
    samples, subjects, errors, values = [], [], [], {one.name: [] for one in MEASURES}
    for part in parts:
        samples.append(part.sample)
        subjects.append(part.subject)
        errors.append(protocol("root_relative").errors(part.joints_cam, part.true_joints_cam, part.joint_valid)[:, 1:])
        for one in MEASURES:
            values[one.name].append(one.of(part))
    if not samples:
        raise InputError("there are no predictions to measure")
    sample, subject, joints = map(np.concatenate, (samples, subjects, errors))
    views = len(sample) // len(np.unique(sample))
    return Measured(
        sample[::views], subject[::views], pck(joints[np.isfinite(joints)], THRESHOLDS),
        {
            name: sample_errors(np.concatenate(one).reshape(-1, views))
            for name, one in values.items() if one[0] is not None
        },
    )  # fmt: skip
