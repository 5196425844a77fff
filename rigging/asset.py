"""The hand asset: one `.npz` that holds everything the rig needs (format: docs/hand_asset.md)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

DEFAULT_ASSET = Path(__file__).parent / "data" / "hand.npz"


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


def load_asset(path: Path | str = DEFAULT_ASSET) -> HandAsset:
    """Read a hand asset."""
    with np.load(path, allow_pickle=False) as data:
        fields = {name: data[name] for name in data.files}
    fields["shape_names"] = tuple(str(name) for name in fields["shape_names"])
    return HandAsset(**{name: fields[name] for name in HandAsset.__dataclass_fields__})
