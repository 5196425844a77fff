"""Draw docs/images/predict.jpg: what trained estimators say of a rendered hand, by single views and by all together.

Run from the root of the repository: python -m docs.figures.predict SINGLE_VIEW_RUN MULTI_VIEW_RUN DATA
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import torch

from baselines.data.opening import open_source
from baselines.inference.boxes import Box
from baselines.inference.estimate import Hand, View, hands_of, reprojected, view_of
from baselines.inference.overlay import overlay
from baselines.inference.several_views import fused_hand
from baselines.train.run_folder import load_run
from dataset_tools.pictures.canvas import fit, page, put, put_text

OUT = Path(__file__).parents[1] / "images" / "predict.jpg"
SPLIT, SAMPLE, SHOWN = "test_subject", 0, (1, 2, 3, 7)  # views
TILE, LINE, NAME = 400, 26, 120  # px
CPU = torch.device("cpu")


def views_of(data: str, margin: float) -> list[View]:
    """All views of the sample, their boxes those of the labels."""
    sample = open_source(data, SPLIT).read(SAMPLE)
    boxes = np.concatenate([sample["joints_2d"].min(1), sample["joints_2d"].max(1)], axis=1).astype(float)
    cameras = zip(sample["K"], sample["world_to_cam"])
    parts = zip(sample["rgb"], boxes, cameras)
    return [view_of(str(i), rgb, Box(box, "box"), margin, *camera) for i, (rgb, box, camera) in enumerate(parts)]


def row(name: str, views: list[View], hands: list[Hand]) -> np.ndarray:
    """(h, w, 3) uint8: joints and mesh in the views that are shown."""
    out = page(TILE // 2 + LINE, NAME + len(SHOWN) * TILE)
    put_text(out, name, TILE / 4, 8, 15)
    for column, view in enumerate(SHOWN):
        put(out, fit(overlay(views[view], hands[view], False), TILE - 4), 0, NAME + column * TILE)
    return out


def main(single: str, multi: str, data: str) -> None:
    """Draw the page's picture."""
    rows = []
    for run, together in ((single, False), (single, True), (multi, True)):
        estimator, config = load_run(run)
        views = views_of(data, config.data.margin)
        if together:
            fused = fused_hand(estimator, config, views, CPU)
            hands = [reprojected(hand, view) for hand, view in zip(fused.views, views)]
        else:
            hands = hands_of(estimator, config, views, CPU)
        rows.append(row(f"{estimator.name}\n{'8 views' if together else 'each view'}", views, hands))
    cv2.imwrite(str(OUT), np.concatenate(rows)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])


if __name__ == "__main__":
    main(*sys.argv[1:])
