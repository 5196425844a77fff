"""Do the views of a sample agree in space? Depth carried from each view into the others, and where parts are."""

from __future__ import annotations

import numpy as np

from .figures import Check, Figures, measured, worst_view
from .stored import Pixels, Stored, scattered

CHECKS = (
    Check("views_depth", "share of a view's points that lie before what another view sees", 0.02, ""),
    Check("part_centroids", "distance of a part, as seen, from where the mesh has it, in radii of the part", 1.05, ""),
)
BEFORE = 3e-3  # m: a point this far before the depth that another view has around its pixel contradicts it
POINTS = 250  # of each view
FEWEST = 6  # chosen pixels of a part in a view


def view_figures(sample: Stored) -> Figures:
    """Figures of all CHECKS of one sample."""
    pixels = sample.pixels
    shown = np.flatnonzero((pixels.of(sample["depth"]) > 0) & ~pixels.edge)
    if not len(shown):
        return {}
    points = back_project(sample, pixels, shown)
    part = pixels.of(sample["parts"])[shown]
    return measured(
        views_depth=worst_view(_contradictions(sample, pixels.view[shown], points)),
        part_centroids=worst_view(_centroids(sample, pixels.view[shown], points, part)),
    )


def back_project(sample: Stored, pixels: Pixels, chosen: np.ndarray) -> np.ndarray:
    """World points (P, 3) m at the stored depth of the chosen pixels (P,)."""
    origins, directions = sample.views.rays(pixels.view[chosen], pixels.xy[chosen])
    return origins + directions * pixels.of(sample["depth"])[chosen, None].astype(float)


def _contradictions(sample: Stored, view: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(V,) share of each view's points that some other view cannot have missed: before what it sees, or in its void."""
    count = len(sample["K"])
    few = np.concatenate([_some(np.flatnonzero(view == v)) for v in range(count)])
    view, points, denied = view[few], points[few], np.zeros(len(few), bool)
    turn, shift, size = (
        sample["world_to_cam"][:, :3, :3],
        sample["world_to_cam"][:, :3, 3],
        sample["depth"].shape[:0:-1],
    )
    for other in range(count):
        local = points @ turn[other].T + shift[other]
        away = (view != other) & (local[:, 2] > 0)
        pixel = np.full((len(points), 2), -9)
        seen, _ = sample.views.see(np.full(away.sum(), other), points[away])
        pixel[away] = np.floor(np.nan_to_num(seen, nan=-9))
        away &= (pixel >= 1).all(1) & (pixel < np.array(size) - 1).all(1)
        x, y = pixel[away].T
        around = np.stack([sample["depth"][other, y + dy, x + dx] for dx in (-1, 0, 1) for dy in (-1, 0, 1)])
        nearest = np.where(around > 0, around, np.inf).min(0)
        denied[away] |= local[away, 2] < nearest - BEFORE
    many = np.bincount(view, minlength=count)
    return np.bincount(view[denied], minlength=count) / np.where(many > 0, many, np.nan)


def _some(chosen: np.ndarray) -> np.ndarray:
    return chosen[scattered(len(chosen), POINTS)]


def _centroids(sample: Stored, view: np.ndarray, points: np.ndarray, part: np.ndarray) -> np.ndarray:
    """(V,) largest distance of a part's points, on average, from the middle of its vertices, in its radii."""
    count, topology, out = len(sample["K"]), sample.topology, np.full(len(sample["K"]), np.nan)
    for one, vertices in topology.part_vertices.items():
        own = sample["vertices_world"][vertices].astype(float)
        middle = own.mean(0)
        radius = np.linalg.norm(own - middle, axis=1).max()
        mine = part == one
        many = np.bincount(view[mine], minlength=count)
        seen = [np.bincount(view[mine], points[mine, axis], count) / np.maximum(many, 1) for axis in range(3)]
        apart = np.linalg.norm(np.stack(seen, 1) - middle, axis=1) / radius
        out = np.fmax(out, np.where(many >= FEWEST, apart, np.nan))
    return out
