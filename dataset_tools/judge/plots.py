"""The figures of the groups as a plot, and the views that went wrong as contact sheets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from rigging.joints import JOINT_PARENTS

from ..load.dataset import HandDataset
from ..pictures.canvas import fit, grid, put_text
from ..pictures.drawing import draw_skeleton, enlarge
from ..statistics.collect import Collected
from ..statistics.plots import BLUE, GREY, ORANGE, new_figure, plain, png
from .look import Seen
from .table import errors

TILE, COLUMNS, MOST = 192, 8, 32  # px, tiles in a row, tiles
SCALE, WHITE = 4, (255, 255, 255)  # pictures are enlarged, then drawn on
View = tuple[int, int]  # sample and view


def plots_of(path: Path, table: Mapping[str, Any], seen: Seen, labels: Collected) -> dict[str, bytes]:
    """The pictures by name, as PNG; a sheet without views is left out. Raises ShardError."""
    shown, error = labels.hand_size > 0, errors(seen, labels).mean(2)
    missed = np.argwhere(shown & ~seen.found)
    missed = missed[np.unique(np.linspace(0, len(missed) - 1, min(len(missed), MOST)).round().astype(int))]
    known = np.argwhere(shown & np.isfinite(error))
    worst = known[np.argsort(-error[tuple(known.T)], kind="stable")[:MOST]]
    chosen = {"missed": [tuple(view) for view in missed.tolist()], "worst": [tuple(view) for view in worst.tolist()]}
    sheets = {name: sheet(path, views, seen, error) for name, views in chosen.items() if views}
    return {"groups": plot_groups(table)} | sheets


def plot_groups(table: Mapping[str, Any]) -> bytes:
    """Shares of views in which a hand was found, and mean errors, by group; lines are 95 % intervals."""
    rows = [("all", table["all"])]
    for grouping, groups in table["groups"].items():
        rows += [(f"{grouping}: {name}", of) for name, of in groups.items()]
    figure, ((left, right),) = new_figure(1, 2, 11, 1.2 + 0.22 * len(rows), sharey=True)
    for place, (_, of) in enumerate(rows):
        _mark(left, place, of["found"], 100, BLUE)
        if of["error"]:
            _mark(right, place, of["error"], 1, ORANGE)
    left.axvline(100 * table["all"]["found"]["mean"], color=GREY, lw=0.8, ls=":")
    left.set_yticks(range(len(rows)), [f"{name} ({of['views']})" for name, of in rows])
    left.invert_yaxis()
    plain(left, "hand found", "% of views")
    plain(right, "mean error of the hands found", "share of the longer side of the hand's box")
    return png(figure)


def _mark(axis: Any, place: int, of: Mapping[str, Any], scale: float, colour: str) -> None:
    axis.plot(scale * of["mean"], place, "o", ms=4, color=colour)
    if of["interval"]:
        axis.plot([scale * edge for edge in of["interval"]], [place, place], color=colour, lw=1.5)


def sheet(path: Path, views: Sequence[View], seen: Seen, error: np.ndarray) -> bytes:
    """A contact sheet of views; where a hand was found it is drawn over the label, which is white.

    `error` (S, V) is written below.
    """
    with closing(HandDataset(path, fields=("rgb",))) as dataset:
        tiles = [_tile(dataset[sample]["rgb"][view], seen, (sample, view)) for sample, view in views]
        for tile, (sample, view) in zip(tiles, views):
            told = f" {error[sample, view]:.2f}" if seen.found[sample, view] else ""
            index = dataset.index
            text = f"shard {index['shard'][sample]} row {index['row'][sample]} view {view}{told}"
            put_text(tile, text, tile.shape[0] - 9, 4, 12)
    picture = grid(tiles, min(COLUMNS, len(tiles)))
    return cv2.imencode(".png", picture[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 6])[1].tobytes()


def _tile(rgb: np.ndarray, seen: Seen, view: View) -> np.ndarray:
    """A view above a strip of paper."""
    scale = max(1, SCALE * 128 // rgb.shape[0])
    picture = enlarge(rgb, scale)
    if seen.found[view]:
        picture = _label(picture, seen.expected[view] * scale)
        picture = draw_skeleton(picture, seen.points[view], np.ones(21, bool), scale, 0.8)
    return cv2.copyMakeBorder(fit(picture, TILE), 0, 18, 0, 0, cv2.BORDER_CONSTANT, value=WHITE)


def _label(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Bones between points (21, 2) px in white."""
    out, ends = picture.copy(), np.clip(np.nan_to_num(points), -4096, 8192).round().astype(int).tolist()
    for joint, parent in enumerate(JOINT_PARENTS):
        if parent >= 0:
            cv2.line(out, ends[parent], ends[joint], WHITE, max(1, picture.shape[0] // 200), cv2.LINE_AA)
    return out
