"""Errors sample by sample: what intervals of a run, and of differences between runs, are made of."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rigging.errors import InputError
from rigging.files import write_atomic

from ..metrics.curves import pck
from ..metrics.errors import MM, sample_errors
from ..metrics.protocol import Protocol, protocol
from .predict import Predictions
from .score import projected

THRESHOLDS, PIXELS = np.arange(51.0), np.arange(31.0)  # mm and px, of the curves


@dataclass(frozen=True)
class Measure:
    """A figure that every crop has one of: the mean error in mm, with `area` (mm) its part of an exact AUC, or with
    `overlap` how well the mesh fills the hand's mask.
    """

    name: str
    protocol: Protocol
    area: tuple[float, float] | None = None
    overlap: bool = False

    def of(self, run: Predictions) -> np.ndarray | None:
        """Values (n,) of n crops, NaN where one has no label; None where the run says nothing of it."""
        if self.overlap:
            return run.oracle_iou if self.protocol.oracle else run.iou
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
    Measure("n_mpjpe_bone, mm", protocol("n_mpjpe_bone")),
    Measure("PA joints, mm", protocol("procrustes")),
    Measure("mesh, mm", protocol("mpvpe")),
    Measure("mesh, oracle, mm", protocol("mpvpe_absolute_oracle")),
    Measure("mask IoU", protocol("mpvpe_absolute"), overlap=True),
    Measure("mask IoU, oracle", protocol("mpvpe_absolute_oracle"), overlap=True),
)
JOINTS, _, AREA, _, _, _, MESH_ORACLE, *_ = (one.name for one in MEASURES)


def digits(measure: str) -> int:
    """Behind the point: of shares, and of millimetres."""
    return 3 if measure.startswith(("AUC", "mask IoU")) else 2


@dataclass(frozen=True)
class Measured:
    """S samples by every measure that can be had; the mean over the views of a sample."""

    sample: np.ndarray  # (S,) int64, its number in the data set
    subject: np.ndarray  # (S,) int64
    curve: np.ndarray  # (51,) share of joints, relative to the wrist and without it, within 0, 1, .. 50 mm
    values: dict[str, np.ndarray]  # (S,) by the names of MEASURES
    curve_2d: np.ndarray | None = None  # (31,) likewise as the camera sees them, within 0, 1, .. 30 px of the crop

    def save(self, path: Path) -> None:
        """Write all as npz."""
        buffer = io.BytesIO()
        flat = {} if self.curve_2d is None else {"curve_2d": self.curve_2d}
        np.savez(buffer, sample=self.sample, subject=self.subject, curve=self.curve, **flat, **self.values)
        write_atomic(path, buffer.getvalue())

    @classmethod
    def load(cls, path: Path) -> Measured:
        """What `save` wrote."""
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        flat = arrays.pop("curve_2d", None)
        return cls(*(arrays.pop(name) for name in ("sample", "subject", "curve")), arrays, flat)


def mean_curves(seeds: Sequence[Measured]) -> dict[str, np.ndarray | None]:
    """The curves (51,) by mm and (31,) by px, mean over the seeds of a way to estimate."""
    flat = [one.curve_2d for one in seeds]
    return {
        "mm": np.mean([one.curve for one in seeds], axis=0),
        "px": None if any(one is None for one in flat) else np.mean(flat, axis=0),
    }


def measured(parts: Iterable[Predictions]) -> Measured:
    """Predictions batch by batch, crops of a sample in a row; meshes are forgotten after each. Raises InputError."""
    samples, subjects, errors, flat, values = [], [], [], [], {one.name: [] for one in MEASURES}
    for part in parts:
        samples.append(part.sample)
        subjects.append(part.subject)
        errors.append(protocol("root_relative").errors(part.joints_cam, part.true_joints_cam, part.joint_valid)[:, 1:])
        flat.append(protocol("projected").errors(projected(part), part.true_joints_2d, part.joint_valid))
        for one in MEASURES:
            values[one.name].append(one.of(part))
    if not samples:
        raise InputError("there are no predictions to measure")
    sample, subject, joints, flat = map(np.concatenate, (samples, subjects, errors, flat))
    views = len(sample) // len(np.unique(sample))
    return Measured(
        sample[::views], subject[::views], pck(joints[np.isfinite(joints)], THRESHOLDS),
        {
            name: sample_errors(np.concatenate(one).reshape(-1, views))
            for name, one in values.items() if one[0] is not None
        },
        pck(flat[np.isfinite(flat)], PIXELS),
    )  # fmt: skip
