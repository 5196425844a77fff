"""Draw docs/images/statistics.png: three of the plots of a release's statistics.

Run: python -m docs.figures.statistics DATA [FOLDER of photographs]
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from dataset_tools.statistics.run import Request, statistics
from rigging.files import write_atomic

OUT = Path(__file__).parents[1] / "images" / "statistics.png"
SHOWN = ("poses", "cameras", "pictures")


def main() -> None:
    """Draw the page's picture."""
    data, photographs = Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None
    plots = statistics(Request(data, photographs))[1]
    pictures = [cv2.imdecode(np.frombuffer(plots[name], np.uint8), cv2.IMREAD_COLOR) for name in SHOWN]
    write_atomic(OUT, cv2.imencode(".png", np.concatenate(pictures), [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes())


if __name__ == "__main__":
    main()
