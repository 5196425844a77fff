"""Renders once per session, and folders of STB and MHP made from them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for `real_layouts`
sys.path.insert(0, str(Path(__file__).parents[2] / "dataset_tools"))  # for `records`

from real_layouts import write_mhp, write_stb
from records import make_record

from dataset_tools.load.derive import derive


@pytest.fixture(scope="session")
def renders() -> list[dict]:
    """Three samples of right hands, 4 views of 160 px, as the loader gives them. Not to be changed."""
    samples = [make_record(i, views=4, size=160) for i in range(3)]
    for sample in samples:
        sample |= {name: derive(name, sample) for name in ("mask", "joints_cam", "joints_2d")}
        sample["K"] = np.asarray(sample["K"], float)
    return samples


@pytest.fixture(scope="session")
def stb(renders, tmp_path_factory) -> Path:
    """STB's folder: two sequences, one of each split, of three and two frames; left hands. Not to be changed."""
    root = tmp_path_factory.mktemp("stb")
    write_stb(root, {"B1Counting": renders, "B4Random": renders[:2]})
    return root


@pytest.fixture(scope="session")
def mhp(renders, tmp_path_factory) -> Path:
    """MHP's folder: sequences 2 and 3, of two frames and of one; right hands. Not to be changed."""
    root = tmp_path_factory.mktemp("mhp")
    write_mhp(root, {2: renders[:2], 3: renders[2:]})
    return root
