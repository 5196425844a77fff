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
    (walls.plaster, 4.0), (walls.wallpaper, 4.0), (walls.flowers, 1.0), (walls.stripes, 1.0), (walls.tiles, 2.0),
    (walls.bricks, 0.8), (walls.wood, 1.0), (walls.concrete, 0.5),
)  # fmt: skip
FLOORS: tuple[tuple[Painter, float], ...] = (
    (walls.wood, 4.0), (walls.carpet, 2.0), (walls.tiles, 2.0), (walls.concrete, 0.5)
)  # fmt: skip
CEILINGS: tuple[tuple[Painter, float], ...] = (
    (walls.plaster, 4.0), (walls.wood, 2.0), (walls.tiles, 1.0), (walls.wallpaper, 1.0),
)  # fmt: skip
PAGES: dict[str, Painter] = {
    "paint": stuff.paint, "metal": stuff.metal, "wood": walls.wood, "dark wood": walls.wood, "leather": stuff.leather,
    "stone": stuff.stone, "plain": cloths.plain, "printed": cloths.printed, "checked": cloths.checked,
    "knit": cloths.knit, "denim": cloths.denim, "curtain": cloths.curtain, "rug": cloths.rug, "page": prints.page,
    "photograph": prints.photograph, "poster": prints.poster,
    "screen": prints.screen, "spines": prints.spines, "package": prints.package,
    "view": prints.view, "leaf": stuff.leaf, "foliage": stuff.foliage, "face": stuff.face,
    "hair": stuff.hair, "clutter": stuff.clutter,
}  # fmt: skip
SHARP = {  # what is painted at full size: pictures and print, and walls, which are large; cloth and such are smoother
    "page", "photograph", "poster", "screen", "spines", "package", "view",
    "wall", "other wall", "floor", "ceiling",
}  # fmt: skip
NAMES = ("wall", "other wall", "floor", "ceiling", *PAGES)
CLOTHES = ("plain", "printed", "checked", "knit", "denim")


def paint_pages(seed: int, names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The pages (len(names), 512, 768, 3) uint8 of a room, and its grain (512, 768) uint8.

    Each of NAMES is painted alike whatever else is.
    """
    rng = np.random.default_rng(seed)
    fields, grain = Fields.draw(rng), np.zeros((SIZE, 3 * SIZE // 2), np.uint8)
    painters = PAGES | {"wall": _any(rng, WALLS), "other wall": _any(rng, WALLS), "floor": _any(rng, FLOORS),
                        "ceiling": _any(rng, CEILINGS)}  # fmt: skip
    mip_maps(0.5 + 0.2 * fields.take(rng, "pink"), grain)
    pages = np.zeros((len(names), SIZE, 3 * SIZE // 2, 3), np.uint8)
    for page, name in zip(pages, names):
        own = fields if name in SHARP else fields.smaller
        mip_maps(painters[name](np.random.default_rng((seed, NAMES.index(name))), own), page)
    return pages, grain


def mip_maps(picture: np.ndarray, page: np.ndarray) -> None:
    """Lay a picture (N, N, ...) of 0 to 1 and its mip levels into `page` (512, 768, ...) uint8.

    The first is on the left, the others are on the right, one below the other.
    """
    picture = np.clip(cv2.convertScaleAbs(cv2.max(picture, 0.0), alpha=255), 5, 247)
    picture = cv2.resize(picture, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
    page[:, :SIZE] = picture
    top = 0
    for level in range(1, LEVELS):
        size = SIZE >> level
        picture = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
        page[top : top + size, SIZE : SIZE + size] = picture
        top += size


def _any(rng: np.random.Generator, kinds: tuple[tuple[Painter, float], ...]) -> Painter:
    weights = np.array([weight for _, weight in kinds])
    return kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))][0]
