"""Dexter+Object (Sridhar et al., ECCV 2016), from the user's own folder: fingertips alone, of hands with a cuboid.

data/Grasp1/color/*.png                     640 x 480
data/Grasp1/annotations/Grasp13D.txt        a row each: 5 fingertips `x, y, z;` mm from the thumb on, then the cuboid
data/Grasp1/annotations/Grasp12D.txt        the same points in pixels of the depth picture, 320 x 240

Six sequences, nothing to train on. Labels lie in the depth camera's axes; cameras are those of the data set. Its
documents were not at hand: signs of the axes are taken from the 2D labels, see `axes_of`.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np

from rigging.errors import InputError

from .files import read_rows
from .real import HALF, Frame, Hand, Layout, RealSource, check_folder

SEQUENCES = ("Grasp1", "Grasp2", "Occlusion", "Pinch", "Rigid", "Rotate")
TIPS = np.array([4, 8, 12, 16, 20])
COLOUR = np.array([[587.45209, 0, 325], [0, 600.67456, 249], [0, 0, 1]])
DEPTH = np.array([[224.502, 0, 160], [0, 230.494, 120], [0, 0, 1]])
TURN = np.array([[0.9999, 0.0034, 0.0161], [-0.0033, 1.0, -0.0079], [-0.0162, 0.0079, 0.9998]])  # depth to colour
SHIFT = np.array([19.0473, -1.8514, -4.7501])  # mm
MEASURABLE = (100.0, 2000.0)  # mm, z of a label; 32001 is the depth camera's for "nothing"
USUAL_AXES = (-1, -1)  # x to the left and y up, as public readers have them
DISAGREEING = 20.0  # px of the depth picture
REACH = 0.11  # m, of a hand to all sides about its fingertips' middle


class DexterSource(RealSource):
    """Single views of a hand's tips: other joints have no label (`joint_valid`), and `hand_box` says where the hand is.

    `split` is "val" or "" (all there is). Tips cannot tell which hand they are of; public readers say left. Frames
    without a tip are left out (`skipped`). See RealSource for the rest. Raises FileNotFoundError; InputError for a
    folder of another layout, damaged files, and 3D labels that are not where the 2D ones are.
    """

    def __init__(self, root: Path | str, split: str = "", hand: Hand = "left") -> None:
        root = Path(root)
        check_folder(root, ("data",), "Dexter+Object")
        if hand not in ("left", "right"):
            raise InputError(f"hand {hand!r}: 'left' or 'right' is wanted; fingertips do not tell")
        self.left = hand == "left"
        names = tuple(name for name in SEQUENCES if (root / "data" / name).is_dir())
        if not names:
            raise InputError(f"{root / 'data'}: none of {', '.join(SEQUENCES)} in it")
        found = [_read_sequence(root / "data" / name) for name in names]
        kept = [np.flatnonzero(np.isfinite(tips).any((1, 2))) for _, tips in found]
        self._pictures = [[pictures[i] for i in rows] for (pictures, _), rows in zip(found, kept)]
        self._tips = [tips[rows] for (_, tips), rows in zip(found, kept)]
        self.skipped = sum(len(tips) - len(rows) for (_, tips), rows in zip(found, kept))
        layout = Layout("Dexter+Object", names, tuple(map(len, kept)), ("val",) * len(names))
        super().__init__(root, layout, split, ("joint_valid", "hand_box"))

    def _frame(self, sequence: int, place: int) -> Frame:
        tips = self._tips[sequence][place] @ _rigid(TURN).T + SHIFT / 1000
        joints = np.full((21, 3), np.nan)
        joints[TIPS] = tips
        K = COLOUR + HALF
        more = {"joint_valid": np.isfinite(joints).all(-1)[None], "hand_box": box_about(tips, K)[None]}
        picture = self._pictures[sequence][place]
        return Frame((picture,), joints, self.left, K[None], np.eye(4)[None], more)


def box_about(tips: np.ndarray, K: np.ndarray) -> np.ndarray:
    """(4,) px, x0 y0 x1 y1: what reaches REACH to all sides of the middle of tips (5, 3) m in camera axes."""
    low, high = np.nanmin(tips, 0), np.nanmax(tips, 0)
    middle = (low + high) / 2
    pixel = (K @ (middle / middle[2]))[:2]
    half = REACH * K[[0, 1], [0, 1]] / middle[2]
    return np.concatenate([pixel - half, pixel + half])


def axes_of(tips: np.ndarray, pixels: np.ndarray, where: str) -> np.ndarray:
    """(3,) signs that bring tips (n, 5, 3) mm to x right, y down: those with which they are seen at `pixels` (n, 5, 2).

    Raises InputError where tips are far from the pixels whatever the signs.
    """
    seen = np.isfinite(tips).all(-1) & (pixels > 0).all(-1)
    if not seen.any():
        return np.array([*USUAL_AXES, 1])
    errors = {signs: _error(tips[seen] * [*signs, 1], pixels[seen]) for signs in product((-1, 1), repeat=2)}
    best = min(errors, key=lambda signs: (errors[signs], signs != USUAL_AXES))
    if errors[best] > DISAGREEING:
        raise InputError(
            f"{where}: 3D labels are {errors[best]:.0f} px from the 2D labels, {DISAGREEING:g} are allowed"
        )
    return np.array([*best, 1])


def _error(tips: np.ndarray, pixels: np.ndarray) -> float:
    """Median distance in px of tips (m, 3) in the depth camera's axes, and pixels (m, 2)."""
    image = tips @ DEPTH.T
    return float(np.median(np.linalg.norm(image[:, :2] / image[:, 2:] - pixels, axis=-1)))


def _rigid(matrix: np.ndarray) -> np.ndarray:
    """The rotation (3, 3) nearest to a matrix (3, 3): the data set rounds its own to four digits."""
    u, _, vt = np.linalg.svd(matrix)
    return u @ vt


def _read_sequence(folder: Path) -> tuple[list[Path], np.ndarray]:
    """Pictures and tips (n, 5, 3) m in the depth camera's axes, x right and y down; NaN for a tip without a label."""
    path = folder / "annotations" / f"{folder.name}3D.txt"
    tips = read_rows(path, len(TIPS), 3)
    colour = folder / "color"
    files = sorted(colour.iterdir()) if colour.is_dir() else []
    pictures = [path for path in files if path.suffix in (".png", ".jpg")]
    if len(pictures) != len(tips) or not pictures:
        raise InputError(f"{colour}: {len(pictures)} pictures, but {path.name} has {len(tips)} rows")
    measured = (MEASURABLE[0] < tips[..., 2]) & (tips[..., 2] < MEASURABLE[1])
    tips = np.where(measured[..., None], tips, np.nan)
    pixels = read_rows(path.with_name(f"{folder.name}2D.txt"), len(TIPS), 2)
    if len(pixels) != len(tips):
        raise InputError(f"{path}: {len(tips)} rows, but {folder.name}2D.txt has {len(pixels)}")
    return pictures, tips * axes_of(tips, pixels, str(path)) / 1000
