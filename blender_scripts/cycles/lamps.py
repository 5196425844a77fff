"""Blender's lamps, placed and powered as a look asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..blender import import_bpy
from ..looks.colour import temperature_to_rgb
from ..looks.look import Lamp

if TYPE_CHECKING:
    import bpy


def new_lamp(kind: str) -> bpy.types.Light:
    """Blender's data of a lamp of LAMP_KINDS."""
    lamp = import_bpy().data.lights.new(kind, kind.upper())
    if kind == "area":
        lamp.shape = "DISK"
    return lamp


def place_lamp(item: bpy.types.Object, lamp: Lamp) -> None:
    """Give the object `item`, whose data are of `new_lamp(lamp.kind)`, place, colour, power and size."""
    from mathutils import Vector  # there only after `import bpy`

    item.location = lamp.position
    item.rotation_mode = "QUATERNION"
    item.rotation_quaternion = Vector(lamp.position).to_track_quat("Z", "Y")  # lamps shine along their -z
    item.data.color = np.clip(temperature_to_rgb(lamp.kelvin), 0, None).tolist()
    item.data.energy = lamp.power
    if lamp.kind == "area":
        item.data.size = lamp.size
    elif lamp.kind == "point":
        item.data.shadow_soft_size = lamp.size
    else:
        item.data.angle = lamp.size
