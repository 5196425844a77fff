"""The bodies a scene can show: hand and arm of either style and either hand, labelled and rendered alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rigging.hand.arm import STYLES, arm_topology, build_arm, skin_faces
from rigging.hand.asset import HandAsset
from rigging.hand.shape import RestHand

from ..blender import import_bpy
from ..labels.hand import Surface, make_surface

if TYPE_CHECKING:
    import bpy


class Bodies:
    """Surfaces and meshes by the arm's style (of rigging.hand.arm) and side, made on first use."""

    def __init__(self, asset: HandAsset, arm_faces: np.ndarray, arm_uv: np.ndarray) -> None:
        """The arm's topology is the same for all styles: arm_faces (Fa, 3), arm_uv (Fa, 3, 2)."""
        self._asset, self._arm_faces = asset, arm_faces
        self._skin_faces = {style: skin_faces(asset, style) for style in STYLES}
        rest, cut = RestHand(asset.template, asset.joints), len(asset.cut_loop)
        sleeve, rolled = (build_arm(asset, rest, style, np.random.default_rng(0)) for style in ("sleeve", "rolled"))
        plain = {"skin": arm_uv, "cloth": cloth_uv(arm_uv, sleeve, cut)}
        turned_up = {"skin": arm_topology(asset, "rolled")[1], "cloth": cloth_uv(arm_uv, rolled, cut)}
        self._arm_uv = {"bare": plain, "sleeve": plain, "rolled": turned_up}
        self._surfaces: dict[tuple[str, bool], Surface] = {}
        self._meshes: dict[tuple[str, bool], bpy.types.Mesh] = {}

    def surface(self, arm_style: str, left: bool = False) -> Surface:
        """Triangles of hand and arm for the labels; the same triangles are rendered."""
        key = arm_style, left
        if key not in self._surfaces:
            self._surfaces[key] = make_surface(self._asset, self._arm_faces, arm_style != "sleeve", left)
        return self._surfaces[key]

    def skin_faces(self, arm_style: str) -> int:
        """How many of the faces of `surface`, the first ones, are skin; the others are cloth."""
        return len(self._asset.faces) + self._skin_faces[arm_style]

    def uv(self, arm_style: str, left: bool = False) -> np.ndarray:
        """Texture coordinates (M, 3, 2) of `surface`: those of the skin, and of the cloth on a sleeve."""
        arm, skin = self._arm_uv[arm_style], self._skin_faces[arm_style]
        return _turned(np.concatenate([self._asset.uv, arm["skin"][:skin], arm["cloth"][skin:]]), left)

    def mesh(self, arm_style: str, left: bool, materials: tuple[bpy.types.Material, ...]) -> bpy.types.Mesh:
        """The mesh that is rendered: an arm that is bare at the hand is welded to it, and its cap left out.

        `materials` are those of hand, arm and cloth.
        """
        key = arm_style, left
        if key not in self._meshes:
            self._meshes[key] = self._new_mesh(arm_style, left, materials)
        return self._meshes[key]

    def _new_mesh(self, arm_style: str, left: bool, materials: tuple[bpy.types.Material, ...]) -> bpy.types.Mesh:
        surface = self.surface(arm_style, left)
        faces, hand_faces = surface.smooth_faces, len(surface.smooth_faces) - len(self._arm_faces)
        mesh = import_bpy().data.meshes.new(f"{arm_style}_{'left' if left else 'right'}")
        mesh.from_pydata(np.zeros((len(surface.seam), 3)).tolist(), [], faces.tolist())
        material = np.zeros(len(faces), np.int32)
        material[hand_faces:] = 2
        material[hand_faces:][: self._skin_faces[arm_style]] = 1
        mesh.polygons.foreach_set("material_index", material)
        mesh.polygons.foreach_set("use_smooth", np.ones(len(faces), bool))
        hand_uv = self._asset.uv if arm_style == "sleeve" else self._asset.uv[~self._asset.face_cap]
        for name, arm_uv in self._arm_uv[arm_style].items():
            uv = _turned(np.concatenate([hand_uv, arm_uv]), left)
            mesh.uv_layers.new(name=name).data.foreach_set("uv", np.ascontiguousarray(uv, np.float32).ravel())
        for slot in materials:
            mesh.materials.append(slot)
        return mesh


def _turned(uv: np.ndarray, left: bool) -> np.ndarray:
    """Corners in the order of a left hand's faces."""
    return uv[:, ::-1] if left else uv


def cloth_uv(arm_uv: np.ndarray, sleeve: np.ndarray, cut: int) -> np.ndarray:
    """Texture coordinates (Fa, 3, 2) of the cloth: once around the arm in u, and to the same scale along it in v.

    The arm's own run along the arm in u and around it in v; a sleeve's rings lie elsewhere than a bare arm's.

    Args:
        arm_uv: (Fa, 3, 2). sleeve: (Va, 3) metres, a typical one at rest. cut: vertices of its ring 0.
    """
    low, high = arm_uv.reshape(-1, 2).min(0), arm_uv.reshape(-1, 2).max(0)
    along, around = np.moveaxis((arm_uv - low) / (high - low), -1, 0)
    rings = sleeve[cut:-1].reshape(-1, 2 * cut, 3)
    rings = np.concatenate([np.repeat(sleeve[:cut], 2, 0)[None], rings, np.broadcast_to(sleeve[-1], (1, 2 * cut, 3))])
    steps = np.linalg.norm(np.diff(rings, axis=0), axis=2).mean(1)
    girth = np.linalg.norm(rings[1:-1] - np.roll(rings[1:-1], 1, axis=1), axis=2).sum(1).mean()
    levels, ring = np.unique(along.round(5), return_inverse=True)
    if len(levels) != len(rings):
        raise ValueError(f"the arm's texture has {len(levels)} rings, the sleeve {len(rings)}")
    return np.stack([around, np.concatenate([[0], np.cumsum(steps) / girth])[ring.reshape(along.shape)]], axis=-1)
