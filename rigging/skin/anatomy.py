"""Where each texel lies on the hand: finger coordinates, how palmar the skin is, forearm coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..geometry.rotations import unit_vector
from ..geometry.smooth import smoothstep
from .noise import Noise
from .texels import Surface, Texels

REFERENCE_PALM = 0.103  # metres from wrist to middle MCP of the hand that lengths in this package are given for


@dataclass(frozen=True)
class FingerCoordinates:
    """Where M points lie on a finger."""

    bone: np.ndarray  # (M,) 0..2, the bone whose stretch the point lies in
    along: np.ndarray  # (M,) metres from the bone's start
    angle: np.ndarray  # (M,) radians around the bone, 0 dorsal, +-pi palmar, positive towards the little finger
    radius: np.ndarray  # (M,) metres, half the finger's width there


@dataclass(frozen=True)
class FingerShape:
    """A finger's bones and girth; its chain's joints are 4 * number + 1 .. 4 * number + 4."""

    joints: np.ndarray  # (4, 3) from the palm outwards, tip last
    axes: np.ndarray  # (3, 3, 3) per bone: rows across, along, dorsal; unit, right-handed
    sections: np.ndarray  # (4, 3) per joint: middle across, middle dorsal, half width of the flesh, metres

    def lengths(self) -> np.ndarray:
        """Metres (3,) of the bones."""
        return np.linalg.norm(np.diff(self.joints, axis=0), axis=1)

    def past_joint(self, points: np.ndarray, joint: int) -> np.ndarray:
        """Metres (M,) by which `points` lie beyond the plane that bisects the finger at chain joint 1 or 2."""
        middle = self.axes[joint - 1, 1] + self.axes[joint, 1]
        return (points - self.joints[joint]) @ (middle / np.linalg.norm(middle)).astype(np.float32)

    def coordinates(self, points: np.ndarray) -> FingerCoordinates:
        """Coordinates of `points` (M, 3)."""
        bone = (self.past_joint(points, 1) > 0).astype(int) + (self.past_joint(points, 2) > 0)
        offset = points - self.joints.astype(np.float32)[bone]
        local = np.einsum("mij,mj->mi", self.axes.astype(np.float32)[bone], offset)
        station = bone + np.clip(local[:, 1] / self.lengths()[bone], 0.0, 1.0)
        across, lift, radius = (
            np.interp(station, np.arange(4), self.sections[:, k]).astype(np.float32) for k in range(3)
        )
        return FingerCoordinates(bone, local[:, 1], np.arctan2(local[:, 0] - across, local[:, 2] - lift), radius)


@dataclass(frozen=True)
class Finger:
    """The texels of one finger."""

    number: int  # 0 thumb .. 4 little
    index: np.ndarray  # (M,) into the texels
    points: np.ndarray  # (M, 3)
    weight: np.ndarray  # (M,) how far the texel belongs to the finger rather than the palm
    shape: FingerShape
    at: FingerCoordinates

    def near_joint(self, joint: int) -> tuple[np.ndarray, np.ndarray]:
        """Metres (M,) beyond chain joint 1 or 2 along the finger, and the mask of texels within 16 mm."""
        along = self.shape.past_joint(self.points, joint)
        return along, np.abs(along) < 0.016


@dataclass(frozen=True)
class Anatomy:
    """The N texels in the hand frame (metres), with what the painters need to know about them."""

    points: np.ndarray  # (N, 3) float32
    normals: np.ndarray  # (N, 3) float32
    joints: np.ndarray  # (21, 3)
    scale: float  # this hand's palm length over the reference
    fingers: tuple[Finger, ...]
    finger_weight: np.ndarray  # (N,) 0 palm and arm .. 1 finger
    dorsal: np.ndarray  # (N,) 1 on the back .. -1 on the palm side, 0 at the border
    palmar: np.ndarray  # (N,) 0..1 share of the palm's skin, with an irregular soft border
    arm: np.ndarray  # (N,) 0 hand .. 1 forearm

    def palm_to_hand(self, plane: np.ndarray) -> np.ndarray:
        """x, y (..., 2) in the hand frame of palm coordinates: first 0 at the little MCP and 1 at the index MCP, then
        0 at the wrist and 1 at the middle MCP."""
        little, index = self.joints[17, 0], self.joints[5, 0]
        return np.stack([little + plane[..., 0] * (index - little), plane[..., 1] * self.joints[9, 1]], -1)

    def hand_to_palm(self, points: np.ndarray) -> np.ndarray:
        """Inverse of `palm_to_hand` for points (..., 3) or (..., 2)."""
        little, index = self.joints[17, 0], self.joints[5, 0]
        return np.stack([(points[..., 0] - little) / (index - little), points[..., 1] / self.joints[9, 1]], -1)


def _bone_axes(joints: np.ndarray, dorsal: np.ndarray) -> np.ndarray:
    axes = []
    for start, end in pairwise(joints):
        along = unit_vector(end - start)
        up = unit_vector(dorsal - (dorsal @ along) * along)
        axes.append(np.stack([np.cross(along, up), along, up]))
    return np.array(axes)


def _section(vertices: np.ndarray, joint: np.ndarray, axes: np.ndarray, slab: float) -> np.ndarray:
    """Middle across, middle dorsal and half width of the finger in the slab around a joint."""
    local = (vertices - joint) @ axes.T
    ring = local[np.abs(local[:, 1]) < slab]
    if len(ring) < 4:
        return np.array([0.0, 0.0, 0.008])
    low, high = ring.min(0), ring.max(0)
    return np.array([(low[0] + high[0]) / 2, (low[2] + high[2]) / 2, (high[0] - low[0]) / 2])


def finger_shape(number: int, surface: Surface, joints: np.ndarray, dorsal: np.ndarray) -> FingerShape:
    """Bones and girth of finger `number`; `dorsal` (3,) is its nail's direction."""
    chain = joints[4 * number + 1 : 4 * number + 5]
    axes = _bone_axes(chain, dorsal)
    weight = surface.weights[:, 4 * number + 2 : 4 * number + 5].sum(1)
    own = surface.vertices[weight > 0.6]
    inner = [_section(own, chain[k], axes[k], 0.004) for k in (1, 2)]
    pad = chain[3] - 0.25 * (chain[3] - chain[2])  # the last joint lies too near the surface to measure girth there
    last = inner[1] + (_section(own, pad, axes[2], 0.003) - inner[1]) / 0.75
    last[2] = max(last[2], 0.75 * inner[1][2])
    return FingerShape(chain, axes, np.array([inner[0], *inner, last]))


def make_finger(number: int, surface: Surface, texels: Texels, points: np.ndarray, shape: FingerShape) -> Finger:
    """The texels that the finger's bones move at least a little."""
    share = texels.interpolate(surface.weights[:, 4 * number + 2 : 4 * number + 5].sum(1))
    index = np.flatnonzero(share > 0.02)
    return Finger(number, index, points[index], share[index], shape, shape.coordinates(points[index]))


def _dorsality(
    surface: Surface, texels: Texels, normals: np.ndarray, fingers: tuple[Finger, ...], directions: np.ndarray
) -> np.ndarray:
    """1 on the back .. -1 on the palm side; around the bone on fingers, by the normal elsewhere."""
    thumb = texels.interpolate(surface.weights[:, [1, 2, 3, 4]].sum(1))[:, None]
    facing = np.array([0.0, 0.0, 1.0]) + thumb * directions[0] * 0.9
    facing /= np.linalg.norm(facing, axis=1, keepdims=True)
    value = (normals * facing).sum(1)
    for finger in fingers:
        if finger.number == 0:  # the thumb's metacarpal belongs to the palm
            blend = finger.weight * smoothstep(-0.3, 0.35, finger.at.bone + finger.at.along / 0.03 - 1.0)
        else:
            blend = smoothstep(0.25, 0.9, finger.weight)
        value[finger.index] += blend * (np.cos(finger.at.angle) - value[finger.index])
    return value


def make_anatomy(surface: Surface, texels: Texels, joints: np.ndarray, directions: np.ndarray, noise: Noise) -> Anatomy:
    """Locate every texel. `directions` (5, 3) are the fingers' dorsal directions."""
    points = texels.interpolate(surface.vertices)
    normals = texels.interpolate(surface.normals)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    scale = float(np.linalg.norm(joints[9] - joints[0]) / REFERENCE_PALM)
    shapes = [finger_shape(k, surface, joints, directions[k]) for k in range(5)]
    fingers = tuple(make_finger(k, surface, texels, points, shapes[k]) for k in range(5))
    finger_weight = np.zeros(len(points), np.float32)
    for finger in fingers[1:]:
        finger_weight[finger.index] = np.maximum(finger_weight[finger.index], finger.weight)
    thumb = texels.interpolate(surface.weights[:, [3, 4]].sum(1))
    finger_weight = np.maximum(finger_weight, thumb)
    dorsal = _dorsality(surface, texels, normals, fingers, directions)
    ragged = 0.12 * noise(points, 0.016 * scale) + 0.07 * noise(points, 0.006 * scale)
    arm = smoothstep(0.004, -0.030, points[:, 1] / scale + 0.006 * noise(points, 0.02 * scale))
    palmar = smoothstep(0.42, -0.58, dorsal + ragged) * (1.0 - arm)
    for finger in fingers:  # the very tip is palm skin all round
        reach = np.where(finger.at.bone == 2, finger.at.along - finger.shape.lengths()[2], -1.0)
        palmar[finger.index] = np.maximum(palmar[finger.index], smoothstep(-0.0045, -0.0005, reach / scale) * 0.9)
    return Anatomy(points, normals, joints, scale, fingers, finger_weight, dorsal, palmar, arm)
