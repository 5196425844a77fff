"""Poses, and plans whose splits hold factors out."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for the helper modules beside the tests

from held_out_release import SEEDS, release_of
from photo_release import picture

from render_farm.planning.candidates import read_poses
from render_farm.planning.make_plan import assemble_held_out
from render_farm.planning.windows import candidate_pairs


@pytest.fixture(scope="session")
def sampled():
    """Frames of sampled poses, and pairs of them."""
    release = release_of()
    frames, _ = read_poses(release)
    return frames, candidate_pairs(frames, release.pairs, release.splits.block)[0]


@pytest.fixture(scope="session")
def plans(sampled):
    """Plans with all splits, one per seed. Not to be changed."""
    return [assemble_held_out(release_of(seed), "key", *sampled) for seed in SEEDS]


@pytest.fixture
def photos(tmp_path):
    for number in range(6):
        picture(tmp_path / "photos" / f"p{number}.jpg", number)
    return tmp_path / "photos"
