"""How well joints are known in the picture, of pseudo labels and of estimators alike: figure 4 of HaMuCo.

AUC of PCK from 0 to 30 px of a crop of 224 px about the hand, whatever the pictures and crops measure (Zheng et al.
ICCV 2023 do not say their range).
"""

from __future__ import annotations

import numpy as np

from rigging.errors import InputError

from ..data.label_file import Labels
from ..data.labels import rows_of
from ..data.source import Source
from ..metrics.curves import auc
from ..metrics.errors import pixel_errors
from .predict import Predictions

CROP, HIGH = 224.0, 30.0  # px


def image_area(pixels: np.ndarray, true: np.ndarray, side: np.ndarray, valid: np.ndarray | None = None) -> float:
    """AUC, 0 to 1, of joints (n, K, 2) px in crops with sides (n,) px; valid (n, K) bool."""
    return auc(pixel_errors(pixels, true, valid) * (CROP / side[:, None]), 0, HIGH)


def area_of_labels(labels: Labels, truth: Source, margin: float = 1.3) -> float:
    """AUC of pseudo labels against a data set's own joints_2d; the crop is `margin` times the box of those.

    Raises InputError for labels that are not of it.
    """
    found = labels.joints_2d[rows_of(truth, labels)].reshape(-1, 21, 2)
    read = [truth.read(sample) for sample in range(truth.samples)]
    true = np.concatenate([one["joints_2d"] for one in read])
    valid = np.concatenate([one["joint_valid"] for one in read]) if "joint_valid" in truth.fields else None
    boxed = true if valid is None else np.where(valid[..., None], true, np.nan)
    side = margin * (np.nanmax(boxed, axis=1) - np.nanmin(boxed, axis=1)).max(axis=-1)
    return image_area(found, true, side, valid)


def area_of_estimates(told: Predictions, size: int) -> float:
    """AUC of what was found in crops of `size` px. Raises InputError of an estimator that finds nothing in pictures."""
    if told.joints_2d is None:
        raise InputError("this estimator does not say where in the pictures it finds joints")
    return image_area(told.joints_2d, told.true_joints_2d, np.full(len(told), float(size)), told.joint_valid)
