"""Joint limits of the hand, in radians.

What the angles mean: `angles`. Zero is a straight finger in line with its metacarpal; for the thumb's CMC joint it is
the rig's rest pose.

Approximated from these sources, by the figures they are usually quoted with: L = Lin, Wu & Huang, "Modeling the
constraints of human hand motion", 2000 (MCP flexion 0..90, abduction +-15, PIP 0..110, DIP 0..90, DIP = 2/3 PIP).
U = joint limits of the UmeTrack hand model (Han et al. 2022). The table takes the wider of the two. C = Cooney, Lucca,
Chao & Linscheid, "The kinesiology of the thumb trapeziometacarpal joint", 1981 (flexion-extension 53,
abduction-adduction 42, axial rotation 17 degrees). Values marked G are ours: small play that keeps recorded poses,
whose joints are not ideal hinges, inside the limits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..joints import JOINT_NAMES

DIP_PIP_RATIO = 2 / 3  # L: flexion of a DIP joint over that of its PIP joint, a soft rule
THUMB_PRONATION = -17 / 53  # C: axial rotation of the CMC joint per radian of its flexion, a soft rule


@dataclass(frozen=True)
class JointLimit:
    """Lowest and highest angle of one joint, radians; (0, 0) where the joint does not move."""

    flexion: tuple[float, float] = (0.0, 0.0)
    abduction: tuple[float, float] = (0.0, 0.0)
    twist: tuple[float, float] = (0.0, 0.0)


# degrees: flexion, abduction, twist
_DEGREES = {
    "wrist": ((-70, 75), (-35, 25), (0, 0)),  # flexion: AAOS norms; U has +-45; positive abduction: radial
    "thumb_cmc": ((-45, 74), (-35, 35), (-25, 15)),  # U, U, C + G
    "thumb_mcp": ((-15, 74), (-15, 15), (0, 0)),  # U + G, G
    "thumb_ip": ((-25, 90), (0, 0), (0, 0)),  # U (-15..62) + G
    "index_mcp": ((-25, 90), (-19, 28), (0, 0)),  # U -16 + G, L; U
    "index_pip": ((-10, 110), (0, 0), (0, 0)),  # L + G
    "index_dip": ((-10, 90), (0, 0), (0, 0)),  # L + G
    "middle_mcp": ((-25, 90), (-28, 16), (0, 0)),
    "middle_pip": ((-10, 110), (0, 0), (0, 0)),
    "middle_dip": ((-10, 90), (0, 0), (0, 0)),
    "ring_mcp": ((-25, 90), (-16, 16), (0, 0)),
    "ring_pip": ((-10, 110), (0, 0), (0, 0)),
    "ring_dip": ((-10, 90), (0, 0), (0, 0)),
    "little_mcp": ((-28, 94), (-39, 28), (0, 0)),  # U
    "little_pip": ((-10, 110), (0, 0), (0, 0)),
    "little_dip": ((-10, 90), (0, 0), (0, 0)),
}


def _radians(pair: tuple[float, float]) -> tuple[float, float]:
    return float(np.deg2rad(pair[0])), float(np.deg2rad(pair[1]))


LIMITS: dict[str, JointLimit] = {name: JointLimit(*map(_radians, row)) for name, row in _DEGREES.items()}


def limits_array() -> np.ndarray:
    """(21, 3, 2) lowest and highest (flexion, abduction, twist) of every joint in radians; tips do not move."""
    rows = [LIMITS.get(name, JointLimit()) for name in JOINT_NAMES]
    return np.array([(row.flexion, row.abduction, row.twist) for row in rows])
