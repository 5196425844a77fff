"""Pages: pictures in a grid, captions and legends. Needs Pillow (extras `render` and `view`) for its text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from rigging.files import write_atomic

from .drawing import INK, PAPER

try:
    from PIL import Image, ImageDraw, ImageFont
except ImportError:
    raise ImportError("pictures need Pillow: pip install pillow") from None

GREY = (118, 124, 134)


def page(height: int, width: int) -> np.ndarray:
    """A white page (height, width, 3) uint8."""
    return np.full((height, width, 3), PAPER, np.uint8)


def put(target: np.ndarray, picture: np.ndarray, y: int, x: int) -> None:
    """Copy `picture` into `target` with its top left corner at (y, x)."""
    target[y : y + picture.shape[0], x : x + picture.shape[1]] = picture


def fit(picture: np.ndarray, width: int) -> np.ndarray:
    """`picture` (H, W, 3) uint8 reduced to `width` px; its proportions are kept."""
    height = round(picture.shape[0] * width / picture.shape[1])
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def put_text(
    target: np.ndarray, text: str, y: float, x: float, size: float, colour: tuple = INK, anchor: str = "lm"
) -> None:
    """Write `text` with Pillow's anchor (default: left, middle) at (y, x); `size` is in px."""
    font = ImageFont.load_default(size)
    box = ImageDraw.Draw(Image.new("RGB", (1, 1))).textbbox((x, y), text, font=font, anchor=anchor)
    left, top = (max(0, int(edge) - 1) for edge in box[:2])
    patch = target[top : int(box[3]) + 2, left : int(box[2]) + 2]  # Pillow draws on a copy: keep it small
    image = Image.fromarray(patch)
    ImageDraw.Draw(image).text((x - left, y - top), text, fill=colour, font=font, anchor=anchor)
    patch[...] = np.asarray(image)


def grid(pictures: Sequence[np.ndarray], columns: int, gap: int = 6) -> np.ndarray:
    """Pictures (H, W, 3) uint8 of one size on a page, `columns` in a row."""
    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    out = page(rows * (height + gap) + gap, columns * (width + gap) + gap)
    for i, picture in enumerate(pictures):
        put(out, picture, gap + i // columns * (height + gap), gap + i % columns * (width + gap))
    return out


def titled(picture: np.ndarray, title: str, note: str = "", legend: np.ndarray | None = None) -> np.ndarray:
    """`picture` (H, W, 3) under a head line: title, a note in grey, and a legend (h, w, 3) at the right; all uint8."""
    size = max(16, picture.shape[1] // 70)
    head = page(round(size * 2.6), picture.shape[1])
    middle = head.shape[0] / 2 + 1
    put_text(head, title, middle, size * 0.6, size * 1.15)
    if note:
        font = ImageFont.load_default(size * 1.15)
        put_text(head, note, middle + size * 0.08, size * 1.5 + font.getlength(title), size * 0.9, GREY)
    if legend is not None:
        height = round(size * 2.2)
        legend = cv2.resize(legend, (round(legend.shape[1] * height / legend.shape[0]), height), cv2.INTER_AREA)
        put(head, legend, (head.shape[0] - height) // 2, head.shape[1] - legend.shape[1] - round(size * 0.6))
    return np.concatenate([head, picture])


def save(path: Path, picture: np.ndarray) -> Path:
    """Write a picture (H, W, 3) uint8 as PNG, all of it or nothing."""
    data = cv2.imencode(".png", picture[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 4])[1]
    write_atomic(path, data.tobytes())
    return path
