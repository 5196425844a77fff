"""A sample as the checks see it: its stored arrays, its neighbours' meshes, and the pixels that are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..format.schema import SAMPLE_FIELDS
from .surface import Hits, Surface, Topology, Views

# what the loader derives is left out: a check of it would hold a value against itself
STORED = tuple(name for name, one in SAMPLE_FIELDS.items() if one.stored)
LATTICE = 48  # pixels that are looked at everywhere, in a row of an image
EDGE_PIXELS = 300  # of each view, beside the outline and beside edges between parts, so that 1 px is noticed


@dataclass(frozen=True)
class Pixels:
    """P chosen pixels of all views, by view, and what the rays through their centres meet."""

    size: tuple[int, int, int]  # V, H, W
    flat: np.ndarray  # (P,) int, rising: index into the pixels of all views
    edge: np.ndarray  # (P,) bool: beside an edge of the stored parts
    hits: Hits

    def __getitem__(self, chosen: np.ndarray) -> Pixels:
        return Pixels(self.size, self.flat[chosen], self.edge[chosen], self.hits[chosen])

    @cached_property
    def view(self) -> np.ndarray:
        """(P,) int."""
        return self.flat // (self.size[1] * self.size[2])

    @cached_property
    def xy(self) -> np.ndarray:
        """(P, 2) px: the pixels' centres."""
        return centres(self.flat, self.size)

    def of(self, images: np.ndarray) -> np.ndarray:
        """The values of images (V, H, W, ...) at the pixels."""
        return images.reshape(-1, *images.shape[3:])[self.flat]


def centres(flat: np.ndarray, size: tuple[int, int, int]) -> np.ndarray:
    """(P, 2) px: centres of the pixels that indices (P,) into all pixels of views of a size mean."""
    row, column = np.divmod(flat % (size[1] * size[2]), size[2])
    return np.stack([column, row], 1) + 0.5


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
    hands: Sequence[np.ndarray] = ()  # (N, 3) m, vertices of all poses of the pair or clip, which cameras frame
    cut: bool = False  # the shard was cut short here, so that a neighbour may be missing

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    @cached_property
    def surface(self) -> Surface:
        return Surface(self.topology, self["vertices_world"], self["arm_vertices_world"])

    @cached_property
    def views(self) -> Views:
        return Views(self["K"], self["world_to_cam"], self.values.get("distortion"))

    @cached_property
    def pixels(self) -> Pixels:
        """The pixels that are looked at; another lattice in every sample."""
        size = self["parts"].shape
        flat, edge = choose_pixels(self["parts"], int(self.meta["sample"]))
        view = flat // (size[1] * size[2])
        return Pixels(size, flat, edge, self.surface.cast(*self.views.rays(view, centres(flat, size))))


def choose_pixels(parts: np.ndarray, phase: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices (P,) into the pixels of parts (V, H, W), rising, and which of them (P,) lie beside an edge.

    They are a lattice, and evenly chosen ones of the pixels beside an edge: up to EDGE_PIXELS of a view along the
    outline, and as many between parts.
    """
    chosen = np.zeros(parts.shape, bool)
    step = max(2, parts.shape[2] // LATTICE)
    chosen[:, phase % step :: step, phase // step % step :: step] = True
    inner = beside_edges(parts)
    for beside in (beside_edges(parts > 0), inner):
        for view, of_view in enumerate(beside):
            found = np.flatnonzero(of_view)
            chosen[view].ravel()[found[scattered(len(found), EDGE_PIXELS)]] = True
    flat = np.flatnonzero(chosen)
    return flat, inner.ravel()[flat]


def scattered(count: int, most: int) -> np.ndarray:
    """Up to `most` (n,) indices below `count`, spread evenly but by no period: every second one has only one side.

    Each is drawn from an equal part of them, by `count` alone.
    """
    if count <= most:
        return np.arange(count)
    return ((np.arange(most) + np.random.default_rng(count).random(most)) * (count / most)).astype(int)


def beside_edges(labels: np.ndarray) -> np.ndarray:
    """(V, H, W) bool: pixels whose right, left, upper or lower neighbour has another value."""
    out = np.zeros(labels.shape, bool)
    across, down = labels[:, :, 1:] != labels[:, :, :-1], labels[:, 1:] != labels[:, :-1]
    out[:, :, 1:] |= across
    out[:, :, :-1] |= across
    out[:, 1:] |= down
    out[:, :-1] |= down
    return out
