"""Binary glTF 2.0 (.glb): a posed clip with mesh, skeleton, skin and one animation of all frames; or one mesh.

Every bone is a node at its start, with its own translation at rest and a rotation relative to the bone before it; the
forearm's node carries the wrist. glTF blends matrices, so a viewer shows the vertices of skinning "linear".
Specification: Khronos Group, glTF 2.0, 2021.
"""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from ..geometry.mesh import vertex_normals
from ..geometry.rotations import swing
from ..hand.bones import BONE_STARTS
from ..joints import BONE_NAMES, JOINT_NAMES, TIP_JOINTS
from .pose import PosedClip

FPS = 30.0  # where the clip does not know its own
BONES = len(BONE_NAMES)
# The bone that carries each bone: the one that ends where it starts; metacarpals hang on the forearm.
CARRIERS = (-1, *BONE_STARTS[1:].tolist())
_SKIN_COLOUR = (0.62, 0.36, 0.26, 1.0)  # linear RGBA
_KINDS = {"f4": 5126, "u4": 5125, "u2": 5123, "u1": 5121}
_VERTEX_DATA, _INDICES = 34962, 34963


class _Buffer:
    """Arrays one after another in the file's one buffer, and the accessors that say where they are."""

    def __init__(self) -> None:
        self.data, self.views, self.accessors = bytearray(), [], []

    def add(self, array: np.ndarray, kind: str, shape: str, target: int | None = None) -> int:
        """Store (N, ...) numbers as `kind` ("f4", ...) elements of `shape` ("VEC3", ...); returns the accessor."""
        array = np.ascontiguousarray(array, dtype=f"<{kind}")
        view = {"buffer": 0, "byteOffset": len(self.data), "byteLength": array.nbytes}
        self.views.append(view if target is None else view | {"target": target})
        self.data += array.tobytes() + bytes(-array.nbytes % 4)
        flat = array.reshape(len(array), -1)
        self.accessors.append(
            {
                "bufferView": len(self.views) - 1,
                "componentType": _KINDS[kind],
                "count": len(array),
                "type": shape,
                "min": flat.min(axis=0).tolist(),
                "max": flat.max(axis=0).tolist(),
            }
        )
        return len(self.accessors) - 1


def glb_bytes(posed: PosedClip) -> bytes:
    """The .glb of a clip by directions: bones keep their lengths there, so one by positions is a ValueError.

    The clip's frame is kept, but turned so that its `up`, where known, is glTF's +y. Frames play at the clip's rate.
    """
    if posed.retarget != "directions":
        raise ValueError(f"glb: retarget is {posed.retarget!r}, allowed is 'directions' (a skeleton keeps its lengths)")
    if posed.faces is None:
        raise ValueError("glb: the rig has no faces")
    buffer = _Buffer()
    primitive = _primitive(posed, buffer)
    content = {
        "asset": {"version": "2.0", "generator": "mvhm", "copyright": posed.clip.licence},
        "scene": 0,
        "scenes": [{"nodes": [0, 1]}],
        "nodes": _nodes(posed),
        "meshes": [{"name": "hand", "primitives": [primitive]}],
        "materials": [_material()],
        "skins": [_skin(posed, buffer)],
        "animations": [_animation(posed, buffer)],
    }
    return _file(content, buffer)


def mesh_glb_bytes(vertices: np.ndarray, faces: np.ndarray, joints: np.ndarray, name: str, licence: str) -> bytes:
    """The .glb of one mesh (V, 3) m with faces (F, 3) and joints (21, 3) m as named nodes, in a world whose +z is up.

    The node `world` turns that world so that its +z is glTF's +y; mesh and joints keep their numbers below it.
    """
    buffer = _Buffer()
    attributes = {
        "POSITION": buffer.add(vertices, "f4", "VEC3", _VERTEX_DATA),
        "NORMAL": buffer.add(vertex_normals(vertices, faces), "f4", "VEC3", _VERTEX_DATA),
    }
    indices = buffer.add(faces.reshape(-1), "u4", "SCALAR", _INDICES)
    upright = Rotation.from_matrix(swing(np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0]))).as_quat().tolist()
    points = [{"name": joint, "translation": place} for joint, place in zip(JOINT_NAMES, joints.tolist())]
    world = {"name": "world", "rotation": upright, "children": list(range(1, 2 + len(points)))}
    content = {
        "asset": {"version": "2.0", "generator": "mvhm", "copyright": licence},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [world, {"name": name, "mesh": 0}, *points],
        "meshes": [{"name": name, "primitives": [{"attributes": attributes, "indices": indices, "material": 0}]}],
        "materials": [_material()],
    }
    return _file(content, buffer)


def local_rotations(rotations: np.ndarray) -> np.ndarray:
    """Quaternions (T, 21, 4) x, y, z, w of bones relative to their carriers, from rotations (T, 21, 3, 3).

    q and -q are the same rotation: each frame takes the sign nearer to the frame before.
    """
    carried = rotations.copy()
    carried[:, 1:] = np.swapaxes(rotations[:, CARRIERS[1:]], -1, -2) @ rotations[:, 1:]
    quaternions = Rotation.from_matrix(carried.reshape(-1, 3, 3)).as_quat().reshape(len(rotations), BONES, 4)
    turned = np.sum(quaternions[1:] * quaternions[:-1], axis=-1) < 0
    signs = np.cumprod(np.where(turned, -1.0, 1.0), axis=0)
    quaternions[1:] *= signs[..., None]
    return quaternions


def _primitive(posed: PosedClip, buffer: _Buffer) -> dict[str, Any]:
    """The mesh at rest with its weights, in sets of four bones per vertex."""
    rig = posed.rig
    attributes = {
        "POSITION": buffer.add(rig.vertices, "f4", "VEC3", _VERTEX_DATA),
        "NORMAL": buffer.add(vertex_normals(rig.vertices, rig.faces), "f4", "VEC3", _VERTEX_DATA),
    }
    padding = ((0, 0), (0, -rig.weight_bones.shape[1] % 4))
    weights = np.pad(rig.weight_values, padding)
    bones = np.where(weights > 0, np.pad(rig.weight_bones, padding), 0)
    for number in range(weights.shape[1] // 4):
        part = slice(4 * number, 4 * number + 4)
        attributes[f"JOINTS_{number}"] = buffer.add(bones[:, part], "u1", "VEC4", _VERTEX_DATA)
        attributes[f"WEIGHTS_{number}"] = buffer.add(weights[:, part], "f4", "VEC4", _VERTEX_DATA)
    indices = buffer.add(rig.faces.reshape(-1), "u4", "SCALAR", _INDICES)
    return {"attributes": attributes, "indices": indices, "material": 0}


def _nodes(posed: PosedClip) -> list[dict[str, Any]]:
    """The mesh, the world (which knows up), the bones in the pose of the first frame, the fingertips."""
    rest, first = posed.rig.joints, local_rotations(posed.rotations[:1])[0]
    shifts = rest[BONE_STARTS] - rest[BONE_STARTS][list(CARRIERS)]
    shifts[0] = posed.joints[0, 0]
    world: dict[str, Any] = {"name": "world", "children": [2]}
    if posed.up is not None:
        world["rotation"] = Rotation.from_matrix(swing(posed.up, np.array([0.0, 1.0, 0.0]))).as_quat().tolist()
    nodes = [{"name": "hand", "mesh": 0, "skin": 0}, world]
    for bone, name in enumerate(BONE_NAMES):
        children = [2 + child for child in range(BONES) if CARRIERS[child] == bone and child]
        children += [2 + BONES + TIP_JOINTS.index(bone)] if bone in TIP_JOINTS else []
        nodes.append({"name": name, "translation": shifts[bone].tolist(), "rotation": first[bone].tolist()})
        nodes[-1]["children"] = children
    for tip in TIP_JOINTS:
        nodes.append({"name": JOINT_NAMES[tip], "translation": (rest[tip] - rest[BONE_STARTS[tip]]).tolist()})
    return nodes


def _skin(posed: PosedClip, buffer: _Buffer) -> dict[str, Any]:
    """Bones bind where they start at rest, unturned; matrices are stored by columns."""
    matrices = np.repeat(np.eye(4)[None], BONES, axis=0)
    matrices[:, 3, :3] = -posed.rig.joints[BONE_STARTS]
    return {"joints": list(range(2, 2 + BONES)), "inverseBindMatrices": buffer.add(matrices, "f4", "MAT4")}


def _animation(posed: PosedClip, buffer: _Buffer) -> dict[str, Any]:
    times = buffer.add(np.arange(len(posed)) / (posed.clip.fps or FPS), "f4", "SCALAR")
    tracks = [(2, "translation", buffer.add(posed.joints[:, 0], "f4", "VEC3"))]
    quaternions = local_rotations(posed.rotations)
    tracks += [(2 + bone, "rotation", buffer.add(quaternions[:, bone], "f4", "VEC4")) for bone in range(BONES)]
    channels = [
        {"sampler": number, "target": {"node": node, "path": path}} for number, (node, path, _) in enumerate(tracks)
    ]
    samplers = [{"input": times, "output": output, "interpolation": "LINEAR"} for *_, output in tracks]
    return {"name": posed.clip.name, "channels": channels, "samplers": samplers}


def _material() -> dict[str, Any]:
    surface = {"baseColorFactor": _SKIN_COLOUR, "metallicFactor": 0.0, "roughnessFactor": 0.6}
    return {"name": "skin", "pbrMetallicRoughness": surface}


def _file(content: dict[str, Any], buffer: _Buffer) -> bytes:
    """The file of `content` and of the buffer it speaks of."""
    content |= {
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
        "buffers": [{"byteLength": len(buffer.data)}],
    }
    return _container(json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode(), bytes(buffer.data))


def _container(content: bytes, data: bytes) -> bytes:
    """The file: a header, the JSON chunk padded with blanks, the binary chunk."""
    content += b" " * (-len(content) % 4)
    length = 12 + 8 + len(content) + 8 + len(data)
    head = struct.pack("<4sII", b"glTF", 2, length)
    return head + struct.pack("<I4s", len(content), b"JSON") + content + struct.pack("<I4s", len(data), b"BIN\0") + data
