"""Lets the tests here import their cases, and those of the models."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "models")]
