"""Twist errors of every mode of spin matching on poses whose rotations are known, as a table.

Poses are mixes of the built-in anchors, posed by `rigging.fingers.kinematics`, whose joints are not those that "ik"
assumes; each is turned at random. Printed: mean / 95th percentile in degrees, of fingers | of the thumb.
"""

from __future__ import annotations

import sys

import numpy as np

from rigging.fingers.hinges import hinge_axes
from rigging.fingers.kinematics import bone_frames, bone_rotations, place_joints, skeleton
from rigging.geometry.rotations import normalise, random_rotation, twist_angle
from rigging.hand.asset import load_asset
from rigging.joints import JOINT_PARENTS
from rigging.poses.sampling.anchors import load_anchors
from rigging.spin.match import MODES, match

POSES = 1000
NOISES_MM = (0, 2, 4)
THUMB = [1, 2, 3]  # index: bone - 1
FINGERS = [bone - 1 for bone in range(6, 21) if bone % 4 != 1]


def known_poses(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Joints (POSES, 21, 3) and rotations (POSES, 21, 3, 3)."""
    model = skeleton(load_asset())
    anchors = np.stack([anchor.angles for anchor in load_anchors()])
    first, second = rng.integers(len(anchors), size=(2, POSES))
    share = rng.random((POSES, 1))
    frames = bone_frames(model, share * anchors[first] + (1 - share) * anchors[second])
    turns = random_rotation(rng, POSES)
    joints = place_joints(model, frames) @ np.swapaxes(turns, 1, 2)
    return joints, turns[:, None] @ bone_rotations(model, frames)


def main() -> int:
    rng = np.random.default_rng(0)
    asset = load_asset()
    _, dorsal = hinge_axes(asset)
    joints, truth = known_poses(rng)
    noisy = {noise: joints + noise * 1e-3 * rng.normal(size=joints.shape) for noise in NOISES_MM}
    sys.stdout.write("mode          " + "".join(f"{noise} mm".center(30) for noise in NOISES_MM) + "\n")
    for mode in MODES:
        cells = []
        for target in noisy.values():
            rotations = match(asset.joints, target, mode, dorsal=dorsal).rotations
            axes = normalise(target[:, 1:] - target[:, list(JOINT_PARENTS[1:])])
            errors = np.rad2deg(np.abs(twist_angle(rotations[:, 1:] @ np.swapaxes(truth[:, 1:], -1, -2), axes)))
            cells.append(f"{describe(errors[:, FINGERS])} | {describe(errors[:, THUMB])}".center(30))
        sys.stdout.write(f"{mode:14}" + "".join(cells) + "\n")
    return 0


def describe(errors: np.ndarray) -> str:
    return f"{errors.mean():.1f} / {np.percentile(errors, 95):.1f}"


if __name__ == "__main__":
    sys.exit(main())
