"""A sample as the checks see it: its stored arrays, its neighbours' meshes, and the pixels that are looked at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..format.schema import SAMPLE_FIELDS
from .surface import Hits, Surface, Topology, Views

# what the loader derives is left out: a check of it would hold a value against itself
STORED = tuple(name for name, one in SAMPLE_FIELDS.items() if one.stored)
LATTICE = 3  # px between the pixels that are looked at everywhere
EDGE_PIXELS = 400  # of each view, beside the outline and beside edges between parts, so that 1 px is noticed


@dataclass(frozen=True)
class Pixels:
    """P chosen pixels of all views and what the rays through their centres meet."""

    view: np.ndarray  # (P,) int
    row: np.ndarray  # (P,) int
    column: np.ndarray  # (P,) int
    edge: np.ndarray  # (P,) bool: beside an edge of the stored parts
    hits: Hits

    @property
    def xy(self) -> np.ndarray:
        """(P, 2) px: the pixels' centres."""
        return np.stack([self.column, self.row], 1) + 0.5

    def of(self, images: np.ndarray) -> np.ndarray:
        """The values of images (V, H, W, ...) at the pixels."""
        return images[self.view, self.row, self.column]


@dataclass(eq=False)
class Stored:
    """One sample. `before` and `after` are its neighbours in the same pair or clip, once they are known."""

    values: dict[str, Any]  # field: array, as loaded
    meta: dict[str, Any]
    topology: Topology
    attrs: dict[str, Any]  # of the shard
    before: Stored | None = None
    after: Stored | None = None
    first: Stored | None = None  # the first of its pair or clip, by which the cameras were placed
    cut: bool = False  # the shard was cut short here, so that a neighbour may be missing

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    @cached_property
    def surface(self) -> Surface:
        return Surface(self.topology, self["vertices_world"], self["arm_vertices_world"])

    @cached_property
    def views(self) -> Views:
        return Views(self["K"], self["world_to_cam"])

    @cached_property
    def pixels(self) -> Pixels:
        """The pixels that are looked at; another lattice in every sample."""
        view, row, column, edge = choose_pixels(self["parts"], int(self.meta["sample"]))
        rays = self.views.rays(view, np.stack([column, row], 1) + 0.5)
        return Pixels(view, row, column, edge, self.surface.cast(*rays))


def choose_pixels(parts: np.ndarray, phase: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """View, row, column and whether beside an edge, (P,) each: a lattice, and pixels on both sides of edges.

    parts: (V, H, W). Up to EDGE_PIXELS along the outline and as many between parts are chosen, evenly.
    """
    lattice = np.zeros(parts.shape[1:], bool)
    lattice[phase % LATTICE :: LATTICE, phase // LATTICE % LATTICE :: LATTICE] = True
    everywhere = np.flatnonzero(np.broadcast_to(lattice, parts.shape))
    outline, inner = beside_edges(parts > 0), beside_edges(parts)
    chosen = [
        _thin(np.flatnonzero(beside[v]), v * beside[v].size) for beside in (outline, inner) for v in range(len(parts))
    ]
    edges = np.unique(np.concatenate(chosen))
    flat = np.concatenate([edges, np.setdiff1d(everywhere, edges, assume_unique=True)])
    return *np.unravel_index(flat, parts.shape), inner.ravel()[flat]


def beside_edges(labels: np.ndarray) -> np.ndarray:
    """(V, H, W) bool: pixels whose right, left, upper or lower neighbour has another value."""
    out = np.zeros(labels.shape, bool)
    across, down = labels[:, :, 1:] != labels[:, :, :-1], labels[:, 1:] != labels[:, :-1]
    out[:, :, 1:] |= across
    out[:, :, :-1] |= across
    out[:, 1:] |= down
    out[:, :-1] |= down
    return out


def _thin(chosen: np.ndarray, offset: int) -> np.ndarray:
    return chosen[:: max(1, -(-len(chosen) // EDGE_PIXELS))] + offset
