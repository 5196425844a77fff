"""How deep a hand penetrates itself: tapered capsules around phalanges and palm, batched over poses.

Distance of two segments: Ericson, Real-Time Collision Detection (2005), section 5.1.9. A tapered capsule's radius is
taken at the closest point of its axis: exact for equal end radii, otherwise off by less than the taper's cosine.
Flesh gives: depths count from a tolerance on (`_give`), so that touching or gently pressed parts have depth 0.
"""

from __future__ import annotations

import numpy as np

from ..hand.asset import HandAsset
from ..joints import JOINT_PARENTS

# Radius (mm, then metres) of each bone at its head and its end: `capsule_radii` of the shipped asset, rounded.
RADII = np.zeros((21, 2))
RADII[[2, 3, 4]] = (15.0, 12.5), (11.5, 8.0), (9.1, 5.9)
RADII[[6, 7, 8]] = (9.9, 8.8), (9.3, 7.5), (8.2, 5.4)
RADII[[10, 11, 12]] = (11.4, 8.5), (9.0, 7.4), (7.9, 5.8)
RADII[[14, 15, 16]] = (11.0, 7.4), (8.3, 7.2), (7.5, 5.6)
RADII[[18, 19, 20]] = (8.5, 6.9), (6.8, 6.1), (6.6, 4.4)
RADII /= 1000
# The palm: one capsule per metacarpal from 30 % of its length to the MCP, radius and shift towards the palm (mm) there.
_PALM_START = 0.3
_PALM_RADII_MM = np.array([(20.0, 12.5), (19.5, 13.5), (19.5, 13.0), (19.0, 11.5)])
_PALM_SHIFT_MM = np.array([(4.0, 0.0), (4.0, 0.0), (4.0, 0.0), (3.5, 0.0)])
# Mean distance wrist to index..little MCP of the hand those radii were measured on; other hands scale with theirs.
_PALM_LENGTH = 0.0979

# Capsules 0..14 are these bones, 15..18 the palm.
PHALANGES = tuple(bone for bone in range(2, 21) if bone not in (5, 9, 13, 17))
_METACARPALS = (5, 9, 13, 17)
_BLOCK = 4096


def capsule_radii(asset: HandAsset) -> np.ndarray:
    """Radii (21, 2) in metres at head and end of each bone, from the mesh cross sections; palm bones hold 0.

    Median distance of the vertices a bone moves most from their own axis, which runs along the bone, in its nearer and
    farther half, extended linearly.
    """
    radii = np.zeros((21, 2))
    for bone in PHALANGES:
        near, far = (np.median(np.linalg.norm(ring - ring.mean(axis=0), axis=1)) for ring in _halves(asset, bone))
        radii[bone] = near + (near - far) * 0.75, far - (near - far) * 0.75
    return radii


def flesh_offsets(asset: HandAsset, palmar: np.ndarray) -> np.ndarray:
    """How far (21,) in metres, towards the palm, the flesh's middle lies from MCP, PIP, DIP and IP joints; 0 elsewhere.

    `palmar` (21, 3) is the palmar direction of each bone at rest. Rigs put joints anywhere between the back of the
    finger and its middle, but fingers touch with their flesh.
    """
    offset = {bone: [ring.mean(axis=0) @ palmar[bone] for ring in _halves(asset, bone)] for bone in PHALANGES}
    shifts = np.zeros(21)
    for bone in PHALANGES:
        if bone % 4 in (2, 3) and bone != 2:  # the joint between this bone and the next
            shifts[bone] = (offset[bone][1] + offset[bone + 1][0]) / 2
    for bone in _METACARPALS:
        spot = 0.85 * asset.joints[bone]
        near = np.linalg.norm(asset.template[:, :2] - spot[:2], axis=1) < 0.007
        heights = (asset.template[near] - spot) @ palmar[bone]
        shifts[bone] = (heights.max() + heights.min()) / 2
    return shifts


def _halves(asset: HandAsset, bone: int) -> tuple[np.ndarray, np.ndarray]:
    """Offsets from the bone's axis of the vertices it moves most, in its nearer and in its farther half."""
    owner = asset.weight_bones[np.arange(len(asset.template)), asset.weight_values.argmax(axis=1)]
    head = asset.joints[JOINT_PARENTS[bone]]
    along = asset.joints[bone] - head
    points = asset.template[owner == bone] - head
    t = points @ along / (along @ along)
    offsets = points - t[:, None] * along
    return offsets[(t > 0.1) & (t <= 0.5)], offsets[(t > 0.5) & (t <= 0.9)]


def _give(first: int, second: int) -> float:
    """Depth (m, scaled with the hand) at which two capsules only touch: soft palm and thenar, sides of fingers."""
    if first == 1 and second >= 15:  # the thumb's web
        return 0.007
    if second >= 15:
        return 0.004
    if first == 0:
        return 0.003
    return 0.0015 if first // 3 > 0 and abs(first // 3 - second // 3) == 1 else 0.0005


def _tested(first: int, second: int) -> bool:
    finger, other = first // 3, second // 3
    if second >= 15:  # palm: thumb's and fingers' outer phalanges
        return first < 15 and first % 3 > 0
    if finger == other:  # limits of the joints see to that
        return False
    return not (finger > 0 and other - finger == 1 and first % 3 == 0 and second % 3 == 0)  # joined by the web


PAIRS = tuple((i, j) for i in range(15) for j in range(i + 1, 19) if _tested(i, j))
_FIRST, _SECOND = np.array(PAIRS).T
_GIVE = np.array([_give(i, j) for i, j in PAIRS])


def capsules(joints: np.ndarray, radii: np.ndarray | None = None) -> tuple[np.ndarray, ...]:
    """Capsule axes (N, 19, 2, 3), end radii (N, 19, 2) in metres and size (N,) of hands with joints (N, 21, 3)."""
    mcp = joints[:, _METACARPALS, :] - joints[:, :1, :]
    scale = np.linalg.norm(mcp, axis=-1).mean(axis=1)[:, None, None] / _PALM_LENGTH
    bone_radii = scale * RADII if radii is None else np.broadcast_to(radii, (len(joints), 21, 2))
    ends = joints[:, PHALANGES, :].copy()
    heads = joints[:, [JOINT_PARENTS[bone] for bone in PHALANGES], :]
    tips = slice(2, 15, 3)  # end the last capsule so that its cap, not its axis, reaches the tip
    along = ends[:, tips] - heads[:, tips]
    along = along / np.linalg.norm(along, axis=-1, keepdims=True)
    ends[:, tips] -= along * (bone_radii[:, PHALANGES, 1:][:, tips] - 0.001 * scale)
    palmar = np.cross(mcp[:, 0], mcp[:, 3])
    palmar = (palmar / np.linalg.norm(palmar, axis=-1, keepdims=True))[:, None, None, :]
    spots = np.stack([joints[:, :1, :] + _PALM_START * mcp, joints[:, _METACARPALS, :]], axis=2)
    palm = spots + palmar * (scale[..., None] * _PALM_SHIFT_MM[..., None] / 1000)
    axes = np.concatenate([np.stack([heads, ends], axis=2), palm], axis=1)
    radii = np.concatenate([bone_radii[:, PHALANGES, :], scale * _PALM_RADII_MM / 1000], axis=1)
    return axes, radii, scale[:, 0, 0]


def segment_distance(p: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distance (M,) of segments p, q (M, 2, 3) and the closest points' parameters s, t (M,) in [0, 1]."""
    d1, d2, r = p[:, 1] - p[:, 0], q[:, 1] - q[:, 0], p[:, 0] - q[:, 0]
    a, e, f = (np.einsum("ij,ij->i", x, y) for x, y in ((d1, d1), (d2, d2), (d2, r)))
    c, b = np.einsum("ij,ij->i", d1, r), np.einsum("ij,ij->i", d1, d2)
    a, e = np.maximum(a, 1e-12), np.maximum(e, 1e-12)
    denominator = a * e - b * b
    s = np.where(denominator > 1e-14, (b * f - c * e) / np.maximum(denominator, 1e-14), 0.0)
    s = np.clip(s, 0.0, 1.0)
    t = np.clip((b * s + f) / e, 0.0, 1.0)
    s = np.clip((b * t - c) / a, 0.0, 1.0)
    gap = r + s[:, None] * d1 - t[:, None] * d2
    return np.sqrt(np.einsum("ij,ij->i", gap, gap)), s, t


def pair_depths(joints: np.ndarray, radii: np.ndarray | None = None) -> np.ndarray:
    """Depth (N, len(PAIRS)) in metres beyond the tolerance of each pair of capsules, 0 where they are apart.

    `joints` (N, 21, 3) metres, any right-handed frame, right hand; `radii` (21, 2) metres or None for the shipped
    hand's, scaled with the palm's length.
    """
    axes, ends, scale = capsules(joints, radii)
    centre, half = axes.mean(axis=2), np.linalg.norm(axes[:, :, 1] - axes[:, :, 0], axis=-1) / 2
    reach = half + ends.max(axis=2)
    apart = np.sum((centre[:, _FIRST] - centre[:, _SECOND]) ** 2, axis=-1)
    pose, pair = np.nonzero(apart < (reach[:, _FIRST] + reach[:, _SECOND]) ** 2)
    first, second = _FIRST[pair], _SECOND[pair]
    distance, s, t = segment_distance(axes[pose, first], axes[pose, second])
    r1 = ends[pose, first, 0] * (1 - s) + ends[pose, first, 1] * s
    r2 = ends[pose, second, 0] * (1 - t) + ends[pose, second, 1] * t
    depth = np.zeros((len(joints), len(PAIRS)))
    depth[pose, pair] = np.maximum(r1 + r2 - distance - _GIVE[pair] * scale[pose], 0.0)
    return depth


def penetration_depth(joints: np.ndarray, radii: np.ndarray | None = None) -> np.ndarray:
    """Largest self-penetration (...) in metres of hands with joints (..., 21, 3); 0 where parts only touch.

    Arguments as for `pair_depths`. Raises ValueError for another shape; NaN joints give NaN.
    """
    joints = np.asarray(joints, dtype=np.float64)
    if joints.shape[-2:] != (21, 3):
        raise ValueError(f"joints have shape {joints.shape}, expected (..., 21, 3)")
    flat = joints.reshape(-1, 21, 3)
    depth = np.empty(len(flat))
    for start in range(0, len(flat), _BLOCK):
        depth[start : start + _BLOCK] = pair_depths(flat[start : start + _BLOCK], radii).max(axis=1)
    depth[~np.isfinite(flat).all(axis=(1, 2))] = np.nan
    return depth.reshape(joints.shape[:-2])
