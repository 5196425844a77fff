"""The one table of joint orders: how the points of each data set become our 21."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..clip import PoseError

NONE = -1  # a joint the source does not have


@dataclass(frozen=True)
class JointOrder:
    """`canonical = source[indices]`; NONE marks a joint that the source lacks."""

    indices: tuple[int, ...]  # 21
    count: int  # points per hand in the source
    certainty: str  # "certain", or what is in doubt
    tip_def: str = "skin"
    wrist_def: str = "joint"

    @property
    def lacks_thumb_base(self) -> bool:
        """Whether the source has no thumb CMC, so that it is estimated."""
        return self.indices[1] == NONE


_IDENTITY = tuple(range(21))
_CERTAIN = "certain"

# Read in the data sets' own code (fh_utils, plot_util, dex_ycb, hand3d, InterHand's regressor, the NYU rig).
JOINT_ORDERS: dict[str, JointOrder] = {
    "canonical": JointOrder(_IDENTITY, 21, _CERTAIN),
    "freihand": JointOrder(_IDENTITY, 21, _CERTAIN, "mano"),
    "hanco": JointOrder(_IDENTITY, 21, _CERTAIN, "mano"),
    "dexycb": JointOrder(_IDENTITY, 21, _CERTAIN, "mano"),
    "mediapipe": JointOrder(_IDENTITY, 21, _CERTAIN),
    # 42 points: the left hand is 0..20, the right 21..41; pass one hand. Inside a finger the tip comes first.
    "rhd": JointOrder(
        (0, 4, 3, 2, 1, 8, 7, 6, 5, 12, 11, 10, 9, 16, 15, 14, 13, 20, 19, 18, 17), 21, _CERTAIN
    ),
    # Joint 0 is the palm centre, not the wrist: see `wrist_from`. STB shows LEFT hands.
    "stb": JointOrder(
        (0, 17, 18, 19, 20, 13, 14, 15, 16, 9, 10, 11, 12, 5, 6, 7, 8, 1, 2, 3, 4), 21, _CERTAIN,
        wrist_def="palm_centre",
    ),
    # The palm centre again; the order of lines is known from a third-party reader only.
    "mhp": JointOrder(
        (20, 17, 16, 18, 19, 1, 0, 2, 3, 5, 4, 6, 7, 13, 12, 14, 15, 9, 8, 10, 11), 21,
        "certain from a third-party reader", wrist_def="palm_centre",
    ),
    # 42 points: the right hand is 0..20, the left 21..41; pass one hand. Tip first, wrist last.
    "interhand": JointOrder(
        (20, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 19, 18, 17, 16), 21, _CERTAIN, "mano"
    ),
    # MANO's 16 joints, then five tips: thumb, index, middle, ring, little (manopth) ...
    "mano16_timrl": JointOrder(
        (0, 13, 14, 15, 16, 1, 2, 3, 17, 4, 5, 6, 18, 10, 11, 12, 19, 7, 8, 9, 20), 21, _CERTAIN, "mano"
    ),
    # ... or index, middle, little, ring, thumb (minimal-hand, eden-mpi-ik).
    "mano16_imlrt": JointOrder(
        (0, 13, 14, 15, 20, 1, 2, 3, 16, 4, 5, 6, 17, 10, 11, 12, 19, 7, 8, 9, 18), 21, _CERTAIN, "mano"
    ),
    # Sphere centres of a rig, not joint centres: `nyu.py` corrects them. KNU1_A is mid-phalanx, not the MCP.
    "nyu36": JointOrder(
        (35, 29, 27, 25, 24, 23, 21, 19, 18, 17, 15, 13, 12, 11, 9, 7, 6, 5, 3, 1, 0), 36, _CERTAIN,
        "pulp_centre", "nyu_root",
    ),
    # Skips the four finger metacarpal bases.
    "webxr25": JointOrder(
        (0, 1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14, 16, 17, 18, 19, 21, 22, 23, 24), 25, _CERTAIN
    ),
    # OpenXR's XR_EXT_hand_tracking: the palm, then the 25 of WebXR.
    "openxr26": JointOrder(
        (1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 14, 15, 17, 18, 19, 20, 22, 23, 24, 25), 26, _CERTAIN
    ),
    # Tips first; no thumb CMC. Covers HOT3D too.
    "umetrack21": JointOrder(
        (5, NONE, 6, 7, 0, 8, 9, 10, 1, 11, 12, 13, 2, 14, 15, 16, 3, 17, 18, 19, 4), 21, _CERTAIN
    ),
}  # fmt: skip


def joint_order(name: str, where: str = "") -> JointOrder:
    """The order called `name`; PoseError lists the names there are, after `where` the name is from."""
    if name not in JOINT_ORDERS:
        raise PoseError(f"{where}joint order {name!r} is unknown, allowed are {', '.join(JOINT_ORDERS)}")
    return JOINT_ORDERS[name]


def to_canonical(source: str, joints: np.ndarray, wrist_from: Literal["ring", "middle"] | None = None) -> np.ndarray:
    """Points of one hand (..., K, 3) in the order of `source` -> (..., 21, 3); joints it lacks are NaN.

    Where joint 0 is the palm centre, `wrist_from` extrapolates the wrist as MCP + 2 (palm - MCP). Published
    code for STB uses the ring MCP in one place and the middle MCP in another, so the choice is the caller's.

    Raises:
        PoseError: unknown source, or another number of points than it has.
    """
    order = joint_order(source)
    joints = np.asarray(joints)
    if joints.ndim < 2 or joints.shape[-2:] != (order.count, 3):
        raise PoseError(f"{source} points have shape {joints.shape}, allowed is (..., {order.count}, 3)")
    indices = np.array(order.indices)
    result = joints[..., np.maximum(indices, 0), :]
    if (indices == NONE).any():
        result = np.where((indices == NONE)[:, None], np.nan, result)
    if wrist_from is not None:
        if order.wrist_def != "palm_centre":
            raise PoseError(f"{source} has a wrist, so wrist_from={wrist_from!r} does not apply")
        mcp = result[..., {"ring": 13, "middle": 9}[wrist_from], :]
        result[..., 0, :] = mcp + 2 * (result[..., 0, :] - mcp)
    return result


def from_canonical(target: str, joints: np.ndarray) -> np.ndarray:
    """Our joints (..., 21, D) in the order of `target`: (..., 21, D), which `to_canonical` turns back.

    Raises:
        PoseError: unknown order, or one that has not exactly our joints.
    """
    order = joint_order(target)
    if sorted(order.indices) != list(range(21)) or order.count != 21 or order.wrist_def == "palm_centre":
        raise PoseError(f"joint order {target!r} has not our 21 joints, so nothing can be written in it")
    return np.asarray(joints)[..., np.argsort(order.indices), :]
