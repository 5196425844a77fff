"""Rotations as (..., 3, 3) matrices that act on column vectors: a point p goes to R @ p."""

from __future__ import annotations

import numpy as np

# Below this length of a + b (both unit), the minimal rotation from a to b has no numerically usable axis.
ANTIPARALLEL = 1e-5


def normalise(vectors: np.ndarray) -> np.ndarray:
    """Unit vectors (..., 3); raises ValueError for a zero vector."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    if not np.all(lengths > 0):
        raise ValueError("cannot normalise a vector of length zero")
    return vectors / lengths


def unit_vector(vector: np.ndarray) -> np.ndarray:
    """One vector (3,) at length 1; NaN for one of length zero."""
    return vector / np.linalg.norm(vector)


def perpendicular(vectors: np.ndarray) -> np.ndarray:
    """A unit vector perpendicular to each of the unit `vectors` (..., 3)."""
    smallest = np.argmin(np.abs(vectors), axis=-1)
    return normalise(np.cross(vectors, np.eye(3)[smallest]))


def skew(vectors: np.ndarray) -> np.ndarray:
    """(..., 3, 3) matrices that take the cross product with `vectors` (..., 3) from the left."""
    matrices = np.zeros((*vectors.shape, 3))
    for row, column, axis in ((2, 1, 0), (0, 2, 1), (1, 0, 2)):
        matrices[..., row, column] = vectors[..., axis]
        matrices[..., column, row] = -vectors[..., axis]
    return matrices


def axis_angle(axis: np.ndarray, angle: np.ndarray | float) -> np.ndarray:
    """Rotations (..., 3, 3) by `angle` (...) radians about the unit `axis` (..., 3) (Rodrigues)."""
    axis, angle = np.asarray(axis, float), np.asarray(angle, float)[..., None, None]
    cross = skew(axis)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)


def coordinate_turn(axis: int, angle: np.ndarray) -> np.ndarray:
    """Rotations (..., 3, 3) by `angle` (...) radians about coordinate axis 0, 1 or 2."""
    first, second = [(1, 2), (2, 0), (0, 1)][axis]
    matrix = np.zeros((*np.shape(angle), 3, 3))
    matrix[..., axis, axis] = 1.0
    matrix[..., first, first] = matrix[..., second, second] = np.cos(angle)
    matrix[..., second, first] = np.sin(angle)
    matrix[..., first, second] = -np.sin(angle)
    return matrix


def swing(a: np.ndarray, b: np.ndarray, fallback: np.ndarray | None = None) -> np.ndarray:
    """The minimal rotations (..., 3, 3) from unit vectors `a` to unit vectors `b` (..., 3).

    With m = a + b it is the product of two half-turns, (2 m m^T / |m|^2 - I)(2 a a^T - I), exact down to angles of
    nearly 180 degrees. At 180 degrees it turns about `fallback` (..., 3, perpendicular to a; any if not given).
    """
    a, b = np.broadcast_arrays(np.asarray(a, float), np.asarray(b, float))
    middle = a + b
    opposite = np.linalg.norm(middle, axis=-1) < ANTIPARALLEL
    if np.any(opposite):
        axis = perpendicular(a) if fallback is None else np.broadcast_to(fallback, a.shape)
        middle = np.where(opposite[..., None], np.cross(axis, a), middle)
    return half_turn(middle) @ half_turn(a)


def half_turn(axis: np.ndarray) -> np.ndarray:
    """Rotations (..., 3, 3) by 180 degrees about `axis` (..., 3) of any length but zero."""
    outer = axis[..., :, None] * axis[..., None, :]
    return 2 * outer / np.sum(axis * axis, axis=-1)[..., None, None] - np.eye(3)


def kabsch(source: np.ndarray, target: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Rotations (..., 3, 3) that best turn the points `source` (..., N, 3) into `target` (..., N, 3), centred.

    Weighted least squares with det = +1 (Kabsch 1976, Umeyama 1991), by singular value decomposition.
    """
    weights = np.ones(source.shape[-2]) if weights is None else np.asarray(weights, float)
    weights = weights / weights.sum()
    source = source - np.einsum("n,...ni->...i", weights, source)[..., None, :]
    target = target - np.einsum("n,...ni->...i", weights, target)[..., None, :]
    u, _, vt = np.linalg.svd(np.einsum("n,...ni,...nj->...ij", weights, target, source))
    u[..., :, 2] *= np.sign(np.linalg.det(u @ vt))[..., None]
    return u @ vt


def from_quaternion(quaternion: np.ndarray) -> np.ndarray:
    """Rotations (..., 3, 3) from quaternions (..., 4) as (w, x, y, z), of any length but zero."""
    w, v = quaternion[..., 0, None, None], quaternion[..., 1:]
    outer = v[..., :, None] * v[..., None, :]
    square = np.sum(v * v, axis=-1)[..., None, None]
    return ((w * w - square) * np.eye(3) + 2 * outer + 2 * w * skew(v)) / (w * w + square)


def random_rotation(rng: np.random.Generator, count: int | None = None) -> np.ndarray:
    """Rotations spread evenly over SO(3): (3, 3), or (count, 3, 3)."""
    shape = (4,) if count is None else (count, 4)
    return from_quaternion(rng.standard_normal(shape))


def rotation_angle(rotations: np.ndarray) -> np.ndarray:
    """Angles (...) of rotations (..., 3, 3) in [0, pi] radians, accurate for small angles too."""
    sine = np.linalg.norm(_axial(rotations), axis=-1)
    cosine = np.trace(rotations, axis1=-2, axis2=-1) - 1
    return np.arctan2(sine, cosine)


def twist_angle(rotations: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Signed twists (...) in radians of rotations (..., 3, 3) about the unit `axis` (..., 3).

    Swing-twist decomposition: the twist about the axis is 2 atan2(q_v . axis, q_w), here from the matrix: q_w q_v is
    the axial part and 4 q_w^2 = 1 + trace. It is not defined for a swing of 180 degrees (returns 0).
    """
    sine = np.sum(_axial(rotations) * axis, axis=-1)
    cosine = 1 + np.trace(rotations, axis1=-2, axis2=-1)
    return 2 * np.arctan2(sine, cosine)


def _axial(rotations: np.ndarray) -> np.ndarray:
    """(..., 3) vectors 2 sin(angle) axis of rotations (..., 3, 3)."""
    r = rotations
    return np.stack([r[..., 2, 1] - r[..., 1, 2], r[..., 0, 2] - r[..., 2, 0], r[..., 1, 0] - r[..., 0, 1]], -1)
