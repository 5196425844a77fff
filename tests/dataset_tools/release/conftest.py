"""Folders that are ready to be published, and published ones."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for `publishing`

from publishing import copy_of, published, write_plan, write_report


@pytest.fixture(scope="session")
def ready(release, tmp_path_factory) -> Path:
    """Shards with a plan and a report of a validation that passed. Not to be changed."""
    folder = copy_of(release, tmp_path_factory.mktemp("ready") / "data")
    write_plan(folder)
    write_report(folder)
    return folder


@pytest.fixture(scope="session")
def whole(ready, tmp_path_factory) -> Path:
    """The same, published as 1.0.0. Not to be changed."""
    return published(copy_of(ready, tmp_path_factory.mktemp("whole") / "data"))


@pytest.fixture
def data(ready, tmp_path) -> Path:
    """A copy of `ready` to break."""
    return copy_of(ready, tmp_path / "data")


@pytest.fixture
def copy(whole, tmp_path) -> Path:
    """A copy of `whole` to break."""
    return copy_of(whole, tmp_path / "copy")
