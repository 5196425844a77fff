"""Errors across data sets in the form of HAMR's Figures 6 and 7: curves of 3D and 2D PCK on each set.

Joints without a label do not count, so that a set of fingertips alone stands beside the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from rigging.errors import InputError

from ..metrics.align import WRIST
from ..metrics.curves import auc, pck
from ..metrics.protocol import Protocol, protocol
from .markdown import table
from .predict import Predictions
from .score import projected

ROOTED, ROOTLESS, IMAGE = protocol("root_relative"), protocol("centred"), protocol("image")
MILLIMETRES, PIXELS = np.arange(101.0), np.arange(31.0)  # thresholds; px of a crop of SIDE
SIDE = 256


@dataclass(frozen=True)
class Across:
    """What an estimator's errors are on a data set, all labelled joints alike."""

    data: str
    estimator: str
    trained_on: str
    crops: int
    joints: int  # labelled ones of a crop, at most
    protocol: str  # of the errors in space
    auc_20_50: float  # mm
    auc_0_100: float  # mm
    auc_image: float  # 0 to 30 px
    curve: Sequence[float] = field(repr=False)  # 3D PCK within 0, 1, ... 100 mm
    image_curve: Sequence[float] = field(repr=False)  # 2D PCK within 0, 1, ... 30 px


def across(data: str, estimator: str, trained_on: str, run: Predictions, side: int) -> Across:
    """The figures of predictions, made of crops of `side` px. Raises InputError where nothing is labelled.

    In space relative to the wrist; where no wrist is labelled the means of the labelled joints are made to coincide.
    """
    if not run.joint_valid.any():
        raise InputError(f"{data}: no joint has a label")
    how = ROOTED if run.joint_valid[:, WRIST].any() else ROOTLESS
    space, image = _in_space(run, how), _in_image(run) * SIDE / side
    return Across(
        data, estimator, trained_on, len(run), int(run.joint_valid.sum(1).max()), how.name,
        auc(space, 20, 50), auc(space, 0, 100), auc(image, 0, 30),
        _shares(space, MILLIMETRES), _shares(image, PIXELS),
    )  # fmt: skip


def _in_space(run: Predictions, how: Protocol) -> np.ndarray:
    """Errors (n, 21) mm, without an oracle."""
    return how.errors(run.joints_cam, run.true_joints_cam, run.joint_valid)


def _in_image(run: Predictions) -> np.ndarray:
    """Errors (n, 21) px of the crop: of what was found in the image, or else of the pose as the camera sees it."""
    pixels = projected(run) if run.joints_2d is None else run.joints_2d
    return IMAGE.errors(pixels, run.true_joints_2d, run.joint_valid)


def _shares(errors: np.ndarray, thresholds: np.ndarray) -> tuple[float, ...]:
    return tuple(float(f"{share:.4f}") for share in pck(errors, thresholds))


def across_lines(rows: Iterable[Across]) -> Iterator[str]:
    """The rows as a table in Markdown."""
    head = ("tested on", "estimator", "trained on", "crops", "joints", "3D", "AUC 20-50 mm", "AUC 0-100 mm", "2D AUC")
    yield from table(
        head,
        (
            (one.data, one.estimator, one.trained_on, one.crops, one.joints, one.protocol,
             *(f"{value:.3f}" for value in (one.auc_20_50, one.auc_0_100, one.auc_image)))
            for one in rows
        ),
    )  # fmt: skip
