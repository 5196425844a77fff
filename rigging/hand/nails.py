"""Where the nails of a mesh face: what tells the back of a finger."""

from __future__ import annotations

import numpy as np

from ..geometry.mesh import face_normals
from ..geometry.rotations import unit_vector


def nail_normals(vertices: np.ndarray, faces: np.ndarray, face_nail: np.ndarray) -> np.ndarray:
    """Dorsal directions (5, 3) of the fingers, thumb to little: area-weighted mean normal of each nail's faces.

    vertices (V, 3), faces (F, 3), face_nail (F,) with 1..5 on the nails. Raises ValueError for a finger without a nail.
    """
    missing = sorted(set(range(1, 6)) - set(np.unique(face_nail).tolist()))
    if missing:
        raise ValueError(f"face_nail has no face of finger {missing[0]}, allowed are meshes with nails 1 to 5")
    normals = face_normals(vertices, faces)
    return np.stack([unit_vector(normals[face_nail == nail].sum(axis=0)) for nail in range(1, 6)])
