"""Joint angles of poses as one vector each, whatever the hand's size and proportions: what poses are clustered by."""

from __future__ import annotations

import numpy as np

from ...fingers.chains import finger_chains
from ...fingers.hinges import hinge_axes
from ...fingers.ik import closed_form, palm_directions
from ...hand.asset import HandAsset
from .diversity import palm_features

ANGLES = 21  # five of the thumb, four of each finger


def joint_angles(asset: HandAsset, joints: np.ndarray) -> np.ndarray:
    """Angles (N, 21) in radians of joints (N, 21, 3), thumb to little finger, from the palm outwards.

    Of each joint flexion and abduction as far as it has them, read off the bone directions one by one (no fit); the
    thumb's twist follows its flexion and is left out.
    """
    rooted = palm_features(joints).reshape(-1, 20, 3)  # in the palm's axes; their scale does not matter
    local = np.concatenate([np.zeros((len(rooted), 1, 3)), rooted], axis=1, dtype=np.float64)
    targets = palm_directions(local, np.broadcast_to(np.eye(3), (len(local), 3, 3)))
    columns = []
    for chain in finger_chains(asset.joints, hinge_axes(asset)[1]):
        angles = closed_form(chain, targets[:, [bone - 1 for bone in chain.bones]])
        columns.append(angles.reshape(-1, 9)[:, [free for free in chain.free if free % 3 < 2]])
    return np.concatenate(columns, axis=1)
