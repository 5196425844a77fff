"""Values at the vertices, carried to the pixels that see them: compiled loops over a rasterised view."""

from __future__ import annotations

import math

import numba
import numpy as np

from .rasterise import NEAR


@numba.njit(cache=True, nogil=True)
def shade(
    triangle: np.ndarray, barycentric: np.ndarray, faces: np.ndarray, face_part: np.ndarray, normals: np.ndarray,
    parts: np.ndarray, image: np.ndarray,
) -> None:  # fmt: skip
    """Write the part of each pixel that sees a triangle into `parts` (H, W) uint8, and its unit normal into `image`.

    Args:
        triangle, barycentric: of `rasterise`. faces: (M, 3). face_part: (M,) uint8. normals: (N, 3) of the vertices.
        image: (H, W, 3) float32, in the frame of `normals`.
    """
    for y in range(triangle.shape[0]):
        for x in range(triangle.shape[1]):
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


@numba.njit(cache=True, nogil=True)
def displace(
    triangle: np.ndarray, barycentric: np.ndarray, faces: np.ndarray, target: np.ndarray, K: np.ndarray,
    flow: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Write into `flow` how the surface points at the pixels' centres move when the vertices move to `target`.

    Args:
        triangle, barycentric: of `rasterise`. faces: (M, 3). target: (N, 3) camera space, metres. K: (3, 3) pixels.
        flow: (H, W, 2) float32 pixels; left as it is where no surface is seen or its point goes behind the camera.
    Returns:
        Of the P points that stay within the image: where they go (P, 2) pixels, their planar depth there (P,) metres,
        and the pixel (P,) they come from (y W + x).
    """
    height, width = triangle.shape
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
    return there[:count], depth[:count], pixel[:count]
