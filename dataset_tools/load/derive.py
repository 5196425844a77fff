"""Fields that are computed from what is stored, as the loader returns them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from rigging.geometry.projection import project, to_camera

from ..format.optional import OPTIONAL_FIELDS
from ..format.schema import SAMPLE_FIELDS
from .silhouette import Edges, edges_of, silhouettes

HAND_PARTS = (1, 17)


def stored_names(names: Sequence[str], held: Iterable[str] = ()) -> tuple[str, ...]:
    """What has to be read for fields `names`, of files that hold the fields `held` beside those of the schema."""
    given = {name: SAMPLE_FIELDS[name].derived_from if name in SAMPLE_FIELDS else () for name in names}
    wanted = [source for name in names for source in given[name] or (name,)]
    lens = [name for name in OPTIONAL_FIELDS if name in held and "K" in wanted]
    return tuple(dict.fromkeys([*wanted, *lens]))


class Derivation:
    """Computes derived fields of samples of one mesh: hand triangles (F, 3), images of `size` (H, W)."""

    def __init__(self, faces: np.ndarray, size: tuple[int, int]) -> None:
        self.faces, self.size = faces, size
        self._edges: Edges | None = None

    def field(self, name: str, values: Mapping[str, Any]) -> Any:
        """Field `name` from the stored `values` of a sample; computed in float64 from the values as stored."""
        if name == "amodal_mask":
            self._edges = self._edges or edges_of(self.faces)
            vertices, K, world_to_cam = values["vertices_world"], values["K"], values["world_to_cam"]
            lens = values.get("distortion")
            return silhouettes(vertices, self.faces, K, world_to_cam, self.size, self._edges, lens)
        return derive(name, values)


def derive(name: str, values: Mapping[str, Any]) -> Any:
    """Field `name` of a sample, of those that need no mesh; what is stored is returned as it is."""
    if name == "mask":
        return (values["parts"] - np.uint8(HAND_PARTS[0])) < HAND_PARTS[1]  # 0 wraps to 255
    if name == "joints_cam":
        return to_camera(values["joints_world"], values["world_to_cam"]).astype(np.float32)
    if name == "joints_2d":
        camera = values["K"], values["world_to_cam"], values.get("distortion")
        return project(values["joints_world"], *camera).astype(np.float32)
    return values[name]
