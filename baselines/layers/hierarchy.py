"""The hand mesh at four resolutions, for Graph CNNs from coarse to fine.

`python -m baselines.layers.hierarchy` makes assets/hierarchy.npz anew, with the same bytes, after the mesh was changed.
It holds, for each way of matching and each number of levels, the tree order of the padded vertices and the largest
eigenvalue of every level. The tree of four levels is that of three with one more matching, ordered and completed anew.
"""

from __future__ import annotations

import hashlib
import io
import sys
from pathlib import Path

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn

from rigging.errors import InputError
from rigging.files import write_atomic
from rigging.hand.asset import load_asset
from rigging.settings import nearest

from .coarsen import (
    FAKE,
    MATCHINGS,
    adjacency,
    coarsen,
    largest_eigenvalue,
    level_weights,
    scaled_laplacian,
    tree_order,
)
from .graph_conv import Laplacian

ASSET = Path(__file__).parent.parent / "assets" / "hierarchy.npz"
LEVELS = (3, 4)  # coarser ones than the mesh: MVHM's, and Ge's, whose network begins with a sixteenth of the nodes


class Hierarchy(nn.Module):
    """Graphs from the mesh (level 0) to the coarsest, in tree order: node p of a level has the children 2p, 2p + 1.

    Fake nodes, which complete the tree, have no edges. Activations are node-major, (nodes, B, F). Nothing in here is a
    weight or is saved with weights; it moves between devices with the module that holds it.
    """

    def __init__(self, faces: np.ndarray, order: np.ndarray, largest: np.ndarray) -> None:
        """Of triangles (F, 3), the tree order (nodes,) and the largest eigenvalue of each level's Laplacian."""
        super().__init__()
        self.vertices = int(order.max()) + 1
        self.sizes = tuple(len(order) >> level for level in range(len(largest)))
        weights = adjacency(faces, self.vertices)
        levels = (level_weights(weights, order, level) for level in range(len(largest)))
        self.laplacians = nn.ModuleList(Laplacian(scaled_laplacian(*pair)) for pair in zip(levels, largest))
        real = order != FAKE
        self._buffer("order", np.where(real, order, 0))
        self._buffer("position", np.argsort(order, kind="stable")[np.count_nonzero(~real) :])
        for level, size in enumerate(self.sizes):
            self._buffer(f"real_{level}", real.reshape(size, -1).any(axis=1))
        for level, size in enumerate(self.sizes[1:]):
            children = self.real(level).view(size, 2).float()
            self.register_buffer(f"share_{level}", children / children.sum(1, keepdim=True).clamp(min=1), False)

    def _buffer(self, name: str, values: np.ndarray) -> None:
        self.register_buffer(name, torch.from_numpy(values), persistent=False)

    def real(self, level: int) -> Tensor:
        """(nodes,) bool, which nodes of a level stand for vertices."""
        return getattr(self, f"real_{level}")

    def pad(self, x: Tensor) -> Tensor:
        """Values of vertices (B, 2651, F) to those of level 0's nodes (nodes, B, F), zero at fake ones."""
        return x.transpose(0, 1).index_select(0, self.order) * self.real(0)[:, None, None]

    def unpad(self, x: Tensor) -> Tensor:
        """Values of level 0's nodes (nodes, B, F) to those of the vertices (B, 2651, F)."""
        return x.transpose(0, 1).index_select(1, self.position)

    def unpool(self, x: Tensor) -> Tensor:
        """From any level to the next finer one: (n, B, F) to (2n, B, F), children take their parent's values."""
        return x.repeat_interleave(2, dim=0)

    def pool(self, x: Tensor, level: int, how: str = "mean") -> Tensor:
        """From `level` to the next coarser one: (2n, B, F) to (n, B, F).

        how: "mean" or "max" over the real children. Fake nodes get zero.
        """
        pairs = x.unflatten(0, (-1, 2))
        if how == "mean":
            return (pairs * getattr(self, f"share_{level}")[..., None, None].to(x.dtype)).sum(1)
        if how != "max":
            raise InputError(f'pooling {how!r}: "mean" or "max" is wanted')
        fake = ~self.real(level).view(-1, 2, 1, 1)
        highest = pairs.masked_fill(fake, -torch.inf).amax(1)
        return highest.masked_fill(~self.real(level + 1)[:, None, None], 0)


def load_hierarchy(name: str = "matching", levels: int = 3) -> Hierarchy:
    """The hand's hierarchy: "matching" by maximum weight (2656, 1328, 664, 332 nodes) or "heavy_edge" as the papers.

    `levels` are coarser than the mesh; a fourth has 166 nodes. Raises InputError for another name or number, or if the
    asset was made for another mesh.
    """
    if name not in MATCHINGS:
        raise InputError(f"no matching of vertices is called {name!r}{nearest(name, MATCHINGS)}")
    if levels not in LEVELS:
        raise InputError(f"the mesh was coarsened to {' or '.join(map(str, LEVELS))} levels, not to {levels}")
    faces = load_asset().faces
    with np.load(ASSET, allow_pickle=False) as stored:
        if str(stored["faces_sha256"]) != faces_sha256(faces):
            raise InputError(f"{ASSET}: made for another mesh; python -m {__name__} makes it anew")
        order, largest = (stored[f"{name}_{levels}_{what}"] for what in ("order", "largest"))
        return Hierarchy(faces, order.astype(np.int64), largest)


def faces_sha256(faces: np.ndarray) -> str:
    """sha256 of the triangles (F, 3), in hexadecimal."""
    return hashlib.sha256(np.ascontiguousarray(faces, "<i4").tobytes()).hexdigest()


def build(faces: np.ndarray, name: str) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """By each of LEVELS, the tree order (padded,) int16 and the largest eigenvalues (levels + 1,), for a MATCHING."""
    weights = adjacency(faces, int(faces.max()) + 1)
    steps = coarsen(weights, MATCHINGS[name], max(LEVELS))
    return {levels: _tree(weights, steps[:levels]) for levels in LEVELS}


def _tree(weights: sparse.csr_array, steps: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    order = tree_order(weights, steps)
    largest = [largest_eigenvalue(level_weights(weights, order, level)) for level in range(len(steps) + 1)]
    return order.astype(np.int16), np.array(largest)


def encode(faces: np.ndarray) -> bytes:
    """The asset for these triangles (F, 3); numpy writes no times, so the same arrays are the same bytes."""
    arrays: dict[str, np.ndarray] = {"faces_sha256": np.array(faces_sha256(faces))}
    for name in MATCHINGS:
        for levels, (order, largest) in build(faces, name).items():
            arrays |= {f"{name}_{levels}_order": order, f"{name}_{levels}_largest": largest}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def main() -> int:
    """Write the asset."""
    write_atomic(ASSET, encode(load_asset().faces))
    return 0


if __name__ == "__main__":
    sys.exit(main())
