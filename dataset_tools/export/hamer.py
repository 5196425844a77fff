"""Tar shards as HaMeR's training loader reads them (Pavlakos et al., CVPR 2024): `KEY.jpg` and `KEY.data.pyd`.

`data.pyd` is a pickled list with a dict for each hand. There is no MANO hand here, so pose and shape are zeros with the
flags has_hand_pose and has_betas 0; the loader's filter for poses (FILTER_NO_POSES) has to be off, or nothing is left.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import numpy as np

from .conventions import Convention
from .source import Part, Sample, Source
from .target import Target, nothing_more, tar_writer

FIELDS = ("joints_world", "joints_2d", "joint_in_frame", "world_to_cam")
BOX_FACTOR = 2.0  # of the joints' box: its tar reader crops `scale` as it is, its demo and evaluation twice the box
PROTOCOL = 4  # of pickle, for the Python 3.10 that it is used with


def members(sample: Sample, part: Part, convention: Convention) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of a photograph and its hand, for each view."""
    hands = annotations(sample, convention)
    for view, (picture, hand) in enumerate(zip(sample.pictures, hands)):
        yield f"{sample.key(view)}.jpg", picture
        yield f"{sample.key(view)}.data.pyd", pickle.dumps([hand], PROTOCOL)


def annotations(sample: Sample, convention: Convention) -> list[dict[str, np.ndarray]]:
    """What the loader reads of a hand, for each view.

    keypoints_2d (21, 3) px with confidence 1 in the picture and 0 outside; keypoints_3d (21, 4) m in the camera's
    frame, confidence 1; center (2,) px; scale (2,), the box's sides over 200 px; right 1 or 0 (left hands are as they
    are: the loader mirrors them); hand_pose (48,) and betas (10,) of zeros.
    """
    values = sample.values
    points = convention.joints(convention.pixels(values["joints_2d"]))
    inside = convention.joints(values["joint_in_frame"][..., None])
    joints = convention.joints(convention.points(values["joints_world"], values["world_to_cam"]))
    low, high = points.min(axis=1), points.max(axis=1)
    nothing = {"hand_pose": np.zeros(48, np.float32), "betas": np.zeros(10, np.float32)}
    return [
        {
            "keypoints_2d": np.concatenate([points[v], inside[v]], axis=1).astype(np.float32),
            "keypoints_3d": np.concatenate([joints[v], np.ones((21, 1))], axis=1).astype(np.float32),
            "center": (low[v] + high[v]) / 2,
            "scale": BOX_FACTOR * (high[v] - low[v]) / 200,
            "right": np.array(0.0 if sample.left else 1.0),
            "has_hand_pose": np.array(0.0),
            "has_betas": np.array(0.0),
            "extra_info": {},
            **nothing,
        }
        for v in range(len(points))
    ]


def target(source: Source) -> Target:
    """The format."""
    return Target(FIELDS, "{name}.tar", tar_writer(members), nothing_more)
