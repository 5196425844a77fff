"""A release with all splits, and what pairs of its plan have of the factors that splits hold out."""

import dataclasses

from render_farm.planning.release import load_release
from render_farm.planning.release_tables import HoldOutSettings, SplitSettings
from render_farm.planning.splits import SPLITS

SEEDS = (1, 2, 3)
SHARES = {
    "train": 0.4, "val": 0.1, "test": 0, "test_subject": 0.14, "test_pose": 0.1, "test_background": 0.1,
    "test_camera": 0.1, "test_all": 0.06,
}  # fmt: skip
TRAIN = SPLITS.index("train")
TESTED = [SPLITS.index(name) for name in SHARES if SHARES[name]]


def release_of(seed=1, samples=400, **changes):
    """A release of `samples` poses with all splits; `changes` are tables of it."""
    base = load_release("mini")
    tables = {
        "poses": dataclasses.replace(base.poses, candidates=900),
        "subjects": dataclasses.replace(base.subjects, count=70, run=1, skin_resolution=256),
        "splits": SplitSettings(**SHARES),
        "hold_out": HoldOutSettings(subjects=20),
    }
    return dataclasses.replace(base, seed=seed, samples=samples, **{**tables, **changes})


def levels(plan, factor, split):
    """The levels of a factor that pairs of a split have."""
    rows, strata = plan.split == split, plan.strata
    return {
        "subject": lambda: set(plan.subject[rows]),
        "pose": lambda: set(strata.pose_cluster[rows].flat),
        "background": lambda: set(zip(strata.background[rows], strata.panorama[rows])),
    }[factor]()
