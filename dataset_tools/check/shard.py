"""Checks of finished shards: bytes, schema, every value decodes, cameras, meshes and labels agree with each other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rigging.geometry.projection import project, to_camera, triangulate, without_lens
from rigging.joints import ARM_PART

from ..format.optional import fields_with, version_with
from ..format.schema import SHARD_FIELDS, Field
from ..load.dataset import HandDataset, as_python, outward
from ..pictures.solid import nearest_triangles
from ..store.layout import ReleaseFolder
from ..store.manifest import read_manifest
from ..store.shard_file import ShardError, ShardFile
from ..store.shard_state import FAULTY, State, file_state, shard_state

REPROJECTION = 1e-5  # m
MASK_IOU = 0.9  # alpha is anti-aliased and path traced; the labels are neither
MESH_SAMPLES = 8  # samples of a shard whose mesh is drawn again and compared with the labels, in one view each
MESH_PARTS = 0.03  # share of the pixels whose part may differ (ties along edges)
MESH_DEPTH = 2e-4  # m, 95th percentile
MANIFEST_WORDS = ("shard", "schema_version", "release", "configuration_hash", "device")


@dataclass(frozen=True)
class Report:
    """What a check found: `problems` are one line each; `figures` are for the table."""

    path: Path
    samples: int
    problems: tuple[str, ...]
    triangulation: float  # m, largest distance of triangulated joints_2d from joints_world
    iou: float  # smallest intersection over union of (parts > 0) and (alpha > 127), over views


def lacking(path: Path) -> list[str]:
    """A line for each shard of a folder that was rendered but for some samples, which were set aside."""
    folder = ReleaseFolder(Path(path))
    found = [shard_state(folder, shard) for shard in folder.reported()]
    return [
        f"{folder.incomplete(one.shard)}: shard {one.shard} is incomplete: {one.reason}"
        for one in found
        if one.state is State.INCOMPLETE
    ]


def shards_to_check(path: Path) -> list[Path]:
    """The shard at `path`, or those in a folder, damaged or not. Raises FileNotFoundError where there is none."""
    folder = ReleaseFolder(Path(path))
    if not folder.path.is_dir():
        return [folder.path]
    if not (shards := folder.shards()):
        raise FileNotFoundError(f"{path}: no shards in this folder")
    return [folder.shard(shard) for shard in shards]


def check_shard(path: Path) -> Report:
    """Check one shard. Raises FileNotFoundError or ShardError where it cannot even be read."""
    problems, _ = against_manifest(Path(path))
    with ShardFile(path) as shard:
        problems += [*against_words(shard), *against_schema(shard)]
        if problems:
            return Report(Path(path), len(shard), tuple(problems), float("nan"), float("nan"))
    dataset = HandDataset(path)
    found = [_sample(dataset[i], i) for i in range(len(dataset))]
    problems += [problem for _, _, lines in found for problem in lines]
    for row in np.unique(np.linspace(0, len(dataset) - 1, MESH_SAMPLES).round().astype(int)):
        problems += _mesh(dataset, int(row))
    return Report(Path(path), len(dataset), tuple(problems), max(f[0] for f in found), min(f[1] for f in found))


def against_manifest(path: Path) -> tuple[list[str], str | None]:
    """What the manifest beside a shard says otherwise, and the sha256 of both; None without a manifest.

    Raises FileNotFoundError, ShardError for other bytes.
    """
    found = file_state(path, deep=True)
    if found.state is State.MISSING:
        raise FileNotFoundError(f"{path}: no such shard")
    if found.state in FAULTY:
        raise ShardError(f"{path}: {found.reason}")
    return ([], found.manifest["sha256"]) if found.manifest else (["no manifest beside it"], None)


def against_words(shard: ShardFile) -> list[str]:
    """What the manifest beside an open shard says otherwise than the shard itself. Raises ShardError."""
    try:
        manifest = read_manifest(shard.path)
    except FileNotFoundError:
        return []
    own = {"samples": len(shard), **{name: shard.attrs.get(name) for name in MANIFEST_WORDS}}
    return [
        f"its manifest says {name} {manifest[name]!r}, the shard {value!r}"
        for name, value in ((name, as_python(value)) for name, value in own.items())
        if name in manifest and manifest[name] != value
    ]


def against_schema(shard: ShardFile) -> list[str]:
    """Arrays of a shard that are missing, or of another type or shape than the schema's."""
    problems, held = [], shard.fields()
    if (version := int(shard.attrs["schema_version"])) > 1 and version != version_with(held):
        problems.append(f"schema version {version} is not that of its fields, {version_with(held)}")
    for field in (*fields_with(held).values(), *SHARD_FIELDS.values()):
        if field.stored and field.codec == "plain" and field.dtype != "str" and (field.shape or field.per != "shard"):
            problems += _dataset_problem(shard, field)
    return problems


def _dataset_problem(shard: ShardFile, field: Field) -> list[str]:
    rows = () if field.per == "shard" else (len(shard),)
    wanted = rows + tuple(size if isinstance(size, int) else shard.sizes[size] for size in field.shape)
    try:
        array = shard.array(field.path)
    except ShardError as error:
        return [str(error)]
    if array.shape != wanted or array.dtype != field.dtype:
        return [f"{field.path}: {field.dtype} {wanted} is wanted, got {array.dtype} {array.shape}"]
    return []


def _sample(sample: dict[str, Any], row: int) -> tuple[float, float, list[str]]:
    pixels = without_lens(sample["joints_2d"], sample["K"], sample.get("distortion"))
    points = triangulate(pixels, sample["K"], sample["world_to_cam"])
    distance = float(np.linalg.norm(points - sample["joints_world"], axis=1).max())
    iou = float(np.min(intersection_over_union(sample["parts"] > 0, sample["alpha"] > 127)))
    problems = []
    if distance > REPROJECTION:
        problems.append(f"sample {row}: triangulated joints are off by {distance * 1000:.4f} mm")
    if iou < MASK_IOU:
        problems.append(f"sample {row}: parts and alpha agree to an IoU of {iou:.3f} only")
    if ((sample["depth"] > 0) != (sample["parts"] > 0)).any():
        problems.append(f"sample {row}: depth and parts differ in what is background")
    problems += _flow(sample, row)
    return distance, iou, problems


def _flow(sample: dict[str, Any], row: int) -> list[str]:
    lines = []
    for name in ("flow_forward", "flow_backward"):
        if not sample[f"{name}_valid"] and sample[name].any():
            lines.append(f"sample {row}: {name} is not valid, but not zero")
        if sample[name][sample["parts"] == 0].any():
            lines.append(f"sample {row}: {name} is not zero on the background")
    return lines


def _mesh(dataset: HandDataset, row: int) -> list[str]:
    """The stored mesh, drawn again in one view, must show the depth and the parts of the labels."""
    sample, view = dataset[row], row % dataset.sizes["V"]
    depth, parts = draw_mesh(sample, dataset, view)
    label, seen = sample["depth"][view], (depth > 0) | (sample["parts"][view] > 0)
    other = float((parts != sample["parts"][view])[seen].mean()) if seen.any() else 0.0
    both = (depth > 0) & (label > 0)
    off = float(np.percentile(np.abs(depth - label)[both], 95)) if both.any() else 0.0
    if other <= MESH_PARTS and off <= MESH_DEPTH:
        return []
    return [
        f"sample {row}: the mesh in view {view} does not show the labels: "
        f"{100 * other:.1f} % of the parts differ, depth is off by {1000 * off:.3f} mm (95th percentile)"
    ]


def draw_mesh(sample: dict[str, Any], dataset: HandDataset, view: int) -> tuple[np.ndarray, np.ndarray]:
    """Depth (H, W) m and parts (H, W) of hand and arm in one view, from the stored meshes and cameras alone."""
    vertices = np.concatenate([sample["vertices_world"], sample["arm_vertices_world"]])
    faces = np.concatenate([dataset.faces, dataset.arm_faces + len(sample["vertices_world"])])
    face_part = np.concatenate([dataset.face_part, np.full(len(dataset.arm_faces), ARM_PART, np.uint8)])
    names = [name for name in ("K", "world_to_cam", "distortion") if name in sample]
    camera = [sample[name][view : view + 1] for name in names]
    z = to_camera(vertices, camera[1])[0, :, 2]
    image = project(vertices, *camera)[0]
    before = (z[faces] > 1e-3).all(1) & ~np.isnan(image[faces]).any((1, 2))  # an arm may pass beside camera and lens
    faces, face_part = outward(faces, sample["meta"]["hand"])[before], face_part[before]
    inverse = -1 / np.where(np.abs(z) > 1e-3, z, 1e-3)  # linear in the picture, and grows with depth
    seen = np.column_stack([image, inverse])
    triangle, weights = nearest_triangles(seen, faces, sample["parts"].shape[1:], two_sided=True)
    hit = triangle >= 0
    depth, parts = np.zeros(triangle.shape), np.zeros(triangle.shape, np.uint8)
    depth[hit] = -1 / (inverse[faces[triangle[hit]]] * weights[hit]).sum(1)
    parts[hit] = face_part[triangle[hit]]
    return depth, parts


def intersection_over_union(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """IoU (V,) of masks (V, H, W); 1 where both are empty."""
    both, either = (a & b).sum((1, 2)), (a | b).sum((1, 2))
    return np.where(either > 0, both / np.maximum(either, 1), 1.0)
