"""Draw docs/images/posing.png: frames of a clip, and the hands that the code of docs/posing.md makes of it.

Run from the root of the repository: python -m docs.figures.posing
"""

from __future__ import annotations

import contextlib
import re
import tempfile
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from rigging.geometry.cameras import Cameras, CameraSettings, palm_frame, ring
from rigging.geometry.projection import project
from rigging.hand.asset import load_asset
from rigging.posing.pose import PosedClip

from .shading import hand_colours, shade
from .spin_modes import draw_skeleton

PAGE = Path(__file__).parents[1] / "posing.md"
OUT = PAGE.parent / "images" / "posing.png"
SIZE, FRAMES, VIEW = 300, (0, 6, 11), 4
STICK = (0.35, 0.45, 0.55)


def page_names() -> dict[str, PosedClip]:
    """What the page's program has defined at its end."""
    names: dict = {"__name__": "page"}
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
            exec(compile(block, str(PAGE), "exec"), names)
    return names


def cameras_at(joints: np.ndarray, points: np.ndarray) -> Cameras:
    """A ring around one hand, of joints (21, 3) and points (N, 3) to be seen."""
    settings = CameraSettings(aim="box", phase=False, image_size=SIZE, zoom="ring")
    return ring(palm_frame(joints), points, settings, np.random.default_rng(0))


def main() -> None:
    """Draw the page's picture."""
    names = page_names()
    colours = hand_colours(load_asset())
    figure, axes = plt.subplots(len(FRAMES), 5, figsize=(5 * SIZE / 100, len(FRAMES) * SIZE / 100 * 1.04), dpi=100)
    for row, frame in zip(axes, FRAMES):
        hand = names["hand"]
        seen = cameras_at(hand.joints[frame], hand.vertices[frame])
        draw_skeleton(row[0], project(hand.target[frame], seen.K[None, VIEW], seen.world_to_cam[None, VIEW])[0])
        for axis, name in zip(row[1:], ("hand", "other", "left", "robot")):
            posed = names[name]
            # a left hand's ring starts at its palm, where a right hand's starts at its back
            own, view = (cameras_at(posed.joints[frame], posed.vertices[frame]), 0) if posed.left else (seen, VIEW)
            paint = np.tile(STICK, (len(posed.faces), 1)) if name == "robot" else colours
            place = own.K[view], own.world_to_cam[view]
            axis.imshow(shade(posed.vertices[frame], posed.faces, paint, *place, SIZE))
    for axis, title in zip(axes[0], ("recorded joints", "hand", "other", "left", "robot")):
        axis.set_title(title, fontsize=18)
    for axis in axes.ravel():
        axis.set(xlim=(0, SIZE), ylim=(SIZE, 0), aspect="equal")
        axis.axis("off")
    figure.subplots_adjust(0, 0, 1, 0.955, 0, 0)
    figure.savefig(OUT, metadata={"Software": None})


if __name__ == "__main__":
    main()
