"""How good a match is: errors of the posed bones against the target joints, in millimetres and degrees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..fingers.hinges import rest_directions
from ..geometry.rotations import normalise, twist_angle
from ..joints import JOINT_PARENTS
from .match import Match

# Bones that follow another bone of the same finger; the first of each finger follows the palm as a whole.
FOLLOWERS = tuple(bone for bone in range(1, 21) if bone % 4 not in (1, 2))
# Bones that a one-axis joint (PIP, DIP, thumb IP) joins to the bone before.
HINGED = (4, 7, 8, 11, 12, 15, 16, 19, 20)
_PARENTS = list(JOINT_PARENTS[1:])
JUMP_TWIST, JUMP_MOTION = np.deg2rad(30.0), 0.010  # a jump: more twist than this while the hand moves less than this


@dataclass(frozen=True)
class SpinErrors:
    """Errors of T frames; degrees and millimetres, for reading."""

    position_mm: np.ndarray  # (T, 21) rig joint to target joint
    direction_deg: np.ndarray  # (T, 20) posed bone to target bone
    stretch: np.ndarray  # (T, 20) target bone length over the rig's
    phalanx_twist_deg: np.ndarray  # (T, 10) between a phalanx and the bone before it: the candy wrapper
    hinge_deg: np.ndarray  # (T, 9) hinge axis to bend-plane normal
    hinge_weight: np.ndarray  # (T, 9) sine of the bend
    twist_step_deg: np.ndarray  # (T - 1, 20) twist of a bone from one frame to the next
    jumps: int  # bones and frames that twist by more than 30 degrees while no joint moves by 10 mm

    def summary(self) -> dict[str, str]:
        """Rows of a table: name to text."""
        weight = self.hinge_weight.sum()
        hinge = float((self.hinge_deg * self.hinge_weight).sum() / weight) if weight else 0.0
        return {
            "joint position error, mm: mean / p99 / max": _triple(self.position_mm),
            "bone direction error, deg: mean / p99 / max": _triple(self.direction_deg),
            "bone length over the rig's: p1 / median / p99": _percentiles(self.stretch, (1, 50, 99)),
            "inter-phalangeal twist, deg: mean / p99 / max": _triple(self.phalanx_twist_deg),
            "hinge axis to bend-plane normal, deg: mean by sin": f"{hinge:.2f}",
            "twist from frame to frame, deg: p99 / max": _percentiles(self.twist_step_deg, (99, 100)),
            "twist jumps (> 30 deg at < 10 mm)": str(self.jumps),
        }


def _triple(values: np.ndarray) -> str:
    return f"{values.mean():.2f} / {np.percentile(values, 99):.2f} / {values.max():.2f}" if values.size else "-"


def _percentiles(values: np.ndarray, which: tuple[int, ...]) -> str:
    return " / ".join(f"{value:.2f}" for value in np.percentile(values, which)) if values.size else "-"


def spin_errors(rest_joints: np.ndarray, hinges: np.ndarray, target: np.ndarray, match: Match) -> SpinErrors:
    """Errors of a match of target joints (T, 21, 3), consecutive frames of a clip.

    rest_joints (21, 3) m and hinges (21, 3), the unit flexion axes at rest (`hinges.hinge_axes`), describe the rig.
    """
    directions = normalise(target[:, 1:] - target[:, _PARENTS])
    bones = np.einsum("tbij,bj->tbi", match.rotations[:, 1:], rest_directions(rest_joints)[1:])
    hinge, weight = hinge_errors(hinges, directions, match.rotations)
    steps, jumps = twist_steps(match.rotations[:, 1:], directions, target)
    return SpinErrors(
        position_mm=1000 * np.linalg.norm(match.joints - target, axis=2),
        direction_deg=np.rad2deg(angle_between(bones, directions)),
        stretch=match.stretch[:, 1:],
        phalanx_twist_deg=np.rad2deg(np.abs(phalanx_twists(match.rotations, directions))),
        hinge_deg=np.rad2deg(hinge),
        hinge_weight=weight,
        twist_step_deg=np.rad2deg(np.abs(steps)),
        jumps=jumps,
    )


def angle_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Angles (...) in radians between vectors (..., 3), accurate for small angles."""
    return np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), np.sum(a * b, axis=-1))


def phalanx_twists(rotations: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Signed twists (T, 10) of R_k R_{k-1}^T about bone k, radians: what wrings the skin like a candy wrapper."""
    chosen = list(FOLLOWERS)
    before = np.swapaxes(rotations[:, [bone - 1 for bone in chosen]], -1, -2)
    return twist_angle(rotations[:, chosen] @ before, directions[:, [bone - 1 for bone in chosen]])


def hinge_errors(hinges: np.ndarray, directions: np.ndarray, rotations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Angles (T, 9) between the posed hinge axes and the bend-plane normals as lines, radians; sines of the bends."""
    chosen = np.array(HINGED)
    normals = np.cross(directions[:, chosen - 2], directions[:, chosen - 1])
    axes = np.einsum("tbij,bj->tbi", rotations[:, chosen], hinges[chosen])
    across = np.linalg.norm(np.cross(axes, normals), axis=-1)
    return np.arctan2(across, np.abs(np.sum(axes * normals, axis=-1))), np.linalg.norm(normals, axis=-1)


def twist_steps(rotations: np.ndarray, directions: np.ndarray, joints: np.ndarray) -> tuple[np.ndarray, int]:
    """Twists (T - 1, B) about each bone from a frame to the next, radians, and the number of jumps among them."""
    steps = twist_angle(rotations[1:] @ np.swapaxes(rotations[:-1], -1, -2), directions[1:])
    motion = np.linalg.norm(np.diff(joints, axis=0), axis=2).max(axis=1, initial=0.0)
    return steps, int(((np.abs(steps) > JUMP_TWIST) & (motion < JUMP_MOTION)[:, None]).sum())


def pool(parts: list[SpinErrors]) -> SpinErrors:
    """The errors of several clips together."""
    fields = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _ARRAYS}
    return SpinErrors(**fields, jumps=sum(part.jumps for part in parts))


_ARRAYS = [name for name in SpinErrors.__dataclass_fields__ if name != "jumps"]
