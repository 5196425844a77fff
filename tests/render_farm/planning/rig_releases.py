"""Small releases of each rig, and a calibration for one of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from render_farm.planning.release import Release, load_release

TEXT = """
name = "rigs"
seed = 11
samples = 8
shard_size = 8
hand = "{hand}"
[poses]
candidates = 120
[subjects]
count = 2
run = 2
skin_resolution = 256
[cameras]
rig = "{rig}"
views = {views}
image_size = 96
"""
RIGS = ("random", "egocentric", "wrist", "calibration")


def calibration_file(folder: Path, views: int) -> Path:
    """Cameras half a metre around a place, whose pictures are 400 x 300 px."""
    poses = np.tile(np.eye(4), (views, 1, 1))
    for view, pose in enumerate(poses):
        angle = 2 * np.pi * view / views
        c, s = np.cos(angle), np.sin(angle)
        pose[:3, :3], pose[:3, 3] = [[c, 0, s], [0, 1, 0], [-s, 0, c]], (0, 0, 0.5)
    K = np.tile([[380.0, 0, 203], [0, 384, 149], [0, 0, 1]], (views, 1, 1))
    path = folder / "rig.json"
    path.write_text(json.dumps({"K": K.tolist(), "world_to_cam": poses.tolist(), "image_size": [400, 300]}))
    return path


def rig_release(folder: Path, rig: str, views: int = 3, more: str = "", hand: str = "right") -> Release:
    """A release of this rig; `more` is appended to its text."""
    text = TEXT.format(rig=rig, views=views, hand=hand) + more
    if rig == "calibration" and "[files]" not in more:
        text += f'[files]\ncalibration = "{calibration_file(folder, views)}"\n'
    path = folder / "rigs.toml"
    path.write_text(text)
    return load_release(str(path))
