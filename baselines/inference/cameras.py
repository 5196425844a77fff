"""Cameras that a user gives: K of one photograph, or K and pose of each of several."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from rigging.errors import InputError
from rigging.npz import read_npz

FORMAT = "K (V, 3, 3) in px and world_to_cam (V, 4, 4) in m, as the loader gives them"
TOLERANCE = 1e-3  # of rotations


def read_intrinsics(text: str) -> np.ndarray:
    """K (3, 3) px of "fx,fy,cx,cy", or of a JSON or npz file with K. Raises InputError, FileNotFoundError."""
    numbers = numbers_of(text)
    if numbers is None:
        path = Path(text)
        if not path.is_file():
            raise InputError(f"--K {text}: fx,fy,cx,cy in px are wanted, or a file of JSON or npz with K (3, 3)")
        return checked_K(_array(read_table(path), "K", path), f"--K {path}")
    if len(numbers) != 4:
        raise InputError(f"--K {text}: four numbers are wanted, fx,fy,cx,cy in px")
    fx, fy, cx, cy = numbers
    return checked_K(np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1.0]]), f"--K {text}")


def read_cameras(path: Path, count: int) -> tuple[np.ndarray, np.ndarray]:
    """K (V, 3, 3) px and world_to_cam (V, 4, 4) m of `count` views, float64. Raises InputError, FileNotFoundError."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file of cameras ({FORMAT}; JSON or npz)")
    table = read_table(path)
    K, poses = (_array(table, name, path) for name in ("K", "world_to_cam"))
    for name, array, shape in (("K", K, (3, 3)), ("world_to_cam", poses, (4, 4))):
        if array.shape != (count, *shape):
            raise InputError(f"{path}: {name} has shape {array.shape}; {count} pictures want {(count, *shape)}")
    K = np.stack([checked_K(one, f"{path}, camera {view}") for view, one in enumerate(K)])
    return K, np.stack([_checked_pose(one, f"{path}, camera {view}") for view, one in enumerate(poses)])


def read_table(path: Path) -> dict:
    """What a file of JSON or npz holds, by name; JSON that is no table stands under "". Raises InputError."""
    try:
        if path.suffix == ".npz":
            return read_npz(path)
        table = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: cannot be read as {'npz' if path.suffix == '.npz' else 'JSON'} ({error})") from error
    return table if isinstance(table, dict) else {"": table}


def numbers_of(text: str) -> list[float] | None:
    """The numbers of a text with commas between; None where it is no such list."""
    try:
        return [float(one) for one in text.split(",")]
    except ValueError:
        return None


def checked_K(K: np.ndarray, where: str) -> np.ndarray:
    """K (3, 3) px, float64. Raises InputError unless it is finite, upper triangular and looks ahead."""
    K = np.asarray(K, float)
    if K.shape != (3, 3) or not np.isfinite(K).all():
        raise InputError(f"{where}: K is {K.tolist()}; (3, 3) finite numbers are wanted")
    if K[1, 0] or K[2].tolist() != [0, 0, 1] or min(K[0, 0], K[1, 1]) <= 0:
        raise InputError(f"{where}: K is {K.tolist()}; [[fx, skew, cx], [0, fy, cy], [0, 0, 1]] is wanted, fx, fy > 0")
    return K


def _checked_pose(pose: np.ndarray, where: str) -> np.ndarray:
    if not np.isfinite(pose).all() or not np.allclose(pose[3], [0, 0, 0, 1]):
        raise InputError(f"{where}: world_to_cam is {pose.tolist()}; finite numbers, last 0, 0, 0, 1, are wanted")
    turn = pose[:3, :3]
    if np.abs(turn @ turn.T - np.eye(3)).max() > TOLERANCE or np.linalg.det(turn) < 0:
        raise InputError(f"{where}: world_to_cam holds no rotation: {turn.tolist()}")
    return pose


def _array(table: dict, name: str, path: Path) -> np.ndarray:
    if name not in table:
        there = ", ".join(map(str, table)) if "" not in table else "a list"
        raise InputError(f"{path}: no {name} in it; there is: {there}")
    try:
        return np.asarray(table[name], float)
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: {name} holds more than numbers ({error})") from error
