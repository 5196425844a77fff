"""Poses, and plans whose splits hold factors out."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for `held_out_release`

from held_out_release import SEEDS, release_of

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
