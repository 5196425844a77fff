"""RHD, the Rendered Handpose Dataset (Zimmermann & Brox, ICCV 2017), from the user's own folder.

training/color/00000.png, training/mask/00000.png      320 x 320; parts of people in the mask
training/anno_training.pickle                          {number: {"xyz": (42, 3) m, "uv_vis": (42, 3), "K": (3, 3)}}
evaluation/...                                         the same

41,258 and 2,728 pictures of one or two hands; of each the hand with more pixels counts, as in the authors' code.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rigging.errors import InputError
from rigging.poses.readers.permutations import to_canonical
from rigging.poses.readers.units import unit_scale

from .files import read_parts, read_pickle
from .real import Frame, Layout, RealSource, check_any_folder

FOLDERS = {"training": "train", "evaluation": "val"}
POINTS = 21  # of a hand; the left hand's come first
LEFT, RIGHT = (2, 17), (18, 33)  # numbers of their parts in a mask; 0 is background, 1 the person
SHAPES = {"xyz": (2 * POINTS, 3), "uv_vis": (2 * POINTS, 3), "K": (3, 3)}


@dataclass(frozen=True)
class Labels:
    """What the pickle of a folder holds of its n pictures."""

    numbers: np.ndarray  # (n,) int64
    xyz: np.ndarray  # (n, 42, 3) m, camera axes
    visible: np.ndarray  # (n, 42) bool
    K: np.ndarray  # (n, 3, 3) px


class RhdSource(RealSource):
    """Single views of the larger hand, with its mask and which of its joints are seen; left hands are mirrored.

    `split` is "train" (training), "val" (evaluation) or "" for both; one that is not there is left out. See RealSource
    for the rest. Raises FileNotFoundError; InputError for a folder of another layout and for damaged files.
    """

    def __init__(self, root: Path | str, split: str = "") -> None:
        root = Path(root)
        folders = check_any_folder(root, tuple(FOLDERS), "RHD")
        self._labels = [_read_labels(root / folder / f"anno_{folder}.pickle") for folder in folders]
        counts = tuple(len(labels.numbers) for labels in self._labels)
        splits = tuple(FOLDERS[folder] for folder in folders)
        own = np.arange(sum(counts))  # nobody says who is seen: every picture stands for itself
        super().__init__(root, Layout("RHD", folders, counts, splits, 1, own), split, ("mask", "joint_visible"))

    def _frame(self, sequence: int, place: int) -> Frame:
        labels, folder = self._labels[sequence], self.root / self.layout.sequences[sequence]
        name = f"{labels.numbers[place]:05d}.png"
        mask, left = larger_hand(read_parts(folder / "mask" / name))
        own = slice(0, POINTS) if left else slice(POINTS, None)
        visible = _canonical(labels.visible[place, own, None].repeat(3, 1))[:, 0] > 0
        return Frame(
            pictures=(folder / "color" / name,),
            joints_world=_canonical(labels.xyz[place, own]),
            left=left,
            K=labels.K[place, None],  # rendered: its middle, (160, 160) of 320 px, is that of the picture's area
            world_to_cam=np.eye(4)[None],
            more={"mask": mask[None], "joint_visible": visible[None]},
        )


def larger_hand(parts: np.ndarray) -> tuple[np.ndarray, bool]:
    """The mask (H, W) bool of the hand with more pixels in `parts` (H, W), and whether it is the left one."""
    left, right = ((low <= parts) & (parts <= high) for low, high in (LEFT, RIGHT))
    is_left = bool(left.sum() > right.sum())
    return (left if is_left else right), is_left


def _canonical(points: np.ndarray) -> np.ndarray:
    """(21, 3) of one hand's points (21, 3) in our order."""
    return to_canonical("rhd", points)


def _read_labels(path: Path) -> Labels:
    found = read_pickle(path)
    if not isinstance(found, dict) or not found:
        raise InputError(f"{path}: a dict with an entry for each picture is wanted, got {type(found).__name__}")
    arrays = {name: np.stack([_array(found[key], name, path, key) for key in found]) for name in SHAPES}
    if odd := [key for key in found if not isinstance(key, int | np.integer)]:
        raise InputError(f"{path}: {odd[0]!r} is no number of a picture")
    canonical = to_canonical("rhd", arrays["xyz"].reshape(-1, POINTS, 3))
    scale = unit_scale(canonical, "m", str(path))
    return Labels(np.array(list(found), int), arrays["xyz"] * scale, arrays["uv_vis"][..., 2] == 1, arrays["K"])


def _array(entry: object, name: str, path: Path, key: object) -> np.ndarray:
    """An array (...) float64 of a picture's labels, of the shape that SHAPES names."""
    value = entry.get(name) if isinstance(entry, dict) else entry
    if not isinstance(value, np.ndarray) or value.shape != SHAPES[name] or value.dtype.kind not in "fiu":
        got = getattr(value, "shape", type(value).__name__)
        raise InputError(f"{path}: picture {key}: {name} with shape {SHAPES[name]} is wanted, got {got}")
    if not np.isfinite(value).all():
        raise InputError(f"{path}: picture {key}: {name} is not finite")
    return value.astype(float)
