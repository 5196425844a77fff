"""A naive reader of binary glTF: checks what the specification asks of the file, and poses the skin node by node."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

_TYPES = {5126: "<f4", 5125: "<u4", 5123: "<u2", 5121: "<u1"}
_WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class Glb:
    """A file's content, with every accessor as an array; AssertionError for what glTF 2.0 forbids."""

    def __init__(self, data: bytes) -> None:
        magic, version, length = struct.unpack("<4sII", data[:12])
        assert (magic, version, length) == (b"glTF", 2, len(data))
        size, kind = struct.unpack("<I4s", data[12:20])
        assert kind == b"JSON"
        assert size % 4 == 0
        self.content: dict[str, Any] = json.loads(data[20 : 20 + size])
        rest = data[20 + size :]
        size, kind = struct.unpack("<I4s", rest[:8])
        assert kind == b"BIN\0"
        assert size == len(rest) - 8 == self.content["buffers"][0]["byteLength"]
        self.binary = rest[8:]
        self.arrays = [self._array(accessor) for accessor in self.content["accessors"]]
        self._check()

    def _array(self, accessor: dict[str, Any]) -> np.ndarray:
        view = self.content["bufferViews"][accessor["bufferView"]]
        dtype, width = np.dtype(_TYPES[accessor["componentType"]]), _WIDTHS[accessor["type"]]
        assert view["byteOffset"] % 4 == 0
        assert view["byteLength"] == accessor["count"] * width * dtype.itemsize
        assert view["byteOffset"] + view["byteLength"] <= len(self.binary)
        values = np.frombuffer(self.binary, dtype, accessor["count"] * width, view["byteOffset"]).reshape(-1, width)
        np.testing.assert_array_equal(values.min(axis=0), np.array(accessor["min"], dtype))
        np.testing.assert_array_equal(values.max(axis=0), np.array(accessor["max"], dtype))
        return values

    def _check(self) -> None:
        nodes, meshes = self.content["nodes"], self.content["meshes"]
        children = [child for node in nodes for child in node.get("children", ())]
        roots = self.content["scenes"][0]["nodes"]
        assert sorted(children + roots) == list(range(len(nodes)))  # a tree: every node hangs in one place
        for node in nodes:
            assert node.get("children", [0])
            assert abs(np.linalg.norm(node.get("rotation", (0, 0, 0, 1))) - 1) < 1e-6
        primitive = meshes[0]["primitives"][0]
        vertices = len(self.arrays[primitive["attributes"]["POSITION"]])
        for name, accessor in primitive["attributes"].items():
            assert len(self.arrays[accessor]) == vertices, name
        assert self.arrays[primitive["indices"]].max() < vertices
        weights, bones = self.influences()
        np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
        assert (bones[weights == 0] == 0).all()
        for row, share in zip(bones, weights):
            used = row[share > 0]
            assert len(set(used)) == len(used)
        times = self.arrays[self.content["animations"][0]["samplers"][0]["input"]][:, 0]
        assert times[0] == 0
        assert (np.diff(times) > 0).all()

    def influences(self) -> tuple[np.ndarray, np.ndarray]:
        """Weights and places in the skin's list (V, K) of the bones of each vertex."""
        attributes = self.content["meshes"][0]["primitives"][0]["attributes"]
        sets = range(sum(name.startswith("JOINTS_") for name in attributes))
        weights = np.concatenate([self.arrays[attributes[f"WEIGHTS_{i}"]] for i in sets], axis=1)
        return weights, np.concatenate([self.arrays[attributes[f"JOINTS_{i}"]] for i in sets], axis=1)

    @property
    def times(self) -> np.ndarray:
        """(T,) seconds."""
        return self.arrays[self.content["animations"][0]["samplers"][0]["input"]][:, 0]

    def places(self, frame: int | None) -> dict[str, np.ndarray]:
        """World matrices (4, 4) of all nodes by name, at a frame of the animation or as the file lies there (None)."""
        own = [dict(node) for node in self.content["nodes"]]
        animation = self.content["animations"][0]
        for channel in animation["channels"] if frame is not None else ():
            values = self.arrays[animation["samplers"][channel["sampler"]]["output"]]
            own[channel["target"]["node"]][channel["target"]["path"]] = values[frame]
        places: dict[str, np.ndarray] = {}

        def walk(index: int, above: np.ndarray) -> None:
            local = np.eye(4)
            local[:3, :3] = Rotation.from_quat(own[index].get("rotation", (0, 0, 0, 1))).as_matrix()
            local[:3, 3] = own[index].get("translation", (0, 0, 0))
            places[own[index]["name"]] = above @ local
            for child in own[index].get("children", ()):
                walk(child, above @ local)

        for root in self.content["scenes"][0]["nodes"]:
            walk(root, np.eye(4))
        return places

    def vertices(self, frame: int | None) -> np.ndarray:
        """(V, 3) of the skinned mesh, at a frame of the animation or as the file lies there (None)."""
        places, skin = self.places(frame), self.content["skins"][0]
        names = [self.content["nodes"][node]["name"] for node in skin["joints"]]
        inverse = self.arrays[skin["inverseBindMatrices"]].reshape(-1, 4, 4).swapaxes(1, 2)
        maps = np.stack([places[name] for name in names]) @ inverse
        points = self.arrays[self.content["meshes"][0]["primitives"][0]["attributes"]["POSITION"]]
        points = np.concatenate([points, np.ones((len(points), 1))], axis=1)
        weights, bones = self.influences()
        return np.einsum("vk,vkij,vj->vi", weights, maps[bones], points)[:, :3]
