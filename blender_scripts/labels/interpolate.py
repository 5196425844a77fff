"""Values at the vertices, carried to the pixels that see them: compiled loops over a rasterised view."""

from __future__ import annotations

import math

import numba
import numpy as np

from .rasterise import NEAR


@numba.njit(cache=True, nogil=True)
def _shade(
    triangle: np.ndarray, barycentric: np.ndarray, faces: np.ndarray, face_part: np.ndarray, normals: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    height, width = triangle.shape
    parts = np.zeros((height, width), np.uint8)
    image = np.zeros((height, width, 3), np.float32)
    for y in range(height):
        for x in range(width):
            f = triangle[y, x]
            if f < 0:
                continue
            parts[y, x] = face_part[f]
            wb, wc = barycentric[y, x, 0], barycentric[y, x, 1]
            a, b, c = normals[faces[f, 0]], normals[faces[f, 1]], normals[faces[f, 2]]
            n0 = (1 - wb - wc) * a[0] + wb * b[0] + wc * c[0]
            n1 = (1 - wb - wc) * a[1] + wb * b[1] + wc * c[1]
            n2 = (1 - wb - wc) * a[2] + wb * b[2] + wc * c[2]
            length = math.sqrt(n0 * n0 + n1 * n1 + n2 * n2)
            if length > 0:
                image[y, x, 0], image[y, x, 1], image[y, x, 2] = n0 / length, n1 / length, n2 / length
    return parts, image


@numba.njit(cache=True, nogil=True)
def _displace(
    triangle: np.ndarray, barycentric: np.ndarray, faces: np.ndarray, target: np.ndarray, K: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    height, width = triangle.shape
    flow = np.zeros((height, width, 2), np.float32)
    most = np.count_nonzero(triangle >= 0)
    there, depth, pixel = np.empty((most, 2)), np.empty(most), np.empty(most, np.int64)
    count = 0
    for y in range(height):
        for x in range(width):
            f = triangle[y, x]
            if f < 0:
                continue
            wb, wc = barycentric[y, x, 0], barycentric[y, x, 1]
            a, b, c = target[faces[f, 0]], target[faces[f, 1]], target[faces[f, 2]]
            X = (1 - wb - wc) * a[0] + wb * b[0] + wc * c[0]
            Y = (1 - wb - wc) * a[1] + wb * b[1] + wc * c[1]
            Z = (1 - wb - wc) * a[2] + wb * b[2] + wc * c[2]
            if Z < NEAR:
                continue
            u = (K[0, 0] * X + K[0, 1] * Y) / Z + K[0, 2]
            v = K[1, 1] * Y / Z + K[1, 2]
            flow[y, x, 0] = u - (x + 0.5)
            flow[y, x, 1] = v - (y + 0.5)
            if 0 <= u < width and 0 <= v < height:
                there[count, 0], there[count, 1], depth[count], pixel[count] = u, v, Z, y * width + x
                count += 1
    return flow, there[:count], depth[:count], pixel[:count]


def shade(
    triangle: np.ndarray, barycentric: np.ndarray, faces: np.ndarray, face_part: np.ndarray, normals: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Part (H, W) uint8 and unit normal (H, W, 3) float32 of each pixel, from vertex normals (N, 3) of any frame."""
    return _shade(triangle, barycentric, faces, face_part, np.ascontiguousarray(normals))


def displace(
    triangle: np.ndarray, barycentric: np.ndarray, faces: np.ndarray, target: np.ndarray, K: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """How the surface points at the pixel centres move in the image when the vertices move to `target`.

    Args:
        target: (N, 3) camera space, metres.
    Returns:
        flow (H, W, 2) float32 pixels, zero where no surface is seen or its point goes behind the camera; and of the P
        points that stay within the image: where they go (P, 2) pixels, their planar depth there (P,) metres, and the
        pixel (P,) they come from (y W + x).
    """
    return _displace(triangle, barycentric, faces, np.ascontiguousarray(target), np.ascontiguousarray(K, np.float64))
