"""Draw docs/images/pseudo_labels.jpg: true labels of one hand, and pseudo labels of it from files, in a few views.

Run from the root of the repository: python -m docs.figures.pseudo_labels DATA NAME=LABELS.npz ...
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from baselines.data.label_file import load_labels
from baselines.data.labels import PseudoLabelled
from baselines.data.opening import open_source
from dataset_tools.pictures.canvas import fit, page, put, put_text
from dataset_tools.pictures.drawing import draw_skeleton, enlarge

OUT = Path(__file__).parents[1] / "images" / "pseudo_labels.jpg"
SPLIT, SAMPLE, SHOWN = "train", 20, (0, 2, 4, 5)  # views
SCALE, TILE, NAME = 3, 300, 110  # px
SURE = 0.5  # joints with less confidence are hollow


def row(name: str, pictures: np.ndarray, joints: np.ndarray, sure: np.ndarray) -> np.ndarray:
    """(h, w, 3) uint8: joints (v, 21, 2) px, those that are not sure (v, 21) hollow, over pictures (v, H, W, 3)."""
    out = page(TILE, NAME + len(pictures) * TILE)
    put_text(out, name, TILE / 2, 8, 15)
    for column, (picture, points, seen) in enumerate(zip(pictures, joints, sure)):
        drawn = draw_skeleton(enlarge(picture, SCALE), points, seen, SCALE, 0.8)
        put(out, fit(drawn, TILE - 4), 0, NAME + column * TILE)
    return out


def main(data: str, *files: str) -> None:
    """Write the figure."""
    source = open_source(data, SPLIT)
    true = source.read(SAMPLE, SHOWN)
    rows = [row("true", true["rgb"], true["joints_2d"], true["joint_visible"])]
    for name, path in (one.split("=", 1) for one in files):
        told = PseudoLabelled(source, load_labels(path)).read(SAMPLE, SHOWN)
        rows.append(row(name, told["rgb"], told["joints_2d"], told["label_confidence"] > SURE))
    cv2.imwrite(str(OUT), np.concatenate(rows)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])


if __name__ == "__main__":
    main(*sys.argv[1:])
