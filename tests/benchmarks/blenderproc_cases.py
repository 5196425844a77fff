"""The benchmark's cases as files, for BlenderProc's interpreter: what `studio` holds when a case is on stage."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np

from blender_scripts.cycles.scene import Studio
from blender_scripts.looks.cloth import paint_cloth
from blender_scripts.looks.exposure import scene_light
from blender_scripts.looks.hdri import turn
from blender_scripts.render_sample import SampleSpec, set_stage
from blender_scripts.settings import RenderSettings
from render_farm.planning.spec import Specs

from .cases import CASES, body_of, light_of


def write_cases(studio: Studio, specs: Specs, settings: RenderSettings, folder: Path) -> None:
    """Write all cases and the settings into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for case in range(CASES):
        write_case(studio, specs.spec(2 * case), folder / f"case-{case:02d}")
    (folder / "settings.json").write_text(json.dumps(dataclasses.asdict(settings)), encoding="utf-8")


def write_case(studio: Studio, spec: SampleSpec, stem: Path) -> None:
    """Write a case: arrays of the mesh, the cameras and the lamps (.npz), textures (.png) and the panorama (.hdr)."""
    set_stage(studio, spec, body_of(spec), light_of(spec, studio))
    lamps = [lamp_values(item) for item in studio.scene.objects if item.type == "LIGHT" and item.data.energy > 0]
    mesh = mesh_arrays(studio.scene.objects["body"].data)
    cameras = {"K": spec.cameras.K, "world_to_cam": spec.cameras.world_to_cam}
    np.savez(stem.with_suffix(".npz"), **mesh, **cameras, seed=spec.seed, lamps=json.dumps(lamps))
    write_textures(spec, stem)
    panorama = scene_light(spec.look, turn(studio.hdris.panorama(spec.look.hdri), spec.look.rotation))
    _write(f"{stem}-panorama.hdr", np.ascontiguousarray(panorama[..., ::-1]))


def mesh_arrays(mesh) -> dict[str, np.ndarray]:
    """Arrays of a Blender mesh of triangles.

    vertices (N, 3), normals (N, 3), faces (F, 3), material_index (F,), uv_skin and uv_cloth (3F, 2).
    """
    corners, faces = len(mesh.loops), len(mesh.polygons)
    found = {"vertices": _read(mesh.vertices, "co", (-1, 3)), "faces": np.empty(corners, np.int32),
             "material_index": np.empty(faces, np.int32)}  # fmt: skip
    mesh.loops.foreach_get("vertex_index", found["faces"])
    mesh.polygons.foreach_get("material_index", found["material_index"])
    normals = np.zeros_like(found["vertices"])
    normals[found["faces"]] = _read(mesh.corner_normals, "vector", (-1, 3))
    uv = {f"uv_{name}": _read(mesh.uv_layers[name].data, "uv", (-1, 2)) for name in ("skin", "cloth")}
    return found | uv | {"normals": normals, "faces": found["faces"].reshape(-1, 3)}


def _read(items, name: str, shape: tuple[int, int]) -> np.ndarray:
    values = np.empty(len(items) * shape[1], np.float32)
    items.foreach_get(name, values)
    return values.reshape(shape)


def lamp_values(item) -> dict:
    """What BlenderProc needs to make the lamp of a Blender object: kind, pose, colour, energy (W) and size (m, rad)."""
    lamp, kind = item.data, item.data.type.lower()
    size = {"area": "size", "point": "shadow_soft_size", "sun": "angle"}[kind]
    rotation = item.rotation_quaternion.to_matrix()
    return {
        "kind": kind, "location": list(item.location), "rotation": [list(row) for row in rotation],
        "color": list(lamp.color), "energy": lamp.energy, "size": getattr(lamp, size),
    }  # fmt: skip


def write_textures(spec: SampleSpec, stem: Path) -> None:
    """Skin and, for a sleeve, cloth: colours with roughness in alpha (8 bits) and height (16 bits)."""
    skin = spec.skin
    _write(f"{stem}-albedo.png", np.dstack([skin.albedo[..., ::-1], skin.roughness]))
    _write(f"{stem}-height.png", skin.height)
    if spec.look.arm_style == "sleeve":
        albedo, height = paint_cloth(spec.look.cloth)
        _write(f"{stem}-cloth_albedo.png", (albedo[..., ::-1] * 255 + 0.5).astype(np.uint8))
        _write(f"{stem}-cloth_height.png", (height * 65535 + 0.5).astype(np.uint16))


def _write(path: str, pixels: np.ndarray) -> None:
    if not cv2.imwrite(path, pixels):
        raise OSError(f"{path} could not be written")
