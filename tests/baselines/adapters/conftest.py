"""Renders once per session, and folders of real data sets made from them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for `real_layouts`
sys.path.insert(0, str(Path(__file__).parents[2] / "dataset_tools"))  # for `records`

from freiburg_layouts import write_dexter, write_freihand, write_hanco, write_rhd
from real_layouts import write_mhp, write_stb
from records import make_record

from dataset_tools.load.derive import derive


@pytest.fixture(scope="session")
def renders() -> list[dict]:
    """Three samples of right hands, 4 views of 160 px, as the loader gives them. Not to be changed."""
    return _loaded(views=4, size=160)


@pytest.fixture(scope="session")
def ring() -> list[dict]:
    """The same hands in 8 views of 96 px. Not to be changed."""
    return _loaded(views=8, size=96)


def _loaded(views: int, size: int) -> list[dict]:
    samples = [make_record(i, views=views, size=size) for i in range(3)]
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


@pytest.fixture(scope="session")
def rhd(renders, tmp_path_factory) -> Path:
    """RHD's folder: three pictures to train on and two to score, all of left hands. Not to be changed."""
    root = tmp_path_factory.mktemp("rhd")
    write_rhd(root, {"training": renders, "evaluation": renders[:2]})
    return root


@pytest.fixture(scope="session")
def freihand(renders, tmp_path_factory) -> Path:
    """FreiHAND's folder: three poses in four versions to train on, and two to score. Not to be changed."""
    root = tmp_path_factory.mktemp("freihand")
    write_freihand(root, renders, renders[:2])
    return root


@pytest.fixture(scope="session")
def hanco(ring, tmp_path_factory) -> Path:
    """A part of HanCo: a sequence to train on, one in neither split and one to score. Not to be changed."""
    root = tmp_path_factory.mktemp("hanco")
    write_hanco(root, {5: ring[:2], 1200: ring[:1], 1517: ring[2:]})
    return root


@pytest.fixture(scope="session")
def dexter(renders, tmp_path_factory) -> Path:
    """Dexter+Object's folder: two sequences of two frames and of one, of left hands. Not to be changed."""
    root = tmp_path_factory.mktemp("dexter")
    write_dexter(root, {"Grasp1": renders[:2], "Rotate": renders[2:]})
    return root
