"""The stored meshes of a sample as one scene of Embree: what a ray meets first. Shares no code with the labels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rigging.geometry.distortion import through_lens, undistort
from rigging.geometry.mesh import vertex_normals
from rigging.joints import ARM_PART, BONE_PARTS, JOINT_PARENTS, PART_NAMES

SAME_PLACE = 1e-5  # m: a vertex of the arm that lies this near to one of the hand is the same point of the skin


@dataclass(frozen=True, eq=False)
class Topology:
    """What all samples of a shard share: triangles of hand and arm, the arm's vertices after the hand's."""

    hand_faces: np.ndarray  # (F, 3) int
    arm_faces: np.ndarray  # (B, 3) int, counted from the arm's first vertex
    hand_part: np.ndarray  # (F,) uint8, index into part_names
    hand_vertices: int  # N

    @cached_property
    def faces(self) -> np.ndarray:
        """(F + B, 3) int32."""
        arm = self.arm_faces + self.hand_vertices
        return np.ascontiguousarray(np.concatenate([self.hand_faces, arm]), np.int32)

    @cached_property
    def part(self) -> np.ndarray:
        """(F + B + 1,) uint8: the part of each triangle; the last entry, which index -1 finds, is the background."""
        arm = np.full(len(self.arm_faces), ARM_PART, np.uint8)
        return np.concatenate([self.hand_part, arm, np.zeros(1, np.uint8)])

    @cached_property
    def part_vertices(self) -> dict[int, np.ndarray]:
        """Part of the hand: its vertices (n,), those on its border included."""
        return {part: np.unique(self.hand_faces[self.hand_part == part]) for part in sorted(set(BONE_PARTS))}

    @cached_property
    def rings(self) -> dict[int, np.ndarray]:
        """Joint that is no fingertip: vertices (n,) that the part of the bone ending in it shares with the next."""
        out = {}
        for joint in sorted(set(JOINT_PARENTS) - {-1}):
            after = BONE_PARTS[JOINT_PARENTS.index(joint)]
            out[joint] = np.intersect1d(self.part_vertices[BONE_PARTS[joint]], self.part_vertices[after])
        return out

    @cached_property
    def from_wrist(self) -> np.ndarray:
        """Vertices (n,) of the hand from the wrist on, which cameras have to have in the image."""
        return np.unique(self.hand_faces[self.hand_part != PART_NAMES.index("forearm")])

    @cached_property
    def arm_border(self) -> np.ndarray:
        """Vertices (n,) of the arm on its open edge."""
        return _boundary(self.arm_faces)


@dataclass(frozen=True)
class Hits:
    """What P rays met first. A ray's direction has z = 1 in its camera, so `depth` is planar."""

    triangle: np.ndarray  # (P,) int, -1: nothing
    weights: np.ndarray  # (P, 3), of the triangle's corners
    depth: np.ndarray  # (P,) m, inf: nothing

    def __getitem__(self, chosen: np.ndarray) -> Hits:
        return Hits(self.triangle[chosen], self.weights[chosen], self.depth[chosen])


class Surface:
    """Hand and arm of one sample, in world metres, ready to be met by rays."""

    def __init__(self, topology: Topology, hand: np.ndarray, arm: np.ndarray) -> None:
        self.topology = topology
        self.vertices = np.concatenate([hand, arm]).astype(float)
        self._scene = _scene(self.vertices, topology.faces)

    def cast(self, origins: np.ndarray, directions: np.ndarray) -> Hits:
        """The first surface on rays from `origins` (P, 3) m along `directions` (P, 3), from either side."""
        if not len(origins):
            return Hits(np.zeros(0, int), np.zeros((0, 3)), np.zeros(0))
        rays = (np.ascontiguousarray(part, np.float32) for part in (origins, directions))
        found = self._scene.run(*rays, output=1)
        triangle, u, v = found["primID"].astype(int), found["u"], found["v"]
        depth = np.where(triangle >= 0, found["tfar"], np.inf)
        return Hits(triangle, np.stack([1 - u - v, u, v], 1).astype(float), depth.astype(float))

    def points(self, hits: Hits) -> np.ndarray:
        """World points (P, 3) m of hits on a surface of this topology: its own, or where a neighbour's hits went."""
        return np.einsum("pk,pkc->pc", hits.weights, self.vertices[self.topology.faces[hits.triangle]])

    @cached_property
    def normals(self) -> np.ndarray:
        """(N + A, 3) unit normals of the vertices, each mesh for itself, counter-clockwise faces outwards."""
        count, topology = self.topology.hand_vertices, self.topology
        hand = vertex_normals(self.vertices[:count], topology.hand_faces)
        return np.concatenate([hand, vertex_normals(self.vertices[count:], topology.arm_faces)])

    @cached_property
    def seam(self) -> np.ndarray:
        """(F + B,) bool: triangles at the cut, where the two meshes may share their normals."""
        count = self.topology.hand_vertices
        near = np.zeros(len(self.vertices), bool)
        loop = self.topology.arm_border
        apart = np.linalg.norm(self.vertices[:count, None] - self.vertices[None, count + loop], axis=2)
        near[count + loop] = True
        near[:count] = apart.min(1) < SAME_PLACE if len(loop) else False
        return near[self.topology.faces].any(1)


def _scene(vertices: np.ndarray, faces: np.ndarray) -> Any:
    from embreex.mesh_construction import TriangleMesh
    from embreex.rtcore_scene import EmbreeScene

    scene = EmbreeScene(robust=True)
    TriangleMesh(scene=scene, vertices=np.ascontiguousarray(vertices, np.float32), indices=faces)
    return scene


def _boundary(faces: np.ndarray) -> np.ndarray:
    """Vertices on open edges of a mesh."""
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    single, count = np.unique(edges, axis=0, return_counts=True)
    return np.unique(single[count == 1])


@dataclass(frozen=True)
class Views:
    """The V cameras of a sample, for rays and points at single pixels of chosen views."""

    K: np.ndarray  # (V, 3, 3) px
    world_to_cam: np.ndarray  # (V, 4, 4)
    distortion: np.ndarray | None = None  # (V, 5) of the lenses

    def rays(self, view: np.ndarray, xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Origins and directions (P, 3), z = 1 in the camera, through image points `xy` (P, 2) px of views (P,)."""
        turn = self.world_to_cam[:, :3, :3]
        places = -np.einsum("vji,vj->vi", turn, self.world_to_cam[:, :3, 3])
        origins, directions = np.empty((2, len(view), 3))
        for v, K in enumerate(self.K):
            mine = np.flatnonzero(view == v)
            y = (xy[mine, 1] - K[1, 2]) / K[1, 1]
            x = (xy[mine, 0] - K[0, 2] - K[0, 1] * y) / K[0, 0]
            if self.distortion is not None:
                x, y = undistort(np.stack([x, y], 1), self.distortion[v]).T
            directions[mine] = np.stack([x, y, np.ones_like(x)], 1) @ turn[v]
            origins[mine] = places[v]
        return origins, directions

    def see(self, view: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixels (P, 2) and planar depth (P,) m of world points (P, 3) in views (P,); NaN where the camera has none."""
        pixels, depth = np.empty((len(view), 2)), np.empty(len(view))
        for v in range(len(self.K)):
            mine = np.flatnonzero(view == v)
            local = points[mine] @ self.world_to_cam[v, :3, :3].T + self.world_to_cam[v, :3, 3]
            depth[mine] = local[:, 2]
            local = local / np.where(local[:, 2:] > 0, local[:, 2:], np.nan)
            if self.distortion is not None:
                local[:, :2] = through_lens(local[:, :2], self.distortion[v])
            pixels[mine] = (local @ self.K[v].T)[:, :2]
        return pixels, depth
