"""The stand-in of the training's tests is an estimator like others while these tests run."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "train"))

from standing_in import register

from baselines.registry import ESTIMATORS


@pytest.fixture(autouse=True)
def _stand_in():
    register()
    yield
    ESTIMATORS.pop("standing_in", None)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)
