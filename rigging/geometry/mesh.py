"""Normals and volumes of triangle meshes."""

from __future__ import annotations

import numpy as np


def face_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(F, 3) outward normals of counter-clockwise faces, twice the area long."""
    a, b, c = np.moveaxis(vertices[faces], 1, 0)
    return np.cross(b - a, c - a)


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(N, 3) unit normals of vertices (N, 3), the area-weighted mean of the faces (F, 3) around each; zero without any.

    Vertices that lie together share a normal if `faces` names one of them for all (see `weld`).
    """
    index = faces.ravel()
    weights = np.repeat(face_normals(vertices, faces), 3, axis=0)
    normals = np.stack([np.bincount(index, weights[:, k], len(vertices)) for k in range(3)], axis=1)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.divide(normals, length, out=np.zeros_like(normals), where=length > 0)


def volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    """Volume inside a closed mesh of vertices (N, 3) whose faces (F, 3) look outwards; negative if inwards."""
    a, b, c = np.moveaxis(np.asarray(vertices, float)[faces], 1, 0)
    return float((a * np.cross(b, c)).sum() / 6)


def weld(vertices: np.ndarray, digits: int = 6) -> np.ndarray:
    """(N,) for each vertex (N, 3) m the first one that lies in the same place, to `digits` decimals."""
    _, first, same = np.unique(np.round(vertices, digits), axis=0, return_index=True, return_inverse=True)
    return first[same.reshape(-1)]
