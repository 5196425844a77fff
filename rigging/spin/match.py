"""Spin matching: bone rotations from joint positions: Algorithm 1 of MVHM, and better (docs/spin_matching.md)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..fingers.ik import ik_rotations
from ..joints import JOINT_NAMES
from .kernels import cross, swing_onto
from .modes import PARENTS, RestBones, match_none, match_palm, match_paper, match_paper_literal, palm_kabsch, rest_bones

MODES = ("none", "paper-literal", "paper", "palm", "ik")
RETARGETS = ("directions", "positions")
_CHUNK = 512  # frames at a time: their arrays stay in the cache
_SHORTEST = 1e-6  # metres; a shorter bone has no direction
_STRAIGHTEST = 1e-6  # sine of the angle between along and across the palm below which the palm is a line


@dataclass(frozen=True)
class Match:
    """Posed bones of T frames, or of one frame without the leading axis; float64, frame of the target joints."""

    rotations: np.ndarray  # (T, 21, 3, 3), turn the rest axes of each bone
    joints: np.ndarray  # (T, 21, 3) m, of the posed rig
    stretch: np.ndarray  # (T, 21), target bone length over rest bone length; 1 for the forearm
    residual: np.ndarray  # (T, 21) m, from the target's joints to the rig's
    retarget: str = "directions"

    def __len__(self) -> int:
        return len(self.joints)

    def __getitem__(self, frame: int | slice) -> Match:
        """One frame (arrays without the leading axis), or a range of them."""
        return Match(
            self.rotations[frame], self.joints[frame], self.stretch[frame], self.residual[frame], self.retarget
        )


def match(
    rest_joints: np.ndarray,
    target_joints: np.ndarray,
    mode: str = "palm",
    retarget: str = "directions",
    forearm: np.ndarray | None = None,
    dorsal: np.ndarray | None = None,
) -> Match:
    """Turn the bones of a rig to recorded joints.

    rest_joints (21, 3) m at rest, target_joints (T, 21, 3) m right-handed. `retarget`: "directions" keeps the rig's
    bone lengths (bone directions are the target's, the wrist is the target's wrist), "positions" stretches the bones
    (joints are the target's). `forearm` (T, 3, 3): rotation of the forearm relative to the palm, in the rig's
    axes; default none. `dorsal` (5, 3): back of each finger at rest (`hinges.hinge_axes`), for mode "ik" alone.
    Raises ValueError, naming frame and joint, for NaN, bones of length zero or a palm that is a line.
    """
    rest_joints, target_joints = np.asarray(rest_joints, float), np.asarray(target_joints, float)
    _check_options(mode, retarget, dorsal)
    _check_joints(rest_joints[None], "the rest pose")
    _check_joints(target_joints)
    rest = rest_bones(rest_joints)
    rotations = np.empty((*target_joints.shape, 3))
    lengths = np.empty((len(target_joints), 20))
    joints = np.array(target_joints)
    for start in range(0, len(target_joints), _CHUNK):
        part = slice(start, start + _CHUNK)
        target = np.ascontiguousarray(target_joints[part].transpose(2, 1, 0))  # (3, 21, t)
        v, lengths[part] = _directions(target, start)
        rotations[part] = _rotations(rest, v, target, mode, start)
        if retarget == "directions":
            joints[part] = _follow(rest, v, target)
    if mode == "ik":
        rotations[:, 1:] = _ik(rest, rest_joints, dorsal, target_joints, rotations[:, 0])
    if forearm is not None:
        rotations[:, 0] = rotations[:, 0] @ _check_forearm(forearm, len(target_joints))
    stretch = np.concatenate([np.ones((len(lengths), 1)), lengths / rest.lengths], axis=1)
    residual = np.sqrt(((joints - target_joints) ** 2).sum(axis=2))
    return Match(rotations, joints, stretch, residual, retarget)


def matchable(joints: np.ndarray) -> np.ndarray:
    """(T,) whether frames of joints (T, 21, 3) m say where all bones point.

    All joints are finite, no bone has length zero or one beyond numbers, and the palm is no line.
    """
    joints = np.asarray(joints, float)
    finite = np.isfinite(joints).all(axis=(1, 2))
    target = np.where(finite[:, None, None], joints, 0.0).transpose(2, 1, 0)
    _, lengths = _bones(target)
    return finite & _have_direction(lengths).all(axis=0) & ~_flat_palms(target)


def _bones(target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vectors (3, 20, t) and lengths (20, t) of the bones of joints (3, 21, t)."""
    with np.errstate(over="ignore", invalid="ignore"):  # beyond numbers: infinite
        vectors = target[:, 1:] - target[:, PARENTS]
        return vectors, np.sqrt((vectors * vectors).sum(axis=0))


def _have_direction(lengths: np.ndarray) -> np.ndarray:
    return (lengths >= _SHORTEST) & np.isfinite(lengths)


def _directions(target: np.ndarray, start: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit bone directions (3, 20, t) and bone lengths (t, 20) of joints (3, 21, t)."""
    vectors, lengths = _bones(target)
    if not _have_direction(lengths).all():
        bone, frame = np.argwhere(~_have_direction(lengths))[0]
        where, before = f"frame {start + frame}: joint {JOINT_NAMES[bone + 1]}", JOINT_NAMES[PARENTS[bone]]
        if lengths[bone, frame] < _SHORTEST:
            raise ValueError(f"{where} coincides with {before}, a bone of length zero has no direction")
        raise ValueError(f"{where} is beyond numbers away from {before}")
    vectors /= lengths
    return vectors, lengths.T


def _rotations(rest: RestBones, v: np.ndarray, target: np.ndarray, mode: str, start: int) -> np.ndarray:
    """Rotations (t, 21, 3, 3) of all bones; mode "ik" starts from "palm"."""
    _check_palm(target, start)
    palm = palm_kabsch(rest, target)
    with np.errstate(divide="ignore", invalid="ignore"):  # reported below, by frame and joint
        if mode == "none":
            bones = match_none(rest, v)
        elif mode == "paper-literal":
            bones = match_paper_literal(rest, v, target)
        elif mode == "paper":
            bones = match_paper(rest, v, target)
        else:
            bones = match_palm(rest, v, palm)
    _check_rotations(bones, start)
    result = np.empty((v.shape[2], 21, 3, 3))
    result[:, 0] = palm.transpose(2, 0, 1)
    result[:, 1:] = bones.transpose(3, 2, 0, 1)
    return result


def _ik(
    rest: RestBones, rest_joints: np.ndarray, dorsal: np.ndarray, target_joints: np.ndarray, palm: np.ndarray
) -> np.ndarray:
    """Rotations (T, 20, 3, 3) of mode "ik": twists by inverse kinematics, then the smallest swing to the directions."""
    start = ik_rotations(rest_joints, np.asarray(dorsal, float), target_joints, palm)
    v, _ = _directions(np.ascontiguousarray(target_joints.transpose(2, 1, 0)), 0)
    return swing_onto(start[:, 1:].transpose(2, 3, 1, 0), rest.directions, v, rest.hinges).transpose(3, 2, 0, 1)


def _follow(rest: RestBones, v: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Joints (t, 21, 3) of the rig with its own bone lengths along `v`, from the target's wrist."""
    vectors = v * rest.lengths[:, None]
    joints = np.empty_like(target)
    joints[:, 0] = target[:, 0]
    for level in range(4):
        before = joints[:, :1] if level == 0 else joints[:, level::4][:, :5]
        joints[:, level + 1 :: 4] = before + vectors[:, level::4]
    return joints.transpose(2, 1, 0)


def _check_options(mode: str, retarget: str, dorsal: np.ndarray | None) -> None:
    if mode not in MODES:
        raise ValueError(f"unknown mode {mode!r}; allowed: {', '.join(MODES)}")
    if retarget not in RETARGETS:
        raise ValueError(f"unknown retarget {retarget!r}; allowed: {', '.join(RETARGETS)}")
    if mode == "ik" and (dorsal is None or np.shape(dorsal) != (5, 3)):
        raise ValueError("mode 'ik' needs `dorsal`, (5, 3): the back of each finger at rest (hinges.hinge_axes)")


def _check_joints(joints: np.ndarray, where: str | None = None) -> None:
    if joints.ndim != 3 or joints.shape[1:] != (21, 3):
        raise ValueError(f"{where or 'target joints'}: got shape {joints.shape}, allowed is (frames, 21, 3)")
    if not np.isfinite(joints).all():
        frame, joint, _ = np.argwhere(~np.isfinite(joints))[0]
        raise ValueError(f"{where or f'frame {frame}'}: joint {JOINT_NAMES[joint]} is not finite")


def _flat_palms(target: np.ndarray) -> np.ndarray:
    """(t,) whether the palm of joints (3, 21, t) is a line, or too large for numbers."""
    with np.errstate(over="ignore", invalid="ignore"):
        forward = target[:, 5] + target[:, 9] + target[:, 13] + target[:, 17] - 4 * target[:, 0]
        across = target[:, 17] - target[:, 5]
        normal = cross(forward, across)
        length = (forward**2).sum(axis=0) * (across**2).sum(axis=0)
        return ~((normal**2).sum(axis=0) > _STRAIGHTEST**2 * length)


def _check_palm(target: np.ndarray, start: int) -> None:
    """The palm of joints (3, 21, t) must span a plane, or its rotation is not determined."""
    flat = _flat_palms(target)
    if flat.any():
        frame = start + int(np.argmax(flat))
        raise ValueError(f"frame {frame}: wrist and MCP joints are on one line, the palm has no defined rotation")


def _check_rotations(rotations: np.ndarray, start: int) -> None:
    """Rotations (3, 3, 20, t): not finite where the joints do not determine them."""
    if not np.isfinite(rotations).all():
        bone, frame = np.argwhere(~np.isfinite(rotations).all(axis=(0, 1)))[0]
        raise ValueError(f"frame {start + frame}: joint {JOINT_NAMES[bone + 1]}: its bone has no defined rotation")


def _check_forearm(forearm: np.ndarray, frames: int) -> np.ndarray:
    if np.shape(forearm) != (frames, 3, 3) or not np.isfinite(forearm).all():
        raise ValueError(f"forearm: got shape {np.shape(forearm)}, allowed are finite ({frames}, 3, 3)")
    return np.asarray(forearm, float)
