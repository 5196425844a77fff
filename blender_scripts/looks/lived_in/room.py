"""A room made up from a seed that looks lived in, seen sharply and consistently through real cameras.

Furniture, things, plants and people of boxes with rounded edges, ellipsoids, cylinders and capsules; surfaces painted
in the manner of photographs (`spectra`), worn and dirty; text of real letters. Rays are cast one per pixel, and two
more where outlines pass (`casting`); light is that of the hand, in spherical harmonics (Ramamoorthi & Hanrahan 2001),
with a window and lamps of the room's own (`shading`).
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from ..clutter import harmonics_of
from ..look import Lamp
from ..room import Camera
from .casting import first_of_neighbours, first_solids, rays_through
from .layout import furnish
from .pages import NAMES, paint_pages
from .scene import SIDE, SOLID, WHOLE, Hits, Scene, Solid, about_z, moved
from .shading import EVEN, mean_of_lamps, shade
from .surfaces import surfaces
from .windows import left_light, pixel_windows

_REPEAT = (0.9, 1.6)  # metres, of walls, floor and ceiling
_VISIBLE = 0.05  # difference of the root of linear light, by white's
_BESIDE = ((1 / 3, -1 / 3), (-1 / 3, 1 / 3))  # pixels from the centre, where more rays pass at outlines


@lru_cache(maxsize=1)  # the two samples of a pair share their room
def build_room(seed: int, reach: float = 1.0) -> Scene:
    """Make up a room around the origin, evenly lit; `reach` is the distance in metres to the farthest camera."""
    rng = np.random.default_rng(seed)
    half = np.array([rng.uniform(1.3, 2.4), rng.uniform(1.3, 2.4), rng.uniform(1.15, 1.4)]) * max(1.0, reach / 0.8)
    hand = rng.uniform(-0.25, 0.25, 3) * half
    solids, lights = furnish(rng, half, hand)
    angle = rng.uniform(0, 2 * np.pi)
    turn = about_z(angle)
    placed = moved([*_sides(rng, half), *solids], angle, -turn @ hand)
    lights[:, :3] = (lights[:, :3] - hand) @ turn.T
    lights[:, 3:6] *= min(1.0, (1 - EVEN) / mean_of_lamps(lights))
    used = tuple(name for name in NAMES if any(solid.texture == name for solid in placed))
    textures, grain = paint_pages(seed, used)
    rows = np.array([_row(solid, used) for solid in placed], SOLID)
    return Scene(rows, textures, grain, np.eye(3, 9)[[0, 0, 0]], lights)


def _sides(rng: np.random.Generator, half: np.ndarray) -> list[Solid]:
    """The six sides of a room of half extents (3,) m: most walls are alike."""
    names = [*("wall" if alike else "other wall" for alike in rng.random(4) < 0.7), "floor", "ceiling"]
    repeats, gloss = rng.uniform(*_REPEAT, 6), rng.uniform(0, 1, 6) * (0.2, 0.2, 0.2, 0.2, 0.6, 0.1)
    repeats[:4], gloss[:4] = repeats[0], gloss[0]
    return [Solid(SIDE, (0, 0, 0), tuple(half), name, repeat=size, gloss=shine, wear=rng.uniform(0.05, 0.3))
            for name, size, shine in zip(names, repeats, gloss)]  # fmt: skip


def light_room(scene: Scene, light: np.ndarray, lamps: tuple[Lamp, ...]) -> Scene:
    """The room under the panorama `light` (64, 128, 3) and the lamps that also light the hand."""
    return scene._replace(harmonics=harmonics_of(light, lamps))


def view_room(scene: Scene, K: np.ndarray, world_to_cam: np.ndarray, width: int, height: int) -> np.ndarray:
    """The room through a camera: (height, width, 3) float32 linear light, from K (3, 3) and world_to_cam (4, 4)."""
    rotation = np.ascontiguousarray(world_to_cam[:3, :3])
    camera = Camera(np.ascontiguousarray(K), rotation, -rotation.T @ world_to_cam[:3, 3], width, height)
    columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    rays = rays_through(camera, columns, rows)
    depth, owner = first_solids(scene.solids, pixel_windows(scene.solids, 0.0, camera), camera, rays)
    light = left_light(scene.solids, camera, rays, depth, owner, scene.lights)
    hits = Hits(rays.reshape(-1, 3), depth.ravel(), owner.ravel(), light.ravel())
    image = _colours(scene, hits, camera).reshape(height, width, 3)
    outline = outlines(owner) & differing(image, scene.harmonics[1, 0])
    image[outline] += _beside(scene, owner, light, np.argwhere(outline), camera)
    image[outline] /= 1 + len(_BESIDE)
    return image


def outlines(owner: np.ndarray) -> np.ndarray:
    """Which pixels (H, W) bool of rows (H, W) int32 have a neighbour, beside or above, that belongs to another."""
    grown = owner.astype(np.float32)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    return cv2.dilate(grown, cross) != cv2.erode(grown, cross)


def differing(image: np.ndarray, unit: float) -> np.ndarray:
    """Which pixels (H, W) bool of light (H, W, 3) differ visibly from one beside or above; `unit` is a white one's."""
    light = np.sqrt(np.maximum(image[..., 1], 0) / np.float32(unit))
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    return cv2.dilate(light, cross) - cv2.erode(light, cross) > _VISIBLE


def _beside(scene: Scene, owner: np.ndarray, light: np.ndarray, places: np.ndarray, camera: Camera) -> np.ndarray:
    """Colours (P, 3) of the pixels `places` (P, 2), summed over the rays of _BESIDE."""
    total, (rows, columns) = np.zeros((len(places), 3), np.float32), places.T
    for dx, dy in _BESIDE:
        rays = rays_through(camera, columns + 0.5 + dx, rows + 0.5 + dy)
        depth, met, left = first_of_neighbours(scene.solids, owner, light, places, rays, camera)
        total += _colours(scene, Hits(rays, depth, met, left), camera)
    return total


def _colours(scene: Scene, hits: Hits, camera: Camera) -> np.ndarray:
    return shade(scene, hits, surfaces(scene.solids, hits, camera.position), camera.position, camera.K[0, 0])


def _row(solid: Solid, pages: tuple[str, ...]) -> tuple:
    """A SOLID, whose page is one of `pages`."""
    half = np.asarray(solid.half, float)
    radius = min(solid.radius, 0.98 * half.min())
    patch, texture = solid.patch if solid.repeat == 0 else WHOLE, pages.index(solid.texture)
    return (solid.kind, solid.centre, half, solid.axes, radius, texture, patch, solid.repeat, solid.tint, solid.gloss,
            solid.glow, solid.wear)  # fmt: skip
