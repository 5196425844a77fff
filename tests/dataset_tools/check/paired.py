"""Records that are as consistent as a rendered release: pairs of poses, a real ring, light that stays in the world."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import trimesh
from records import arm_of, barycentric, cast, metadata, poses, project, shard_record

from dataset_tools.store.encode import encode_sample
from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.manifest import write_manifest
from dataset_tools.store.writer import write_shard
from rigging.geometry.cameras import CameraSettings, palm_frame, ring
from rigging.geometry.mesh import vertex_normals
from rigging.hand.asset import load_asset
from rigging.joints import adjoining_parts

SIZE = 96
SHARD_SIZE, SAMPLES = 2, 6  # of the release that `write_release` writes
SETTINGS = CameraSettings(views=8, image_size=SIZE, tilt=0.3)
MIRROR = np.array([-1.0, 1.0, 1.0])


def pair_records(pair: int, hand: str = "right", settings: CameraSettings = SETTINGS, count: int = 2) -> list[dict]:
    """The records of a pair, or of a clip of `count` 3 poses; `hand` right or (mirrored) left."""
    asset, rng = load_asset(), np.random.default_rng((7, pair))
    arm, arm_faces = arm_of(asset)
    side = MIRROR if hand == "left" else np.ones(3)
    turns = poses(asset, rng)[-count:]

    def place(points: np.ndarray, pose: np.ndarray) -> np.ndarray:
        return ((points @ pose[:3, :3].T + pose[:3, 3]) * side).astype(np.float32).astype(np.float64)

    rest = np.concatenate([asset.template, arm])
    meshes, joints = [place(rest, pose) for pose in turns], [place(asset.joints, pose) for pose in turns]
    framed = np.unique(asset.faces[asset.face_part != 1])
    cameras = ring(palm_frame(joints[0]), np.concatenate([mesh[framed] for mesh in meshes]), settings, rng)
    world = {
        "faces": np.concatenate([asset.faces, arm_faces + len(asset.template)]), "count": len(asset.template),
        "face_part": np.concatenate([asset.face_part, np.full(len(arm_faces), 18, np.uint8)]),
        "side": 1.0 if hand == "right" else -1.0, "skin": np.array([0.83, 0.62, 0.5]) * rng.uniform(0.5, 1.1),
        "backgrounds": background(rng, settings), "albedo": 1 + 0.2 * rng.standard_normal(len(rest)),
    }  # fmt: skip
    return [_record(pair, role, meshes, joints, cameras, world, hand) for role in range(count)]


def background(rng: np.random.Generator, settings: CameraSettings) -> np.ndarray:
    """(V, H, W, 3) noise of several sizes, another for each view."""
    size, out = settings.image_size, 0.0
    for cells in (4, 12):
        coarse = rng.random((settings.views, cells, cells, 3))
        index = np.arange(size) * cells // size
        out = out + coarse[:, index][:, :, index]
    return 40 + 75 * out


def _record(pair, role, meshes, joints, cameras, world, hand) -> dict:
    mesh, count = trimesh.Trimesh(meshes[role], world["faces"], process=False), world["count"]
    hand_faces, arm_faces = (world["faces"][(world["face_part"] == 18) == arm] for arm in (False, True))
    normals = world["side"] * np.concatenate([
        vertex_normals(meshes[role], hand_faces)[:count], vertex_normals(meshes[role], arm_faces)[count:],
    ])  # fmt: skip
    views = [_view(view, role, mesh, normals, meshes, joints[role], cameras, world) for view in range(len(cameras))]
    record = {name: np.stack([view[name] for view in views]) for name in views[0]}
    sample = len(meshes) * pair + role
    record |= {
        "K": cameras.K, "world_to_cam": cameras.world_to_cam, "joints_world": joints[role].astype(np.float32),
        "vertices_world": meshes[role][:count].astype(np.float32),
        "arm_vertices_world": meshes[role][count:].astype(np.float32),
        "flow_forward_valid": role + 1 < len(meshes), "flow_backward_valid": role > 0,
    }  # fmt: skip
    chain = joints[role][[0, 9, 10, 11, 12]]
    length = float(np.linalg.norm(np.diff(chain, axis=0), axis=1).sum())
    about = {"pair": pair, "pair_role": role, "hand": hand, "hand_length": length, "clip": f"turn-{pair}"}
    return record | metadata(sample, 7, 0.7, joints[role]) | about


def _view(view, role, mesh, normals, meshes, joints, cameras, world) -> dict[str, np.ndarray]:
    size, K, pose = cameras.image_size, cameras.K[view], cameras.world_to_cam[view]
    triangle, rays = cast(mesh, K, pose, size)
    seen, corners = triangle >= 0, world["faces"][triangle[triangle >= 0]]
    local = mesh.vertices @ pose[:3, :3].T + pose[:3, 3]
    depth, weights = barycentric(local[world["faces"]], triangle[seen], rays[seen])
    out = {"parts": np.zeros((size, size), np.uint8), "depth": np.zeros((size, size), np.float32)}
    out["depth"][seen], out["parts"][seen] = depth, world["face_part"][triangle[seen]]
    facing = (normals[corners] * weights[..., None]).sum(1)
    facing /= np.linalg.norm(facing, axis=1, keepdims=True)
    out["normals"] = np.zeros((size, size, 3), np.float32)
    out["normals"][seen] = facing @ pose[:3, :3].T
    for name, other in (("flow_forward", role + 1), ("flow_backward", role - 1)):
        out |= _flow(name, meshes[other] if 0 <= other < len(meshes) else None, seen, corners, weights, K, pose, world)
    light = 0.3 + 0.7 * np.clip(facing @ np.array([0.3, -0.5, 0.8]), 0, None)[:, None]
    albedo = (world["albedo"][corners] * weights).sum(1)[:, None]
    picture = world["backgrounds"][view].copy()
    picture[seen] = 255 * world["skin"] * light * albedo
    out["rgb"], out["alpha"] = picture.clip(0, 255).astype(np.uint8), seen.astype(np.uint8) * 255
    return out | _joints(mesh, joints, K, pose, size, world)


def _flow(name, target, seen, corners, weights, K, pose, world) -> dict[str, np.ndarray]:
    size = len(seen)
    flow, visible = np.zeros((size, size, 2), np.float32), np.zeros((size, size), bool)
    if target is not None:
        there, depth = project((target[corners] * weights[..., None]).sum(1), K, pose)
        flow[seen] = there - (np.argwhere(seen)[:, ::-1] + 0.5)
        first = _first_depth(trimesh.Trimesh(target, world["faces"], process=False), there, K, pose)[0]
        visible[seen] = ((there >= 0) & (there < size)).all(1) & (first >= depth - 1e-5)
    return {name: flow, f"{name}_visible": visible}


def _first_depth(mesh, pixels, K, pose) -> tuple[np.ndarray, np.ndarray]:
    """Depth (P,) of the first surface through image points (P, 2), inf for none, and its triangle."""
    rays = np.column_stack([pixels, np.ones(len(pixels))]) @ np.linalg.inv(K).T
    centre = np.broadcast_to(-pose[:3, :3].T @ pose[:3, 3], rays.shape)
    triangle = mesh.ray.intersects_first(centre, rays @ pose[:3, :3])
    local = mesh.vertices @ pose[:3, :3].T + pose[:3, 3]
    depth = np.full(len(pixels), np.inf)
    depth[triangle >= 0] = barycentric(local[mesh.faces], triangle[triangle >= 0], rays[triangle >= 0])[0]
    return depth, triangle


def _joints(mesh, joints, K, pose, size, world) -> dict[str, np.ndarray]:
    pixels, depth = project(joints, K, pose)
    first, triangle = _first_depth(mesh, pixels, K, pose)
    part = np.where(triangle >= 0, world["face_part"][triangle], 0)
    adjoins = np.array([int(one) in adjoining_parts(joint) for joint, one in enumerate(part)])
    inside = ((pixels >= 0) & (pixels < size)).all(1)
    return {"joint_visible": adjoins | (first > depth), "joint_in_frame": inside}


def paired_shard_record(samples: int, shard_size: int, hand: str = "right", count: int = 2) -> dict:
    """The shard's fields, with the configuration that the cameras were placed by."""
    release = {
        "name": "test", "samples": samples, "shard_size": shard_size, "hand": hand, "cameras": asdict(SETTINGS),
        "pairs": {"length": count},
    }  # fmt: skip
    return shard_record() | {"configuration": json.dumps({"release": release, "samples": None})}


def write_release(folder: Path, pairs: list[list[dict]], plan: bool = True) -> ReleaseFolder:
    """A folder with one shard a pair, of a release that has three."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, records in enumerate(pairs):
        path = ReleaseFolder(folder).shard(number)
        record = paired_shard_record(SAMPLES, SHARD_SIZE) | {"shard": number}
        write_manifest(path, write_shard(path, map(encode_sample, records), record))
    if plan:
        np.savez(folder / "plan.npz", release=json.dumps({"samples": SAMPLES, "shard_size": SHARD_SIZE}))
    return ReleaseFolder(folder)
