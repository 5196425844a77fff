"""The arithmetic of spin matching on batches laid out for speed: the frames come last.

Vectors are (3, B, T) and matrices (3, 3, B, T), for B bones and T frames. Only elementwise operations are used, in a
fixed order, so that a frame's result does not depend on the batch it is in, to the last bit.
"""

from __future__ import annotations

import numpy as np

from ..geometry.rotations import ANTIPARALLEL, from_quaternion, kabsch, swing

PALM_JOINTS = (0, 5, 9, 13, 17)  # wrist and the four MCP joints: what Kabsch turns
_REFINEMENTS = 4  # Rayleigh quotient steps converge cubically: 4 take 60 degrees to rounding


def swing_onto(rotations: np.ndarray, rest: np.ndarray, target: np.ndarray, hinges: np.ndarray) -> np.ndarray:
    """S(R u -> v) R: rotations R followed by the smallest swing that makes them take u to v.

    `rotations` (3, 3, B, T), unit `rest` u and `hinges` (3, B, 1), unit `target` v (3, B, T). With a = R u, m = a + v
    and R^T m = u + R^T v, the two half-turns of `rotations.swing` multiply out to R + 2 v u^T - 2 m (R^T m)^T / |m|^2:
    no axis, angle or quaternion. Where v is opposite to R u the finger turns about its hinge R h.
    """
    moved = rotations[:, 0] * rest[0] + rotations[:, 1] * rest[1] + rotations[:, 2] * rest[2]
    back = rotations[0] * target[0] + rotations[1] * target[1] + rotations[2] * target[2]
    middle = moved + target
    square = _dot(middle, middle)
    opposite = square < ANTIPARALLEL**2
    scale = 2 / np.where(opposite, 1.0, square)
    result = rotations + target[:, None] * (2 * rest)
    result -= (middle * scale)[:, None] * (back + rest)
    for bone, frame in np.argwhere(opposite):
        matrix = np.broadcast_to(rotations, result.shape)[:, :, bone, frame]
        turn = swing(moved[:, bone, frame], target[:, bone, frame], fallback=matrix @ hinges[:, bone, 0])
        result[:, :, bone, frame] = turn @ matrix
    return result


def align_frames(u: np.ndarray, ref: np.ndarray, v: np.ndarray, ref_target: np.ndarray) -> np.ndarray:
    """Rotations (3, 3, B, T) that take u to v and the part of `ref` perpendicular to u to that of `ref_target`.

    This is the palm step of the paper's Algorithm 1 with the spin signed: e1 = u x ref x u and e2 = v x ref' x v are
    aligned after e1 has been carried along by the swing from u to v. Inputs (3, B, 1) and (3, B, T), u and v unit.
    """
    return _multiply_transposed(_orthonormal(v, ref_target), _orthonormal(u, ref))


def palm_rotation(rest_palm: np.ndarray, target_palm: np.ndarray) -> np.ndarray:
    """Kabsch rotations (3, 3, T) of the palm, from (3, 5) points at rest to (3, 5, T) points.

    The points are wrist and MCP joints. The target is first aligned by its forward and across directions; what is
    left is a small rotation, whose quaternion (1, r) is the top eigenvector of Horn's 4x4 matrix (1987), found by
    Rayleigh quotient iteration with closed-form 3x3 solves. Frames that did not reach the top eigenvector (the
    3x3 block is then not positive definite) are solved by singular value decomposition.
    """
    source = rest_palm - rest_palm.mean(axis=1, keepdims=True)
    frame_rest = _palm_frame(rest_palm[:, :, None])[:, :, 0]  # (3, 3)
    frame = _palm_frame(target_palm)
    local = frame_rest.T @ source  # (3, 5)
    product = sum(target_palm[:, None, i] * local[None, :, i, None] for i in range(5))  # (3, 3, T)
    moment = sum(frame[k][:, None] * product[k][None, :] for k in range(3))
    vector, good = _small_kabsch(moment)
    small = _cayley(vector)
    turn = sum(frame[:, k, None] * small[None, k] for k in range(3))
    result = sum(turn[:, k, None] * frame_rest.T[None, k, :, None] for k in range(3))
    for index in np.flatnonzero(~good):
        result[:, :, index] = kabsch(source.T, target_palm[:, :, index].T)
    return result


def multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Matrix products of (3, 3, ...) and (3, 3, ...)."""
    return a[:, 0, None] * b[None, 0] + a[:, 1, None] * b[None, 1] + a[:, 2, None] * b[None, 2]


def spin_about(axis: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Rotations (3, 3, ...) by `angle` (...) about the unit `axis` (3, ...)."""
    half = angle / 2
    quaternion = np.concatenate([np.cos(half)[None], np.sin(half) * axis])
    return np.moveaxis(from_quaternion(np.moveaxis(quaternion, 0, -1)), (-2, -1), (0, 1))


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cross products of (3, ...) and (3, ...)."""
    return np.stack([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])


def unit(vectors: np.ndarray) -> np.ndarray:
    """Unit vectors (3, ...)."""
    return vectors / np.sqrt(_dot(vectors, vectors))


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _multiply_transposed(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return multiply(a, np.swapaxes(b, 0, 1))


def _orthonormal(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Frames (3, 3, ...) of columns: `first` (unit), the part of `second` perpendicular to it, their cross product."""
    side = unit(second - first * _dot(first, second))
    return np.stack([first, side, cross(first, side)], axis=1)


def _palm_frame(palm: np.ndarray) -> np.ndarray:
    """Frames (3, 3, T) of columns forward, across (towards the little finger) and their cross product."""
    forward = unit(palm[:, 1:].sum(axis=1) - 4 * palm[:, 0])
    return _orthonormal(forward, palm[:, 4] - palm[:, 1])


def _small_kabsch(moment: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rodrigues vectors (3, T) of the rotations Q that maximise tr(Q^T M), for M (3, 3, T), and which converged (T,).

    Horn's eigenproblem for q = (1, r): tr M + z.r = l and z + (M + M^T - tr M) r = l r, so
    r = (l + tr M - M - M^T)^-1 z; l is the Rayleigh quotient of the r before. By interlacing, l is the largest of the
    four eigenvalues if that 3x3 matrix is positive definite.
    """
    m = moment
    trace = m[0, 0] + m[1, 1] + m[2, 2]
    z = np.stack([m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]])
    xy, xz, yz = -m[0, 1] - m[1, 0], -m[0, 2] - m[2, 0], -m[1, 2] - m[2, 1]
    value = trace
    for _ in range(_REFINEMENTS):
        xx, yy, zz = (value + trace - 2 * m[i, i] for i in range(3))
        c00, c01, c02 = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
        c11, c12, c22 = xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy
        determinant = xx * c00 + xy * c01 + xz * c02
        scale = 1 / np.where(determinant == 0, 1, determinant)
        r = np.stack([_dot((c00, c01, c02), z), _dot((c01, c11, c12), z), _dot((c02, c12, c22), z)]) * scale
        square = _dot(r, r)
        value, before = (trace + _dot(z, r) + value * square) / (1 + square), value
    good = (xx > 0) & (c22 > 0) & (determinant > 0) & (np.abs(value - before) <= 1e-12 * np.abs(value))
    return r, good


def _cayley(r: np.ndarray) -> np.ndarray:
    """Rotations (3, 3, T) of Rodrigues vectors r = tan(angle / 2) axis (3, T)."""
    x, y, z = r
    square = _dot(r, r)
    rows = [
        [1 + 2 * x * x - square, 2 * (x * y - z), 2 * (x * z + y)],
        [2 * (x * y + z), 1 + 2 * y * y - square, 2 * (y * z - x)],
        [2 * (x * z - y), 2 * (y * z + x), 1 + 2 * z * z - square],
    ]
    return np.array(rows) / (1 + square)
