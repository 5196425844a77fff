"""Posed clips as files: npz for programs, OBJ and PLY for meshes, glTF for viewers and animation (docs/posing.md)."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..files import new_folder, write_atomic
from .gltf import glb_bytes
from .mesh_files import obj_text, ply_bytes
from .pose import PosedClip


def npz_bytes(posed: PosedClip) -> bytes:
    """The .npz of a posed clip: arrays over its T frames in float32, and what made them; the keys: docs/posing.md."""
    arrays = {
        "joints": posed.joints.astype(np.float32),
        "vertices": posed.vertices.astype(np.float32),
        "rotations": posed.rotations.astype(np.float32),
        "residual": posed.residual.astype(np.float32),
        "source_joints": posed.target.astype(np.float32),
        "rest_joints": posed.rig.joints,
        "rest_vertices": posed.rig.vertices,
        "weights": posed.rig.weights,
        "frame_ids": np.array(posed.clip.frame_ids),
        "hand": np.array("left" if posed.left else "right"),
        **{name: np.array(getattr(posed.clip, name)) for name in ("name", "source", "subject", "licence")},
        **{name: np.array(getattr(posed, name)) for name in ("mode", "retarget", "skinning")},
    }
    optional = {"faces": posed.faces, "fps": posed.clip.fps, "up": posed.up}
    arrays |= {name: np.array(value) for name, value in optional.items() if value is not None}
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def _obj(posed: PosedClip, frame: int) -> bytes:
    return obj_text(posed.vertices[frame], posed.faces).encode()


def _ply(posed: PosedClip, frame: int) -> bytes:
    return ply_bytes(posed.vertices[frame], posed.faces)


WHOLE: dict[str, Callable[[PosedClip], bytes]] = {"npz": npz_bytes, "glb": glb_bytes}  # one file per clip
FRAMES: dict[str, Callable[[PosedClip, int], bytes]] = {"obj": _obj, "ply": _ply}  # one file per frame
FORMATS = ("npz", "obj", "ply", "glb")


def check_formats(formats: Sequence[str], faces: bool, retarget: str) -> None:
    """Raises InputError for a format that is unknown, needs faces that a rig has not, or cannot hold the retarget."""
    for name in formats:
        if name not in FORMATS:
            raise InputError(f"unknown format {name!r}; allowed: {', '.join(FORMATS)}")
        if name != "npz" and not faces:
            raise InputError(f"format {name}: the rig has no faces (F, 3), allowed without them is npz")
        if name == "glb" and retarget != "directions":
            raise InputError(f"format glb: retarget is {retarget!r}, allowed is directions (a skeleton keeps lengths)")


def export_clip(posed: PosedClip, folder: Path | str, formats: Sequence[str] = ("npz",), name: str = "") -> list[Path]:
    """Write a posed clip to a folder, made if need be; returns the files.

    Files are called `name`, default the clip's: `NAME.npz` and `NAME.glb` hold all frames, `NAME/0000.obj` and
    `NAME/0000.ply` one each, by the order in the clip. Each is there in full or not at all. Raises InputError as
    `check_formats`, before anything is written.
    """
    check_formats(formats, posed.faces is not None, posed.retarget)
    name = name or file_name(posed.clip.name)
    paths = []
    with new_folder(folder) as folder:
        for kind in formats:
            if kind in WHOLE:
                paths.append(folder / f"{name}.{kind}")
                write_atomic(paths[-1], WHOLE[kind](posed))
                continue
            with new_folder(folder / name) as frames:
                for frame in range(len(posed)):
                    paths.append(frames / f"{frame:04d}.{kind}")
                    write_atomic(paths[-1], FRAMES[kind](posed, frame))
    return paths


def file_name(clip_name: str) -> str:
    """A clip's name as that of a file: letters, digits, `-`, `_` and `.` stay, other characters become `_`."""
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in clip_name).lstrip(".")[:100] or "clip"
