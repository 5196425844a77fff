"""The forearm's frame, and the rings of a bare arm that goes on from the cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from ..geometry.mesh import face_normals, vertex_normals
from ..geometry.smooth import smoothstep
from ..joints import PART_NAMES
from .asset import HandAsset
from .shape import RestHand, chain_length

# Distance (m, adult) of the rings from the cut along the bare arm
BARE_DISTANCES = np.array(
    [0.004, 0.009, 0.015, 0.022, 0.03, 0.039, 0.049, 0.06, 0.072, 0.085, 0.099, 0.114, 0.13, 0.147, 0.165, 0.184]
    + [0.204, 0.225, 0.247, 0.27, 0.294, 0.318, 0.342, 0.366, 0.385, 0.395, 0.4]
)
# Girth of a forearm relative to 7 cm behind the wrist, by distance behind the wrist (m): thickest below the elbow
PROFILE_DISTANCE = (0.0, 0.07, 0.10, 0.14, 0.18, 0.22, 0.26, 0.30, 0.36, 0.45, 0.455, 0.47)
PROFILE_GIRTH = (0.92, 1.00, 1.09, 1.25, 1.41, 1.52, 1.53, 1.51, 1.55, 1.62, 1.60, 1.52)
SETTLE = 0.09  # m beyond the cut over which the cut's own outline gives way to an ellipse


@dataclass(frozen=True)
class Forearm:
    """The forearm's own coordinates: across, out of its back, and distance behind the wrist."""

    origin: np.ndarray  # (3,) where the axis passes the wrist
    axes: np.ndarray  # (3, 3) rows: across, out of the back, towards the elbow
    size: float  # of the hand relative to the mean adult's

    def local(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 3) of the hand frame in the forearm's coordinates."""
        return (points - self.origin) @ self.axes.T

    def place(self, across: np.ndarray, back: np.ndarray, behind: np.ndarray) -> np.ndarray:
        """(..., 3) points of the hand frame at the forearm's coordinates, which broadcast against each other."""
        return self.origin + np.stack(np.broadcast_arrays(across, back, behind), axis=-1) @ self.axes


def forearm_skin(asset: HandAsset) -> np.ndarray:
    """(n,) faces of the forearm, without the cap."""
    return np.flatnonzero((asset.face_part == PART_NAMES.index("forearm")) & ~asset.face_cap)


def forearm_frame(asset: HandAsset, rest: RestHand) -> Forearm:
    """The axis is the direction to which the forearm's skin normals are most nearly at right angles."""
    normals = face_normals(rest.vertices, asset.faces[forearm_skin(asset)])
    spread = np.einsum("fi,fj,f->ij", normals, normals, 1 / np.linalg.norm(normals, axis=1))
    axis = np.linalg.eigh(spread)[1][:, 0]
    cut = rest.vertices[asset.cut_loop].mean(0)
    axis = axis * np.sign(axis @ cut)
    back = np.array([0.0, 0, 1.0]) - axis[2] * axis
    back /= np.linalg.norm(back)
    origin = cut - (cut - rest.joints[0]) @ axis * axis
    size = chain_length(rest.joints) / chain_length(asset.joints)
    return Forearm(origin, np.stack([np.cross(back, axis), back, axis]), size)


def doubled(values: np.ndarray) -> np.ndarray:
    """(2 n,) a periodic sequence (n,) with a value between each two, on the cubic through their four neighbours."""
    between = (9 * (values + np.roll(values, -1)) - np.roll(values, 1) - np.roll(values, -2)) / 16
    return np.stack([values, between], axis=1).ravel()


def doubled_turn(angle: np.ndarray) -> np.ndarray:
    """(2 n,) unwrapped angles (n,) of one turn with one between each two."""
    turn = np.sign(angle[-1] - angle[0]) * 2 * np.pi * np.arange(len(angle)) / len(angle)
    full = np.sign(angle[-1] - angle[0]) * 2 * np.pi * np.arange(2 * len(angle)) / (2 * len(angle))
    return doubled(angle - turn) + full


def cut_outline(asset: HandAsset, rest: RestHand, frame: Forearm) -> tuple[np.ndarray, ...]:
    """Distance behind the wrist, angle and radius of the cut (2 L,) and its skin's slope (radius by distance)."""
    across, back, along = frame.local(rest.vertices[asset.cut_loop]).T
    angle, radius = np.unwrap(np.arctan2(back, across)), np.hypot(across, back)
    normal = vertex_normals(rest.vertices, asset.faces[~asset.face_cap])[asset.cut_loop] @ frame.axes.T
    outward = normal[:, 0] * np.cos(angle) + normal[:, 1] * np.sin(angle)
    slope = np.clip(-normal[:, 2] / outward, -0.3, 0.5)
    return doubled(along), doubled_turn(angle), doubled(radius), doubled(slope)


def forearm_ellipse(angle: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Radius (n,) m at each angle (n,) of a cross-section a little wider than deep, with the mean of `radius` (n,)."""
    wide, deep = 1.07, 1 / 1.07
    return radius.mean() / np.sqrt((np.cos(angle) / wide) ** 2 + (np.sin(angle) / deep) ** 2)


def girth(behind: np.ndarray) -> np.ndarray:
    """Relative girth at distances behind the wrist (m, adult): a smooth curve through the profile."""
    return PchipInterpolator(PROFILE_DISTANCE, PROFILE_GIRTH)(behind)


def bare_rings(asset: HandAsset, rest: RestHand, rng: np.random.Generator) -> np.ndarray:
    """(rings, 2 L, 3) m: on from the cut with the skin's position and slope, then a forearm and its elbow end."""
    del rng
    return rings_beyond(asset, rest, forearm_frame(asset, rest), BARE_DISTANCES)


def rings_beyond(
    asset: HandAsset, rest: RestHand, frame: Forearm, distances: np.ndarray, out: np.ndarray | float = 0.0
) -> np.ndarray:
    """(R, 2 L, 3) m: rings of a bare arm, or of what it wears.

    Args:
        distances: (R,) m beyond the cut, of an adult. out: m from the skin outwards, broadcast to (R, 2 L).
    """
    along, angle, radius, slope = cut_outline(asset, rest, frame)
    beyond = distances[:, None]
    settled = smoothstep(0, 1, beyond / SETTLE)
    cut = along.mean()
    behind = cut + frame.size * beyond + (1 - settled) * (along - cut)
    growth = girth(behind / frame.size) / girth(np.array(cut / frame.size))
    own = radius + (1 - smoothstep(0, 1, beyond / (2 * SETTLE))) * slope * frame.size * beyond
    rings = (1 - settled) * own + settled * growth * forearm_ellipse(angle, radius) + out
    return frame.place(rings * np.cos(angle), rings * np.sin(angle), behind)
