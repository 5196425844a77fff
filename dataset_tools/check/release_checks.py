"""Checks of a release as a whole, from one row of columns for every sample."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from .figures import Check
from .finding import Finding

RELEASE_CHECKS: tuple[Check, ...] = ()


def release_findings(
    columns: Mapping[str, np.ndarray], hashes: np.ndarray, poses: np.ndarray, plan: Path
) -> list[Finding]:
    """Findings of all RELEASE_CHECKS, from the columns of the index (S,) each, hashes (S, V) and poses (S, 60)."""
    return []
