"""The cameras that a release asks for: read where a file has them, and tried around hands before it is planned."""

from __future__ import annotations

import numpy as np

from rigging.geometry.calibration import Calibration
from rigging.geometry.cameras import hand_frame, palm_frame
from rigging.geometry.lenses import with_lens
from rigging.geometry.rigs import place_cameras
from rigging.geometry.rotations import random_rotation
from rigging.geometry.stands import Target, forearm_of, held_up, make_target
from rigging.hand.arm import build_arm
from rigging.hand.asset import load_asset
from rigging.hand.shape import RestHand
from rigging.poses.readers.calibration import read_calibration
from rigging.spin.posed import PosedHand, framing_points

from ..errors import InputError
from .release import Release
from .seeds import Stream, generator

TRIALS = 16  # hands


def release_calibration(release: Release) -> Calibration | None:
    """The cameras of [files] calibration; None without it. Raises InputError, also if they are not `views` many."""
    path, cameras = release.files.calibration, release.cameras
    if not path:
        return None
    try:
        found = read_calibration(path, cameras.elsewhere.chosen, cameras.elsewhere.image)
    except (OSError, InputError) as error:
        raise InputError(f"[files] calibration: {error}") from None
    if len(found) != cameras.views:
        raise InputError(
            f"[cameras] views = {cameras.views}: {path} has {len(found)} cameras; allowed is as many, "
            "or to name those to take in [cameras.free] chosen"
        )
    return found


def try_rig(release: Release, calibration: Calibration | None) -> None:
    """Place the cameras around TRIALS hands at rest. Raises InputError where a view shows no hand, or a lens folds."""
    if release.cameras.rig == "ring":
        return
    for trial in range(TRIALS):
        rng = generator(release, Stream.RIG, trial)
        try:
            cameras = place_cameras(_rest_target(release, rng), release.cameras, rng, calibration=calibration)
            with_lens(cameras, release.cameras.distortion.worst)
        except ValueError as error:
            raise InputError(f"{release.files.calibration or '[cameras]'}: {error}") from None


def _rest_target(release: Release, rng: np.random.Generator) -> Target:
    """The hand at rest, turned as a release would."""
    asset = load_asset()
    arm = build_arm(asset, RestHand(asset.template, asset.joints), "bare", np.random.default_rng(0))
    hand = PosedHand(asset.template, asset.joints, arm, np.tile(np.eye(3), (len(asset.joints), 1, 1)))
    turn = random_rotation(rng)
    if release.cameras.rig == "egocentric":
        turn = held_up(forearm_of(hand.arm_vertices, hand.joints[0]), rng)
    hand = hand.placed(turn, -turn @ palm_frame(hand.joints)[0])
    return target_of((hand,), framing_points(asset, (hand,)))


def upright(release: Release, hand: PosedHand, up: np.ndarray, has_up: bool, index: int) -> np.ndarray:
    """The rotation (3, 3) into the world of pair `index`, whose first pose is `hand`.

    It is `up` (3, 3), but for a camera on the head: a hand whose source does not know up is held as before the eyes.
    """
    if has_up or release.cameras.rig != "egocentric":
        return up
    return held_up(forearm_of(hand.arm_vertices, hand.joints[0]), generator(release, Stream.RIG, index))


def target_of(hands: tuple[PosedHand, ...], points: np.ndarray, left: bool = False) -> Target:
    """What the cameras of a pair are placed around: its hands in the world; `points` (N, 3) m are `framing_points`.

    With `left` the palm's axes are the mirror image of a right hand's, so that cameras are as well.
    """
    first = hands[0]
    body = np.concatenate([part for hand in hands for part in (hand.vertices, hand.arm_vertices)])
    return make_target(hand_frame(first.joints, left), points, body, first.arm_vertices, first.joints[0])
