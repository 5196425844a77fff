"""The fixed joint map: where the detector's points lie on a hand whose joints are ours.

Its wrist lies nearer the palm than ours, its knuckles a little nearer the wrist. OFFSETS are constants: of points that
move with the palm, how far from our joint the detector's lies, in the palm's axes. Those of the fingers move with the
fingers, and are left as they are.
"""

from __future__ import annotations

import numpy as np

from rigging.geometry.projection import project

from ..statistics.directions import palm_axes

MAPPED = (0, 1, 5, 9, 13, 17)  # wrist, thumb_cmc and the MCP joints
# (6, 3) palm lengths: across (index to little), along (wrist to knuckles), out of the back. Fitted by
# docs/figures/judge.py to half of the subjects of a release of 3,840 views; the other half gives the same to 0.01.
OFFSETS = np.array([
    (-0.004, 0.198, -0.055), (-0.029, 0.010, -0.044),
    (0.039, -0.045, 0.006), (-0.007, -0.033, 0.014), (-0.022, -0.014, 0.014), (-0.043, -0.006, 0.010),
])  # fmt: skip


def palm_length(joints: np.ndarray) -> float:
    """Distance from the wrist to the middle MCP of joints (21, 3), in their unit."""
    return float(np.linalg.norm(joints[9] - joints[0]))


def mapped(joints: np.ndarray, hand: str, offsets: np.ndarray = OFFSETS) -> np.ndarray:
    """Where the detector's points are expected (21, 3) for joints (21, 3), in the same frame and unit."""
    out = joints.astype(float)
    out[list(MAPPED)] += palm_length(joints) * offsets @ palm_axes(joints, hand).T
    return out


def expected(
    joints_world: np.ndarray, hand: str, K: np.ndarray, world_to_cam: np.ndarray, distortion: np.ndarray | None = None
) -> np.ndarray:
    """Those points (V, 21, 2) px, of joints (21, 3) m, in views of cameras K (V, 3, 3), world_to_cam (V, 4, 4).

    distortion: (V, 5) of their lenses, or None.
    """
    return project(mapped(joints_world, hand), K, world_to_cam, distortion)
