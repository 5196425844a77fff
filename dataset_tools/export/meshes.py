"""The hand of every sample as a mesh: SPLIT/SAMPLE.obj, .ply or .glb, in the world, in metres."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import BinaryIO

from rigging.posing.gltf import mesh_glb_bytes
from rigging.posing.mesh_files import obj_text, ply_bytes

from .conventions import Convention
from .folder import put
from .source import Part, Sample, Source
from .target import PART_RECORDS, Target, nothing_more

FIELDS = ("vertices_world", "joints_world")
Mesh = Callable[[Sample, str], bytes]


def obj(sample: Sample, licence: str) -> bytes:
    """The OBJ."""
    return obj_text(sample.values["vertices_world"], sample.faces).encode()


def ply(sample: Sample, licence: str) -> bytes:
    """The binary PLY."""
    return ply_bytes(sample.values["vertices_world"], sample.faces)


def glb(sample: Sample, licence: str) -> bytes:
    """The binary glTF, which holds the joints as nodes too."""
    values = sample.values
    name = f"sample {sample.number}"
    return mesh_glb_bytes(values["vertices_world"], sample.faces, values["joints_world"], name, licence)


MAKERS: dict[str, Mesh] = {"obj": obj, "ply": ply, "glb": glb}


def _write(
    samples: Iterable[Sample], part: Part, convention: Convention, file: BinaryIO, out: Path, ending: str, licence: str
) -> None:
    for sample in samples:
        put(out / part.split / f"{sample.number:07d}.{ending}", MAKERS[ending](sample, licence))


def target(source: Source, ending: str) -> Target:
    """The format whose files end so: obj, ply or glb."""
    write = partial(_write, ending=ending, licence=source.attrs["licence"])
    return Target(FIELDS, PART_RECORDS, write, nothing_more, lenses=True)
