"""Cycles materials: skin from baked maps, cloth from a painted one, and images whose pixels can be replaced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rigging.skin.appearance import SKIN_APPEARANCE

from ..blender import import_bpy
from .versions import SHADER, pin_inputs

if TYPE_CHECKING:
    import bpy

CLOTH_ROUGHNESS = 0.85
CLOTH_HEIGHT = 0.0012  # metres


@dataclass
class SwappedImage:
    """An image that Cycles reads anew whenever its pixels are replaced.

    Persistent data keeps an image for as long as some shader uses it, whatever happens to its pixels. So there are two
    of each, used in turn; none is ever added or removed while rendering, and memory stays flat.
    """

    name: str
    linear: bool  # float pixels in linear light or plain numbers, else 8 bits sRGB
    nodes: list

    def __post_init__(self) -> None:
        self._images: list = [None, None]
        self._turn = 0

    def replace(self, pixels: np.ndarray) -> None:
        """Show `pixels`: (H, W, 4) float32, top row first; sRGB values in 0..1 if the image is not linear."""
        self._turn = 1 - self._turn
        image = self._images[self._turn]
        rows, columns = pixels.shape[:2]
        if image is None or tuple(image.size) != (columns, rows):
            image = self._images[self._turn] = self._create(image, rows, columns)
        image.pixels.foreach_set(np.ascontiguousarray(pixels[::-1], np.float32).ravel())
        for node in self.nodes:
            node.image = image

    def _create(self, old: bpy.types.Image | None, rows: int, columns: int) -> bpy.types.Image:
        images = import_bpy().data.images
        if old is not None:
            images.remove(old)
        image = images.new(self.name, columns, rows, alpha=True, float_buffer=self.linear)
        image.colorspace_settings.name = "Non-Color" if self.linear else "sRGB"
        image.alpha_mode = "CHANNEL_PACKED"
        return image


def skin_material(
    name: str, uv_layer: str, pass_index: int
) -> tuple[bpy.types.Material, bpy.types.Node, bpy.types.Node]:
    """Material of hand or bare arm; returns it with its nodes for albedo (roughness in alpha) and height."""
    material, shader, nodes, links = _principled(name, pass_index)
    albedo, height = _texture(nodes, links, uv_layer), _texture(nodes, links, uv_layer)
    links.new(albedo.outputs["Color"], shader.inputs["Base Color"])
    links.new(albedo.outputs["Alpha"], shader.inputs["Roughness"])
    _bump(nodes, links, height, shader, SKIN_APPEARANCE.bump_distance_m, SKIN_APPEARANCE.bump_strength)
    shader.inputs["IOR"].default_value = SKIN_APPEARANCE.ior
    shader.inputs["Specular IOR Level"].default_value = SKIN_APPEARANCE.specular_level
    shader.inputs["Subsurface Radius"].default_value = SKIN_APPEARANCE.subsurface_radius_m
    shader.inputs["Subsurface Scale"].default_value = SKIN_APPEARANCE.subsurface_scale
    shader.inputs["Subsurface Anisotropy"].default_value = SKIN_APPEARANCE.subsurface_anisotropy
    return material, albedo, height


def set_subsurface(material: bpy.types.Material, method: str) -> None:
    """Scatter light below the skin by "RANDOM_WALK" or "BURLEY", or not at all ("NONE")."""
    shader = material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Subsurface Weight"].default_value = 0.0 if method == "NONE" else SKIN_APPEARANCE.subsurface_weight
    if method != "NONE":
        shader.subsurface_method = method


def cloth_material(
    name: str, uv_layer: str, pass_index: int
) -> tuple[bpy.types.Material, bpy.types.Node, bpy.types.Node]:
    """Material of the sleeve; returns it with its nodes for albedo and height."""
    material, shader, nodes, links = _principled(name, pass_index)
    albedo, height = _texture(nodes, links, uv_layer), _texture(nodes, links, uv_layer)
    links.new(albedo.outputs["Color"], shader.inputs["Base Color"])
    _bump(nodes, links, height, shader, CLOTH_HEIGHT)
    shader.inputs["Roughness"].default_value = CLOTH_ROUGHNESS
    shader.inputs["Specular IOR Level"].default_value = 0.2
    return material, albedo, height


def _principled(
    name: str, pass_index: int
) -> tuple[bpy.types.Material, bpy.types.Node, bpy.types.Nodes, bpy.types.NodeLinks]:
    material = import_bpy().data.materials.new(name)
    material.use_nodes = True
    material.pass_index = pass_index
    nodes, links = material.node_tree.nodes, material.node_tree.links
    pin_inputs(nodes["Principled BSDF"], SHADER)
    return material, nodes["Principled BSDF"], nodes, links


def _texture(nodes: bpy.types.Nodes, links: bpy.types.NodeLinks, uv_layer: str) -> bpy.types.Node:
    texture, coordinates = nodes.new("ShaderNodeTexImage"), nodes.new("ShaderNodeUVMap")
    coordinates.uv_map = uv_layer
    links.new(coordinates.outputs["UV"], texture.inputs["Vector"])
    return texture


def _bump(
    nodes: bpy.types.Nodes,
    links: bpy.types.NodeLinks,
    height: bpy.types.Node,
    shader: bpy.types.Node,
    distance: float,
    strength: float = 1.0,
) -> None:
    height.interpolation = "Cubic"
    bump = nodes.new("ShaderNodeBump")
    bump.inputs["Strength"].default_value = strength
    bump.inputs["Distance"].default_value = distance
    links.new(height.outputs["Color"], bump.inputs["Height"])
    links.new(bump.outputs["Normal"], shader.inputs["Normal"])
