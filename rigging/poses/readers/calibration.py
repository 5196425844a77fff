"""Reader of calibrations: our own npz or JSON, and the files of HanCo, InterHand2.6M and DexYCB.

ours       K (V, 3, 3) px, world_to_cam (V, 4, 4) or (V, 3, 4) metres; image_size (2,) or (V, 2) px and names if known
HanCo      calib/SSSS/FFFFFFFF.json: K [8][3][3], M [8][4][4] world to camera; pictures of 224 x 224 px
InterHand  InterHand2.6M_SPLIT_camera.json: by capture campos, camrot, focal, princpt by camera, mm; 512 x 334 px, or
           upright where the principal point says so
DexYCB     calibration/extrinsics_X/extrinsics.yml: by serial number camera to master [12], row by row, metres, and
           calibration/intrinsics/SERIAL_640x480.yml: color: fx, fy, ppx, ppy; pictures of 640 x 480 px

Lens distortion that a file may tell is not looked at: pictures are those of pinhole cameras.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...geometry.calibration import Calibration, sound_calibration
from ...npz import read_npz
from ...settings import nearest
from ..clip import PoseError
from .files import numbers, read_file, read_json

HANCO_IMAGE, DEXYCB_IMAGE = (224, 224), (640, 480)
INTERHAND_IMAGE = (512, 334)  # px, the longer side first
_INTERHAND = {"campos", "camrot", "focal", "princpt"}
_KEY = re.compile(r"^(\s*)['\"]?([\w.-]+)['\"]?:(.*)$")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


@dataclass(frozen=True)
class _Read:
    """What a file says of V cameras; image is None where it does not say."""

    K: np.ndarray  # (V, 3, 3)
    world_to_cam: np.ndarray  # (V, 4, 4)
    image: np.ndarray | None  # (V, 2)
    names: tuple[str, ...]


def read_calibration(path: Path, chosen: tuple[str, ...] = (), image: tuple[int, int] | None = None) -> Calibration:
    """The cameras of a file, or of a folder of DexYCB; `chosen` by name, in that order; `image` where it says no size.

    Names are those of the file, or numbers from 0; InterHand's are CAPTURE/CAMERA, and without `chosen` those of its
    first capture are taken. Raises PoseError or FileNotFoundError, in one line that names the file.
    """
    found = _read(Path(path))
    if not len(found.names):
        raise PoseError(f"{path}: no camera in it")
    rows = _chosen(found.names, chosen, path)
    size = found.image
    if size is None:
        if image is None:
            raise PoseError(f"{path}: no image_size in it; set [cameras.free] image = [width, height] in pixels")
        size = np.tile(image, (len(found.names), 1))
    try:
        names = tuple(found.names[row] for row in rows)
        return sound_calibration(found.K[rows], found.world_to_cam[rows], size[rows], names)
    except ValueError as error:
        raise PoseError(f"{path}: {error}") from None


def _chosen(names: tuple[str, ...], chosen: tuple[str, ...], path: Path) -> list[int]:
    """The places of the `chosen` among `names`; without any, of all, or of InterHand's first capture."""
    for name in chosen:
        if name not in names:
            raise PoseError(f"{path}: it has no camera {name!r}{nearest(name, names)}")
    if not chosen and "/" in names[0]:
        first = names[0].partition("/")[0] + "/"
        return [row for row, name in enumerate(names) if name.startswith(first)]
    return [names.index(name) for name in chosen] if chosen else list(range(len(names)))


def _read(path: Path) -> _Read:
    if path.is_dir() or path.suffix.lower() in (".yml", ".yaml"):
        return _dexycb(path)
    if path.suffix.lower() == ".npz":
        return _plain(_arrays(path), path)
    table = read_json(path)
    if not isinstance(table, dict):
        raise PoseError(f"{path}: not a calibration: allowed is a table with K and world_to_cam")
    if {"K", "M"} <= set(table):
        return _plain({"K": table["K"], "world_to_cam": table["M"], "image_size": HANCO_IMAGE}, path)
    if table and all(isinstance(item, dict) and set(item) >= _INTERHAND for item in table.values()):
        return _interhand(table, path)
    return _plain(table, path)


def _arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        return read_npz(path, ("K", "world_to_cam", "image_size", "names"))
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such file") from None
    except ValueError as error:
        raise PoseError(f"{path}: not a whole .npz of plain arrays ({error})") from None


def _plain(table: Mapping[str, Any], path: Path) -> _Read:
    """Our own layout, of JSON or npz."""
    for name in ("K", "world_to_cam"):
        if name not in table:
            raise PoseError(f"{path}: no {name} in it; allowed are our npz or JSON, and files of "
                            "HanCo, InterHand2.6M and DexYCB")  # fmt: skip
    K = numbers(table["K"], (-1, 3, 3), f"{path} K")
    poses = numbers(table["world_to_cam"], (-1, -1, 4), f"{path} world_to_cam")
    if len(K) != len(poses) or poses.shape[1] not in (3, 4):
        raise PoseError(f"{path}: K {K.shape} and world_to_cam {poses.shape}; allowed are (V, 3, 3) and (V, 4, 4)")
    if poses.shape[1] == 3:
        poses = _with_last_row(poses)
    image = table.get("image_size")
    if image is not None:
        shape = (2,) if np.ndim(image) == 1 else (len(K), 2)
        image = np.broadcast_to(numbers(image, shape, f"{path} image_size"), (len(K), 2))
    names = [str(name) for name in table.get("names", range(len(K)))]
    if len(set(names)) != len(K):
        raise PoseError(f"{path}: {len(set(names))} different names of {len(K)} cameras; allowed is one for each")
    return _Read(K, poses, image, tuple(names))


def _interhand(table: Mapping[str, Any], path: Path) -> _Read:
    names = [f"{capture}/{camera}" for capture, item in table.items() for camera in item["campos"]]
    cameras = [_interhand_camera(table, *name.split("/", 1), path) for name in names]
    K, poses, image = (np.stack(part) for part in zip(*cameras)) if cameras else (np.zeros((0, 1)),) * 3
    return _Read(K, poses, image, tuple(names))


def _interhand_camera(
    table: Mapping[str, Any], capture: str, camera: str, path: Path
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """K (3, 3), world_to_cam (4, 4) in metres and image size (2,) of a camera: a point is camrot (X - campos)."""
    shapes = {"campos": (3,), "camrot": (3, 3), "focal": (2,), "princpt": (2,)}
    where = f"{path} {capture}/{camera}"
    if any(camera not in table[capture][name] for name in shapes):
        raise PoseError(f"{where}: campos, camrot, focal and princpt are wanted of each camera")
    value = {name: numbers(table[capture][name][camera], shape, f"{where} {name}") for name, shape in shapes.items()}
    (fx, fy), (x, y) = value["focal"], value["princpt"]
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = value["camrot"], -value["camrot"] @ value["campos"] / 1000
    size = INTERHAND_IMAGE if x > y else INTERHAND_IMAGE[::-1]  # some cameras stand upright
    return np.array([[fx, 0, x], [0, fy, y], [0, 0, 1.0]]), pose, np.array(size)


def _dexycb(path: Path) -> _Read:
    extrinsics = _extrinsics_file(path)
    folder = extrinsics.parents[1] / "intrinsics"
    rows = {key: row for _, key, row in _entries(extrinsics) if key.isdigit() and len(row) == 12}
    poses = [_turned_round(np.reshape(row, (3, 4))) for row in rows.values()]
    K = [_dexycb_intrinsics(folder / "{}_{}x{}.yml".format(serial, *DEXYCB_IMAGE)) for serial in rows]
    image = np.tile(DEXYCB_IMAGE, (len(rows), 1))
    return _Read(np.reshape(K, (-1, 3, 3)), np.reshape(poses, (-1, 4, 4)), image, tuple(rows))


def _extrinsics_file(path: Path) -> Path:
    """The extrinsics.yml of a file, its folder, or a folder `calibration` with one of them."""
    if not path.is_dir():
        return path
    files = sorted([*path.glob("extrinsics.yml"), *path.glob("extrinsics_*/extrinsics.yml")])
    if len(files) != 1:
        some = ", ".join(file.parent.name for file in files[:3])
        raise PoseError(f"{path}: {len(files)} extrinsics.yml in it{some and f' ({some}, ...)'}; name one of them")
    return files[0]


def _dexycb_intrinsics(path: Path) -> np.ndarray:
    """K (3, 3) of the colour camera."""
    found, block = {}, ""
    for indent, key, row in _entries(path):
        block = key if not indent else block
        if block == "color" and len(row) == 1:
            found[key] = row[0]
    if not {"fx", "fy", "ppx", "ppy"} <= set(found):
        raise PoseError(f"{path}: no color: fx, fy, ppx, ppy in it")
    return np.array([[found["fx"], 0, found["ppx"]], [0, found["fy"], found["ppy"]], [0, 0, 1.0]])


def _entries(path: Path) -> list[tuple[int, str, list[float]]]:
    """Indent, key and numbers of the entries of a simple yml: those behind the key and on lines without one."""
    entries: list[tuple[int, str, list[float]]] = []
    for line in read_file(path).decode(errors="replace").splitlines():
        key = _KEY.match(line)
        if key:
            entries.append((len(key[1]), key[2], []))
        if entries:
            entries[-1][2].extend(map(float, _NUMBER.findall(key[3] if key else line)))
    return entries


def _turned_round(pose: np.ndarray) -> np.ndarray:
    """World to camera (4, 4) of a rigid camera to world (3, 4)."""
    turn = pose[:, :3].T
    return np.concatenate([np.column_stack([turn, -turn @ pose[:, 3]]), [[0, 0, 0, 1]]])


def _with_last_row(poses: np.ndarray) -> np.ndarray:
    """(V, 4, 4) of (V, 3, 4)."""
    return np.concatenate([poses, np.tile([[[0.0, 0, 0, 1]]], (len(poses), 1, 1))], axis=1)
