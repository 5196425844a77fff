"""Draw docs/images/browse.jpg: a site in a headless Chromium, a sample on a desktop and thumbnails on a phone.

Run from the root of the repository: python -m docs.figures.browse SITE [SAMPLE]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

OUT = Path(__file__).parents[1] / "images" / "browse.jpg"
CHROMIUM = "chromium"
OPTIONS = (
    "--headless", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--hide-scrollbars",
    "--timeout=6000",
)  # fmt: skip
GAP = 24  # px


def shot(url: str, width: int, height: int, scale: float) -> np.ndarray:
    """A picture (scale height, scale width, 3) uint8 of a page in a window of width x height CSS px."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "shot.png")
        words = [f"--window-size={width},{height}", f"--force-device-scale-factor={scale}", f"--screenshot={path}", url]
        profile = f"--user-data-dir={folder}/profile"
        subprocess.run([CHROMIUM, *OPTIONS, profile, *words], check=True, capture_output=True, timeout=90)
        return cv2.imread(str(path))


def main(site: str, sample: str = "12") -> None:
    """Draw the page's picture."""
    start = f"{Path(site).resolve().as_uri()}/index.html"
    desktop, phone = shot(f"{start}#sample={sample}", 1440, 960, 1), shot(start, 500, 960, 1)
    gap = np.full((len(desktop), GAP, 3), 255, np.uint8)
    cv2.imwrite(str(OUT), np.concatenate([desktop, gap, phone], axis=1), [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main(*sys.argv[1:])
