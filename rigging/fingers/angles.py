"""Joint angles of the fingers: what flexion, abduction and twist are, everywhere in this project.

Angles of a joint describe the bone that starts in it, in the order of the joint coordinate system of the ISB (Wu et
al. 2005): flexion about the joint's hinge, then abduction about the dorsal axis that has moved with it, then twist
about the bone itself. Positive flexion bends towards the palm, positive abduction moves towards the thumb's side
(radially, whichever finger), positive twist is right-handed about the bone, which on a right hand is supination.

A joint's frame has the columns (hinge, bone, palmar) at angles of zero. Zero is in line with the bone before in
`chains`, which reads any rig; in `kinematics`, which poses by authored angles, it is a straight hand with nearly
parallel fingers. `limits` holds how far joints go.
"""

from __future__ import annotations

import numpy as np

from ..geometry.rotations import axis_angle, coordinate_turn

# Turning axes of (flexion, abduction, twist) in a joint's frame.
TURN_AXES = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])


def joint_turns(angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotation (..., 3, 3) of a joint in its frame, and its turning axes (..., 3, 3) in rows, for angles (..., 3)."""
    flexion = axis_angle(TURN_AXES[0], angles[..., 0])
    bent = flexion @ axis_angle(TURN_AXES[1], angles[..., 1])
    axes = np.stack([np.broadcast_to(TURN_AXES[0], angles.shape), flexion @ TURN_AXES[1], bent @ TURN_AXES[2]], axis=-2)
    return bent @ axis_angle(TURN_AXES[2], angles[..., 2]), axes


def bend(frames: np.ndarray, flexion: np.ndarray, abduction: np.ndarray | None = None) -> np.ndarray:
    """Frames (..., 3, 3) turned by flexion and abduction (...) in radians: `joint_turns` without twist, and faster."""
    bent = frames @ coordinate_turn(0, flexion)
    return bent if abduction is None else bent @ coordinate_turn(2, -abduction)


def direction_angles(frames: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Flexion, abduction and zero twist (..., 3) that turn the bone axis of frames (..., 3, 3) to unit directions."""
    x, y, z = np.moveaxis(np.einsum("...ji,...j->...i", frames, directions), -1, 0)
    return np.stack([np.arctan2(z, y), np.arcsin(np.clip(x, -1, 1)), np.zeros_like(x)], axis=-1)
