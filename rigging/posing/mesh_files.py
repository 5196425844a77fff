"""Meshes as Wavefront OBJ and as binary PLY, the formats that every mesh program opens."""

from __future__ import annotations

import numpy as np


def obj_text(vertices: np.ndarray, faces: np.ndarray) -> str:
    """The OBJ of vertices (V, 3) m, to a micrometre, and faces (F, 3); indices count from 1 there."""
    points = "".join(f"v {x:.6f} {y:.6f} {z:.6f}\n" for x, y, z in vertices.tolist())
    return points + "".join(f"f {a} {b} {c}\n" for a, b, c in (faces + 1).tolist())


def ply_bytes(vertices: np.ndarray, faces: np.ndarray) -> bytes:
    """The binary little-endian PLY of vertices (V, 3) m, as float32, and faces (F, 3)."""
    header = (
        f"ply\nformat binary_little_endian 1.0\nelement vertex {len(vertices)}\n"
        "property float x\nproperty float y\nproperty float z\n"
        f"element face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    rows = np.empty(len(faces), dtype=[("count", "u1"), ("corners", "<i4", 3)])
    rows["count"], rows["corners"] = 3, faces
    return header.encode() + vertices.astype("<f4").tobytes() + rows.tobytes()
