"""The pages that a lived-in room's surfaces are painted from, and their mip levels."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from . import cloths, prints, stuff, walls
from .scene import LEVELS, SIZE
from .spectra import Fields

Painter = Callable[[np.random.Generator, Fields], np.ndarray]
WALLS: tuple[tuple[Painter, float], ...] = (  # and how often each is met
    (walls.plaster, 4.0), (walls.wallpaper, 3.0), (walls.flowers, 1.0), (walls.stripes, 1.0), (walls.tiles, 2.0),
    (walls.bricks, 1.0), (walls.wood, 1.0), (walls.concrete, 1.0),
)  # fmt: skip
FLOORS: tuple[tuple[Painter, float], ...] = (
    (walls.wood, 4.0), (walls.carpet, 2.0), (walls.tiles, 2.0), (walls.concrete, 1.0)
)  # fmt: skip
PAGES: dict[str, Painter] = {
    "paint": stuff.paint, "metal": stuff.metal, "wood": walls.wood, "dark wood": walls.wood, "leather": stuff.leather,
    "stone": stuff.stone, "plain": cloths.plain, "printed": cloths.printed, "checked": cloths.checked,
    "knit": cloths.knit, "denim": cloths.denim, "curtain": cloths.curtain, "rug": cloths.rug, "page": prints.page,
    "photograph": prints.photograph, "second photograph": prints.photograph, "poster": prints.poster,
    "screen": prints.screen, "spines": prints.spines, "package": prints.package, "second package": prints.package,
    "view": prints.view, "leaf": stuff.leaf, "foliage": stuff.foliage, "skin": stuff.skin, "face": stuff.face,
    "hair": stuff.hair, "clutter": stuff.clutter,
}  # fmt: skip
NAMES = ("-x", "+x", "-y", "+y", "floor", "ceiling", *PAGES)  # in the order of Scene.textures
CLOTHES = ("plain", "printed", "checked", "knit", "denim")


def paint_pages(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The pages (T, 512, 1024, 3) uint8 of a new room, in the order of NAMES, and its grain (512, 1024) uint8."""
    fields = Fields.draw(rng)
    main, other, floor = (_any(rng, kinds)(rng, fields) for kinds in (WALLS, WALLS, FLOORS))
    most = rng.random(4) < 0.7  # of the walls are alike
    sides = [main if alike else other for alike in most]
    painted = [*sides, floor, walls.plaster(rng, fields), *(painter(rng, fields) for painter in PAGES.values())]
    grain = 128 + 50 * fields.take(rng, "pink")
    return np.stack([mip_maps(_bytes(page)) for page in painted]), mip_maps(np.clip(grain, 0, 255).astype(np.uint8))


def mip_maps(picture: np.ndarray) -> np.ndarray:
    """A picture (512, 512, ...) uint8 and its mip levels, side by side: (512, 1024, ...)."""
    laid = np.zeros((SIZE, 2 * SIZE, *picture.shape[2:]), np.uint8)
    left = 0
    for level in range(LEVELS):
        size = SIZE >> level
        laid[:size, left : left + size] = picture
        picture = cv2.resize(picture, (size // 2, size // 2), interpolation=cv2.INTER_AREA)
        left += size
    return laid


def _any(rng: np.random.Generator, kinds: tuple[tuple[Painter, float], ...]) -> Painter:
    weights = np.array([weight for _, weight in kinds])
    return kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))][0]


def _bytes(picture: np.ndarray) -> np.ndarray:
    return (np.clip(picture, 0.02, 0.97) * 255).astype(np.uint8)
