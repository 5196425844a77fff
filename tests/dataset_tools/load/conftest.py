"""A labelled sample to move."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from labelled import Labelled, labelled

sys.path.insert(0, str(Path(__file__).parent))  # for `moved_samples`


@pytest.fixture(scope="session")
def right() -> Labelled:
    """The right hand and what its labels are made of. Not to be changed."""
    return labelled()


@pytest.fixture(scope="session")
def sample(right) -> dict:
    """A sample with all fields that move. Not to be changed."""
    return right.sample
