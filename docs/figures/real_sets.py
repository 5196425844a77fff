"""Draw docs/images/real_sets.png: renders of ours in the layouts of the real data sets, read back and cropped.

Nothing of the data sets themselves is in it: the layouts are written by the tests' own helpers. Run from the root of
the repository on a shard or folder of shards with 8 views: python -m docs.figures.real_sets DATA
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
import torch

from baselines.adapters import ADAPTERS, open_real
from baselines.batch import Batch
from baselines.config import Data
from baselines.data.batches import Batches
from dataset_tools.load.dataset import HandDataset
from dataset_tools.load.derive import derive
from dataset_tools.pictures.canvas import grid, save, titled
from dataset_tools.pictures.drawing import draw_mask, draw_skeleton, joint_colours

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "baselines" / "adapters"))  # for the layouts

from freiburg_layouts import write_dexter, write_freihand, write_hanco, write_rhd
from real_layouts import write_mhp, write_stb

OUT = Path(__file__).parents[1] / "images" / "real_sets.png"
SIZE, VIEW = 240, 2  # px of a crop; the view that single pictures are of


def write_all(root: Path, sample: dict) -> None:
    """The six layouts below `root`, of one sample with its 8 views."""
    four = {name: value[:4] if np.ndim(value) and len(value) == 8 else value for name, value in sample.items()}
    write_stb(root / "stb", {"B1Counting": [sample]}, view=VIEW)
    write_mhp(root / "mhp", {1: [four]})
    write_rhd(root / "rhd", {"training": [sample]}, view=VIEW)
    write_freihand(root / "freihand", [sample], [sample], view=VIEW)
    write_hanco(root / "hanco", {0: [sample]})
    write_dexter(root / "dexter", {"Grasp1": [sample]}, view=VIEW)


def crop(root: Path, name: str) -> np.ndarray:
    """(SIZE, SIZE, 3): a crop as estimators get it, with its labels."""
    source = open_real(f"{name}:{root / name}")
    needed = ("mask",) if "mask" in source.fields else ()
    batches = Batches(source, Data(size=SIZE, batch=8, workers=0), needed=needed)
    return drawn(next(iter(batches.ordered())), VIEW if source.views > 1 else 0)


def drawn(batch: Batch, row: int) -> np.ndarray:
    """(S, S, 3) uint8 of a crop: joints that have a label, and the mask."""
    picture = (255 * batch.rgb[row].movedim(0, -1)).round().to(torch.uint8).numpy()
    if batch.mask is not None:
        picture = draw_mask(picture, batch.mask[row].numpy(), 1)
    valid, joints = batch.joint_valid[row].numpy(), batch.joints_2d[row].numpy()
    if valid.all():
        return draw_skeleton(picture, joints, valid, 1)
    for joint in np.flatnonzero(valid):
        at, colour = joints[joint].round().astype(int).tolist(), joint_colours()[joint].tolist()
        picture = cv2.circle(np.ascontiguousarray(picture), at, 4, colour, -1, cv2.LINE_AA)
    return picture


def main(data: str) -> None:
    """Write, read and draw."""
    hands = HandDataset(data)
    sample = dict(hands[0]) | {name: derive(name, hands[0]) for name in ("mask", "joints_cam", "joints_2d")}
    sample["K"] = np.asarray(sample["K"], float)
    with tempfile.TemporaryDirectory() as folder:
        write_all(Path(folder), sample)
        tiles = [titled(crop(Path(folder), name), ADAPTERS[name]) for name in ADAPTERS]
    save(OUT, grid(tiles, 3))


if __name__ == "__main__":
    main(sys.argv[1])
