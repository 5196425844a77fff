"""Run as a script: deform a mesh with Blender's armature modifier. Arguments: input .npz, output .npz.

Input: vertices, faces, weight_bones, weight_values, rest_joints, starts (21, 3), rotations (P, 21, 3, 3) and posed
starts (P, 21, 3). Output: linear and dual_quaternion, each (P, V, 3).
"""

from __future__ import annotations

import sys

import bpy
import numpy as np
from mathutils import Matrix


def make_armature(starts: np.ndarray, ends: np.ndarray) -> bpy.types.Object:
    """One unparented bone from each start to each end."""
    rig = bpy.data.objects.new("rig", bpy.data.armatures.new("rig"))
    bpy.context.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    for index, (start, end) in enumerate(zip(starts, ends)):
        bone = rig.data.edit_bones.new(f"{index:02d}")
        bone.head, bone.tail = start, end
    bpy.ops.object.mode_set(mode="POSE")
    return rig


def make_mesh(data: dict[str, np.ndarray], rig: bpy.types.Object) -> bpy.types.Object:
    """The mesh with vertex groups and an armature modifier."""
    mesh = bpy.data.meshes.new("hand")
    mesh.from_pydata(data["vertices"].tolist(), [], data["faces"].tolist())
    hand = bpy.data.objects.new("hand", mesh)
    bpy.context.collection.objects.link(hand)
    groups = [hand.vertex_groups.new(name=f"{bone:02d}") for bone in range(21)]
    for vertex, (bones, values) in enumerate(zip(data["weight_bones"].tolist(), data["weight_values"].tolist())):
        for bone, value in zip(bones, values):
            if value > 0:
                groups[bone].add([vertex], value, "REPLACE")
    hand.modifiers.new("armature", "ARMATURE").object = rig
    return hand


def deformed(hand: bpy.types.Object) -> np.ndarray:
    """(V, 3) vertices after the modifiers."""
    evaluated = hand.evaluated_get(bpy.context.evaluated_depsgraph_get())
    out = np.empty(3 * len(evaluated.data.vertices), np.float32)
    evaluated.data.vertices.foreach_get("co", out)
    return out.reshape(-1, 3)


def main(source: str, target: str) -> None:
    """Deform by every pose, with and without volume preservation."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    data = dict(np.load(source))
    ends = np.concatenate([data["starts"][:1] - (0, 0.05, 0), data["rest_joints"][1:]])
    rig = make_armature(data["starts"], ends)
    hand = make_mesh(data, rig)
    results: dict[str, list[np.ndarray]] = {"linear": [], "dual_quaternion": []}
    for rotations, posed in zip(data["rotations"], data["posed_starts"]):
        for bone, rotation, start in zip(rig.pose.bones, rotations, posed):
            rest = bone.bone.matrix_local.to_3x3()
            bone.matrix = Matrix.Translation(start) @ (Matrix(rotation) @ rest).to_4x4()
        for name, preserve in (("linear", False), ("dual_quaternion", True)):
            hand.modifiers["armature"].use_deform_preserve_volume = preserve
            bpy.context.view_layer.update()
            results[name].append(deformed(hand))
    np.savez(target, **{name: np.stack(meshes) for name, meshes in results.items()})


if __name__ == "__main__":
    main(*sys.argv[1:])
