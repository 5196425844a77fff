"""Predictions over photographs: the best, the median and the worst sample, in a few of its views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dataset_tools.pictures.canvas import GREY, page, put, put_text, save, titled
from dataset_tools.pictures.drawing import draw_skeleton, enlarge

TILE, GAP, NAME, LINE = 240, 6, 180, 24  # px
VIEWS = 4  # of a sample


@dataclass(frozen=True)
class Shown:
    """One view of a sample: the photograph (H, W, 3) uint8, its K (3, 3) px and joints (21, 3) m in camera axes."""

    photograph: np.ndarray
    K: np.ndarray
    joints: Mapping[str, np.ndarray]  # truth first, then estimates by name
    errors: Mapping[str, float]  # mm, of the estimates


def draw_predictions(path: Path, samples: Mapping[str, list[Shown]], note: str) -> Path:
    """Write a page with a block for each of the `samples` ("best", ...): a row for truth and every estimate."""
    blocks = [_block(title, views) for title, views in samples.items()]
    return save(path, titled(np.concatenate(blocks), "predictions", note))


def chosen(errors: np.ndarray) -> dict[str, int]:
    """Positions of the samples with the least, the median and the greatest of `errors` (n,)."""
    order = np.argsort(errors, kind="stable")
    return {"best": int(order[0]), "median": int(order[len(order) // 2]), "worst": int(order[-1])}


def spread_views(count: int) -> list[int]:
    """Up to VIEWS of `count` views, evenly spread."""
    return sorted({int(view) for view in np.linspace(0, count, VIEWS, endpoint=False)})


def _block(title: str, views: list[Shown]) -> np.ndarray:
    names = list(views[0].joints)
    out = page(len(names) * (TILE + LINE + GAP) + 2 * GAP, NAME + len(views) * (TILE + GAP) + GAP)
    put_text(out, title, GAP + 16, 12, 22)
    for row, name in enumerate(names):
        y = GAP + row * (TILE + LINE + GAP)
        put_text(out, name, y + TILE / 2, 12, 16, GREY)
        for column, view in enumerate(views):
            x = NAME + column * (TILE + GAP)
            put(out, _drawn(view, name), y, x)
            if name in view.errors:
                put_text(out, f"{view.errors[name]:.1f} mm", y + TILE + LINE / 2, x + TILE / 2, 14, GREY, "mm")
    return out


def _drawn(view: Shown, name: str) -> np.ndarray:
    """The photograph as a tile with joints over it."""
    height, width = view.photograph.shape[:2]
    scale = max(1, -(-TILE // max(height, width)))
    pixels = view.joints[name] @ view.K.T
    drawn = draw_skeleton(
        enlarge(view.photograph, scale), pixels[:, :2] / pixels[:, 2:], np.ones(len(pixels), bool), scale, 0.9
    )
    return _fit_square(drawn)


def _fit_square(picture: np.ndarray) -> np.ndarray:
    """The picture inside a tile, its proportions kept."""
    import cv2

    scale = TILE / max(picture.shape[:2])
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    tile = page(TILE, TILE)
    put(tile, cv2.resize(picture, size, interpolation=cv2.INTER_AREA), (TILE - size[1]) // 2, (TILE - size[0]) // 2)
    return tile
