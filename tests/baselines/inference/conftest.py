"""Lets the tests here import their cases, and those of the models."""

import sys
from pathlib import Path

import pytest
import torch

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "models")]


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """Small networks are slower on several threads, and very slow if other processes want them too."""
    torch.set_num_threads(1)
