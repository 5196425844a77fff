"""The hand asset: one `.npz` that holds everything the rig needs (format: docs/hand_asset.md)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Protocol

import numpy as np

from ..errors import InputError
from ..joints import BONE_NAMES, PART_NAMES
from ..npz import read_npz

DEFAULT_ASSET = Path(__file__).parents[1] / "data" / "hand.npz"


class Weighted(Protocol):
    """What skinning needs to know of a mesh with V vertices: which bones move each, at most K, and by how much."""

    @property
    def weight_bones(self) -> np.ndarray:
        """(V, K) whole numbers."""

    @property
    def weight_values(self) -> np.ndarray:
        """(V, K) float64, rows sum to 1."""


@dataclass(frozen=True)
class HandAsset:
    """A rigged hand with its shape space.

    Frame: right-handed, metres, wrist at the origin, +y from wrist to middle MCP, +z out of the back of the hand,
    +x towards the little finger (a right hand seen from its back has its thumb at -x).
    """

    template: np.ndarray  # (V, 3) float64, mean hand at rest, V = 2651
    joints: np.ndarray  # (21, 3) float64, its joints
    faces: np.ndarray  # (F, 3) int32, F = 5298, counter-clockwise seen from outside
    weight_bones: np.ndarray  # (V, 4) uint8
    weight_values: np.ndarray  # (V, 4) float64, rows sum to 1
    uv: np.ndarray  # (F, 3, 2) float64, own layout, v upwards
    uv_makehuman: np.ndarray  # (F, 3, 2)
    face_part: np.ndarray  # (F,) uint8, index into joints.PART_NAMES
    face_nail: np.ndarray  # (F,) uint8, 0 none, 1..5 thumb..little
    face_cap: np.ndarray  # (F,) bool, closes the cut
    cut_loop: np.ndarray  # (L,) int32, vertices of the cut in order around the forearm
    shape_names: tuple[str, ...]  # K components: pca_00.., then the named directions
    shape_vertices: np.ndarray  # (K, V, 3) per standard deviation
    shape_joints: np.ndarray  # (K, 21, 3)
    nail_centre: np.ndarray  # (5, 3) thumb..little, on the mean hand
    nail_axes: np.ndarray  # (5, 3, 3) rows: towards the tip, across, outward
    nail_half_size: np.ndarray  # (5, 2) half length, half width


# name -> kind of number, shape; V, F, K, L stand for any length, the same everywhere
FIELDS: dict[str, tuple[type, tuple[str | int, ...]]] = {
    "template": (np.floating, ("V", 3)),
    "joints": (np.floating, (21, 3)),
    "faces": (np.integer, ("F", 3)),
    "weight_bones": (np.integer, ("V", 4)),
    "weight_values": (np.floating, ("V", 4)),
    "uv": (np.floating, ("F", 3, 2)),
    "uv_makehuman": (np.floating, ("F", 3, 2)),
    "face_part": (np.integer, ("F",)),
    "face_nail": (np.integer, ("F",)),
    "face_cap": (np.bool_, ("F",)),
    "cut_loop": (np.integer, ("L",)),
    "shape_names": (np.str_, ("K",)),
    "shape_vertices": (np.floating, ("K", "V", 3)),
    "shape_joints": (np.floating, ("K", 21, 3)),
    "nail_centre": (np.floating, (5, 3)),
    "nail_axes": (np.floating, (5, 3, 3)),
    "nail_half_size": (np.floating, (5, 2)),
}
_LOADED_AS = {
    "faces": np.int32, "cut_loop": np.int32, "weight_bones": np.uint8, "face_part": np.uint8, "face_nail": np.uint8,
}  # fmt: skip


def load_asset(path: Path | str = DEFAULT_ASSET) -> HandAsset:
    """Read and check a hand asset; the default one must also have the hash its provenance names.

    Raises FileNotFoundError, or InputError with one line that names the file and what is wrong with it.
    """
    path = Path(path)
    stored = read_arrays(path)
    try:
        check_shapes(stored)
        if path == DEFAULT_ASSET:
            check_hash(stored, path.with_name("hand.provenance.json"))
        asset = HandAsset(**{field.name: _loaded(field.name, stored[field.name]) for field in fields(HandAsset)})
        check_mesh(asset)
        check_rig(asset)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None
    return asset


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` as they are stored."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such hand asset")
    try:
        return read_npz(path)
    except ValueError as error:
        raise InputError(f"{path}: not a readable .npz ({error})") from None


def content_hash(arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 over names, types, shapes and values as stored, whatever packed them."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def check_shapes(arrays: Mapping[str, np.ndarray]) -> None:
    """Every field is there, of the right kind, shape and finite."""
    lengths: dict[str, int] = {}
    for name, (kind, shape) in FIELDS.items():
        if name not in arrays:
            raise ValueError(f"field {name} is missing")
        array = arrays[name]
        if not np.issubdtype(array.dtype, kind):
            raise ValueError(f"{name} is {array.dtype}, expected {kind.__name__}")
        fits = array.ndim == len(shape) and all(
            size == (lengths.setdefault(want, size) if isinstance(want, str) else want)
            for size, want in zip(array.shape, shape)
        )
        if not fits:
            wanted = tuple(lengths.get(want, want) if isinstance(want, str) else want for want in shape)
            raise ValueError(f"{name} has shape {array.shape}, expected {wanted}")
        if kind is np.floating and not np.isfinite(array).all():
            raise ValueError(f"{name} has values that are not finite")


def check_hash(arrays: Mapping[str, np.ndarray], provenance: Path) -> None:
    """The arrays are those that the provenance file describes."""
    expected = json.loads(provenance.read_text())["content_sha256"]
    found = content_hash(arrays)
    if found != expected:
        raise ValueError(f"content hash {found[:12]} differs from {expected[:12]} in {provenance.name}")


def check_mesh(asset: HandAsset) -> None:
    """Closed, manifold, consistently wound outwards, one piece of sphere; the cut is a loop of its edges."""
    count = len(asset.template)
    for name in ("faces", "cut_loop"):
        indices = getattr(asset, name)
        if indices.min() < 0 or indices.max() >= count:
            raise ValueError(f"{name} refers to vertex {indices.max()}, there are {count}")
    sides = np.stack([asset.faces, np.roll(asset.faces, -1, axis=1)], axis=-1).reshape(-1, 2).astype(np.int64)
    forward, backward = sides @ (count, 1), sides @ (1, count)
    if len(np.unique(forward)) != len(forward) or not np.isin(forward, backward).all():
        raise ValueError("faces are not a closed manifold with one winding")
    if len(np.unique(asset.faces)) - len(sides) // 2 + len(asset.faces) != 2:
        raise ValueError("faces do not form one closed surface (Euler characteristic 2)")
    loop = np.stack([asset.cut_loop, np.roll(asset.cut_loop, -1)], axis=1).astype(np.int64)
    if not np.isin(loop @ (count, 1), forward[np.repeat(asset.face_cap, 3)]).all():
        raise ValueError("cut_loop does not run along edges of the cap's faces in their direction")
    a, b, c = np.moveaxis(asset.template[asset.faces], 1, 0)
    if (a * np.cross(b, c)).sum() <= 0:
        raise ValueError("faces wind inwards: their volume is negative")


def check_rig(asset: HandAsset) -> None:
    """Weights, bones, parts and joints are usable."""
    if asset.weight_bones.max() >= len(BONE_NAMES):
        raise ValueError(f"weight_bones refers to bone {asset.weight_bones.max()}, there are {len(BONE_NAMES)}")
    if asset.weight_values.min() < 0:
        raise ValueError("weight_values has negative weights")
    if asset.face_part.min() < 1 or asset.face_part.max() >= len(PART_NAMES) - 1:
        raise ValueError("face_part must name a part of the hand (1 to 17)")
    if np.abs(asset.joints[0]).max() > 1e-6:
        raise ValueError(f"the wrist is at {asset.joints[0]}, expected the origin")
    if not 0.05 < np.linalg.norm(asset.joints[9]) < 0.2:
        raise ValueError(f"the palm is {np.linalg.norm(asset.joints[9]):.3f} long, expected about 0.1 (metres)")


def _loaded(name: str, array: np.ndarray) -> np.ndarray | tuple[str, ...]:
    """A field in the type it has in memory; weights are brought back to an exact sum of 1."""
    if name == "shape_names":
        return tuple(str(item) for item in array)
    if name == "weight_values":
        total = array.sum(1, dtype=np.float64)
        if np.abs(total - 1).max() > 1e-4:
            raise ValueError(f"weight_values sum to {total.min():.4f} .. {total.max():.4f}, expected 1")
        return array.astype(np.float64) / total[:, None]
    return array.astype(_LOADED_AS.get(name, np.float64 if FIELDS[name][0] is np.floating else array.dtype))
