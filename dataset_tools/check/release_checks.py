"""Checks of a release as a whole, from one row of columns for every sample."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from . import duplicates, leakage
from .figures import Check
from .finding import Finding

RELEASE_CHECKS: tuple[Check, ...] = (
    Check(
        duplicates.CHECK, "samples of other pairs with the same pictures, or in other splits with the same pose", 0, ""
    ),
    Check(leakage.CHECK, "what a split holds out and another has too", 0, ""),
)


def release_findings(
    columns: Mapping[str, np.ndarray], hashes: np.ndarray, poses: np.ndarray, plan: Path
) -> list[Finding]:
    """Findings of all RELEASE_CHECKS, from the columns of the index (S,) each, hashes (S, V) and poses (S, 60).

    `plan` is where the plan lies, if the release has one.
    """
    strata = leakage.read_strata(plan) if plan.is_file() else None
    return duplicates.duplicates(hashes, poses, columns) + leakage.leakage(columns, strata)
