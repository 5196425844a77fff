"""Baked skins on disk: one file per subject and shape, found by a hash of everything that goes into it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

import numpy as np

from ..files import atomic_file
from ..hand.arm import arm_topology
from ..hand.asset import HandAsset
from ..hand.shape import RestHand
from ..npz import read_npz
from .appearance import SKIN_ROUGHNESS
from .bake import BAKER_VERSION, SkinMaps, bake
from .params import SkinSubject

log = logging.getLogger(__name__)


def skin_key(asset: HandAsset, rest: RestHand, arm_rest: np.ndarray | None, subject: SkinSubject,
             resolution: int, roughness: float) -> str:  # fmt: skip
    """Hex digest of every input of `bake` and of the baker's version; arm_rest (Va, 3) m, or None without an arm."""
    skin = (float(subject.age), float(subject.gender), float(subject.ita), int(subject.skin_seed))
    digest = hashlib.sha256(repr((BAKER_VERSION, np.__version__, resolution, roughness, skin)).encode())
    mesh = (asset.faces, asset.uv, asset.weight_bones, asset.weight_values, asset.face_nail, asset.face_cap)
    for array in _arrays(
        mesh, (rest.vertices, rest.joints), () if arm_rest is None else (arm_rest, *arm_topology(asset))
    ):
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _arrays(*groups: Iterable[np.ndarray]) -> list[np.ndarray]:
    return [np.asarray(array) for group in groups for array in group]


def cached_bake(cache_dir: Path | str, asset: HandAsset, rest: RestHand, arm_rest: np.ndarray | None,
                subject: SkinSubject, resolution: int = 1024,
                roughness: float = SKIN_ROUGHNESS) -> SkinMaps:  # fmt: skip
    """`bake`, or the same maps from `cache_dir`. A damaged file is logged, baked again and replaced.

    arm_rest (Va, 3) m, or None without an arm.
    """
    path = Path(cache_dir) / f"skin-{skin_key(asset, rest, arm_rest, subject, resolution, roughness)[:40]}.npz"
    if path.exists():
        try:
            return _read(path, resolution)
        except (ValueError, KeyError) as error:
            log.warning("%s: damaged skin cache file (%s), baking it again", path, error)
        except OSError as error:
            log.warning("%s: cannot be read (%s), baking it again", path, error.strerror or error)
    maps = bake(asset, rest, arm_rest, subject, resolution, roughness)
    try:
        _write(path, maps)
    except PermissionError as error:  # another user's folder: it only costs time
        log.warning("%s: cannot be kept (%s), baked anew next time", path, error.strerror)
    return maps


def _read(path: Path, resolution: int) -> SkinMaps:
    data = read_npz(path)
    maps = SkinMaps(**{field.name: data[field.name] for field in fields(SkinMaps)})
    expected = ((resolution, resolution, 3), np.uint8), ((resolution,) * 2, np.uint16), ((resolution,) * 2, np.uint8)
    for array, (shape, kind) in zip((maps.albedo, maps.height, maps.roughness), expected):
        if array.shape != shape or array.dtype != kind:
            raise ValueError(f"got {array.dtype} {array.shape}, expected {np.dtype(kind)} {shape}")
    return maps


def _write(path: Path, maps: SkinMaps) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as file:
        np.savez(file, albedo=maps.albedo, height=maps.height, roughness=maps.roughness)
