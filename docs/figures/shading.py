"""A small shader for the documentation's figures: the exact rasteriser, a few lights and ambient occlusion."""

from __future__ import annotations

import numpy as np
import trimesh

from blender_scripts.labels.rasterise import rasterise, view_vertices
from rigging.geometry.mesh import vertex_normals
from rigging.hand.asset import HandAsset

SUPERSAMPLING = 4
LIGHTS = (((-0.5, -0.8, -0.7), 0.75), ((0.9, -0.2, -0.5), 0.35), ((0.2, 0.9, -0.4), 0.15))  # from there, camera axes
AMBIENT = 0.35


def hand_colours(asset: HandAsset) -> np.ndarray:
    """(F, 3) linear colours of the faces: skin, and nails that show which way a finger is turned."""
    colours = np.tile([0.62, 0.36, 0.26], (len(asset.faces), 1))
    colours[asset.face_nail > 0] = (0.85, 0.1, 0.12)
    return colours


def ambient_occlusion(vertices: np.ndarray, faces: np.ndarray, rays: int = 96, reach: float = 0.05) -> np.ndarray:
    """(V,) share of the sky that each vertex sees, within `reach` metres."""
    mesh = trimesh.Trimesh(vertices, faces, process=False)
    normals = vertex_normals(vertices, faces)
    spread = np.random.default_rng(0).normal(size=(rays, 3))
    spread /= np.linalg.norm(spread, axis=1, keepdims=True)
    directions = normals[:, None] + 0.999 * spread  # cosine-weighted
    directions /= np.linalg.norm(directions, axis=2, keepdims=True)
    origins = np.repeat((vertices + 5e-4 * normals)[:, None], rays, axis=1)
    hits = mesh.ray.intersects_first(origins.reshape(-1, 3), directions.reshape(-1, 3)).reshape(-1, rays) >= 0
    return 1 - hits.mean(axis=1)


def shade(
    vertices: np.ndarray, faces: np.ndarray, colours: np.ndarray, K: np.ndarray, world_to_cam: np.ndarray, size: int
) -> np.ndarray:
    """(size, size, 4) sRGB and coverage, 0 to 1, of a mesh with face colours (F, 3); K is for that size."""
    large = size * SUPERSAMPLING
    zoom = np.diag([SUPERSAMPLING, SUPERSAMPLING, 1.0])
    _, triangle, barycentric = rasterise(view_vertices(vertices, zoom @ K, world_to_cam), faces, large, large)
    seen = triangle >= 0
    weights = np.concatenate([1 - barycentric[seen].sum(axis=1, keepdims=True), barycentric[seen]], axis=1)
    corners = faces[triangle[seen]]
    normals = np.einsum("nk,nki->ni", weights, (vertex_normals(vertices, faces) @ world_to_cam[:3, :3].T)[corners])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    sky = np.einsum("nk,nk->n", weights, ambient_occlusion(vertices, faces)[corners])
    light = AMBIENT * sky
    for direction, strength in LIGHTS:
        light = light + strength * np.clip(normals @ (direction / np.linalg.norm(direction)), 0, 1) * (0.4 + 0.6 * sky)
    image = np.zeros((large, large, 4))
    image[seen, :3] = np.clip(colours[triangle[seen]] * light[:, None], 0, 1)
    image[seen, 3] = 1
    image = image.reshape(size, SUPERSAMPLING, size, SUPERSAMPLING, 4).mean(axis=(1, 3))
    covered = np.maximum(image[..., 3:], 1e-6)
    return np.concatenate([np.clip(image[..., :3] / covered, 0, 1) ** (1 / 2.2), image[..., 3:]], axis=2)
