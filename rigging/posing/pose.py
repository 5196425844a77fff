"""A clip of joints becomes a posed hand: joints, vertices and bone rotations of every frame."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..errors import InputError, input_errors
from ..hand.asset import load_asset
from ..hand.bones import bone_lengths
from ..hand.shape import RestHand, Subject, fit_subject, mean_subject, stretch_rest
from ..poses.clip import PoseClip
from ..spin.match import Match, match, matchable
from ..spin.posed import MIRROR, SKINNING, forearm_rotations
from .rig import Rig, subject_rig

_BLOCK = 64  # frames that are skinned at a time


@dataclass(frozen=True)
class PosedClip:
    """T posed frames of a rig with V vertices; float64, metres, in the frame of the clip's joints."""

    clip: PoseClip  # the recorded frames that were posed, T of them
    rig: Rig  # at rest
    joints: np.ndarray  # (T, 21, 3) of the posed rig
    vertices: np.ndarray  # (T, V, 3)
    rotations: np.ndarray  # (T, 21, 3, 3), turn the rest axes of each bone
    mode: str
    retarget: str
    skinning: str
    left: bool = False  # mirrored: rig, arrays and target are those of a left hand

    def __len__(self) -> int:
        return len(self.joints)

    @property
    def faces(self) -> np.ndarray | None:
        """(F, 3) int32, counter-clockwise from outside; None for a rig without."""
        return self.rig.faces

    @property
    def target(self) -> np.ndarray:
        """(T, 21, 3) m, the recorded joints."""
        joints = self.clip.joints.astype(np.float64)
        return joints * MIRROR if self.left else joints

    @property
    def residual(self) -> np.ndarray:
        """(T, 21) m between the recorded joints and the rig's."""
        return np.linalg.norm(self.joints - self.target, axis=-1)

    @property
    def up(self) -> np.ndarray | None:
        """(3,) unit vector against gravity, None where the clip does not know it."""
        if self.clip.up is None:
            return None
        return np.array(self.clip.up) * (MIRROR if self.left else 1)

    def mirror(self) -> PosedClip:
        """The other hand: x -> -x, R -> S R S with S = diag(-1, 1, 1); where a left hand was recorded, that one."""
        return replace(
            self,
            rig=self.rig.mirror(),
            joints=self.joints * MIRROR,
            vertices=self.vertices * MIRROR,
            rotations=MIRROR[:, None] * self.rotations * MIRROR,
            left=not self.left,
        )


def pose_clip(
    clip: PoseClip,
    subject: Subject | None = None,
    mode: str = "palm",
    retarget: str = "directions",
    skinning: str = "dual_quaternion",
    wrist: np.ndarray | None = None,
) -> PosedClip:
    """Pose our hand to the frames of a clip, as a right hand; `.mirror()` makes it left.

    `subject` says whose hand, default one with the clip's own bone lengths (`clip_subject`). `mode` and `retarget` are
    those of `match`, `skinning` is "dual_quaternion" or "linear". `wrist` (T, 2) rad, flexion and radial deviation:
    21 joints do not say where the forearm is, default straight. Result and errors as of `pose_rig`.
    """
    with input_errors(_where(clip)):
        rig = subject_rig(load_asset(), clip_subject(clip) if subject is None else subject)
    return pose_rig(rig, clip, mode, retarget, skinning, None if wrist is None else forearm_rotations(wrist))


def pose_rig(
    rig: Rig,
    clip: PoseClip,
    mode: str = "palm",
    retarget: str = "directions",
    skinning: str = "dual_quaternion",
    forearm: np.ndarray | None = None,
) -> PosedClip:
    """Pose any rig to those frames of a clip that determine all its bones (`matchable`); `.clip` holds just these.

    `forearm` (T, 3, 3): rotation of the forearm relative to the palm in the rig's axes, for all frames of the clip.
    Raises InputError in one line: no frame can be posed, an unknown option, mode "ik" of a rig without `dorsal`.
    """
    chosen = posable(clip)
    if skinning not in SKINNING:
        raise InputError(f"unknown skinning {skinning!r}; allowed: {', '.join(SKINNING)}")
    if not chosen.any():
        raise InputError(f"{_where(clip)}: none of {len(clip)} frames has 21 joints that say where all bones point")
    if forearm is not None and np.shape(forearm) != (len(clip), 3, 3):
        raise InputError(f"forearm has shape {np.shape(forearm)}, allowed is ({len(clip)}, 3, 3): one per frame")
    kept = clip.select(chosen)
    joints = kept.joints.astype(np.float64)
    with input_errors(_where(clip)):
        matched = match(
            rig.joints, joints, mode, retarget, None if forearm is None else forearm[chosen], dorsal=rig.dorsal
        )
    vertices = skin_frames(rig, matched, skinning)
    return PosedClip(kept, rig, matched.joints, vertices, matched.rotations, mode, retarget, skinning)


def posable(clip: PoseClip) -> np.ndarray:
    """(T,) whether a frame has all joints, and they say where every bone points."""
    return clip.valid.all(axis=1) & matchable(clip.joints)


def clip_subject(clip: PoseClip) -> Subject:
    """The subject whose bones come nearest to the clip's median lengths; else the mean one (age, skin).

    Raises InputError where no frame can be posed.
    """
    chosen = posable(clip)
    if not chosen.any():
        raise InputError(f"{_where(clip)}: none of {len(clip)} frames has 21 joints that say where all bones point")
    asset = load_asset()
    lengths = np.median(bone_lengths(clip.joints[chosen].astype(np.float64)), axis=0)
    return fit_subject(asset, lengths, mean_subject(asset))


def skin_frames(rig: Rig, matched: Match, skinning: str = "dual_quaternion") -> np.ndarray:
    """Vertices (T, V, 3) m of a rig, by a match of T frames; by positions the bones are stretched at rest first."""
    skin, rest = SKINNING[skinning], RestHand(rig.vertices, rig.joints)
    vertices = np.empty((len(matched), *rig.vertices.shape))
    if matched.retarget == "positions":
        lengths = bone_lengths(rig.joints) * matched.stretch
        for frame, own in enumerate(lengths):
            stretched = stretch_rest(rest, rig, own)
            vertices[frame] = skin(stretched, rig, matched.rotations[frame], matched.joints[frame])
        return vertices
    for start in range(0, len(matched), _BLOCK):
        part = slice(start, start + _BLOCK)
        vertices[part] = skin(rest, rig, matched.rotations[part], matched.joints[part])
    return vertices


def _where(clip: PoseClip) -> str:
    return f"{clip.source} clip {clip.name}"
