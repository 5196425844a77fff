"""Sample records without a renderer: the asset's hand, rigidly posed, seen by a ring of cameras through a ray caster.

The labels are consistent with each other and with the meshes, so they serve the loader, the checks and the viewer.
"""

from __future__ import annotations

import json

import numpy as np
import trimesh

from rigging.hand.asset import HandAsset, load_asset
from rigging.joints import adjoining_parts

SKIN = np.array([0.83, 0.62, 0.5])


def rotation(axis: np.ndarray, angle: float) -> np.ndarray:
    """Rotation matrix (3, 3) about `axis` by `angle` rad (Rodrigues)."""
    x, y, z = np.asarray(axis, float) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def ring(centre: np.ndarray, views: int, size: int, radius: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    """`K` (V, 3, 3) px and `world_to_cam` (V, 4, 4): cameras on a circle around +z, looking at `centre` (3,) m."""
    K = np.array([[1.85 * size, 0, size / 2], [0, 1.85 * size, size / 2], [0, 0, 1.0]])
    matrices = []
    for angle in 2 * np.pi * np.arange(views) / views:
        forward = -np.array([np.cos(angle), np.sin(angle), 0])
        turn = np.stack([np.cross(forward, [0, 0, 1]), [0, 0, -1.0], forward])
        matrices.append(np.block([[turn, -(turn @ (centre - radius * forward))[:, None]], [np.zeros(3), 1]]))
    return np.repeat(K[None], views, 0), np.array(matrices)


def project(points: np.ndarray, K: np.ndarray, world_to_cam: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (N, 2) and planar depth (N,) m of world points (N, 3)."""
    cam = points @ world_to_cam[:3, :3].T + world_to_cam[:3, 3]
    pixels = cam @ K.T
    return pixels[:, :2] / pixels[:, 2:], cam[:, 2]


def arm_of(asset: HandAsset) -> tuple[np.ndarray, np.ndarray]:
    """A tube from the cut of the hand: vertices (4L, 3) m in the hand's frame and faces (6L, 3)."""
    loop = asset.template[asset.cut_loop]
    vertices = np.concatenate([loop + [0, -step, 0] for step in (0.0, 0.05, 0.12, 0.2)])
    n, faces = len(loop), []
    for start in range(0, 3 * n, n):
        for i in range(n):
            a, b = start + i, start + (i + 1) % n
            faces += [(a, a + n, b), (b, a + n, b + n)]
    faces = np.array(faces, np.int32)
    normal = np.cross(*(vertices[faces[0, k]] - vertices[faces[0, 0]] for k in (1, 2)))
    outwards = normal @ (vertices[faces[0, 0]] - loop.mean(0)) > 0
    return vertices, faces if outwards else np.ascontiguousarray(faces[:, ::-1])


def poses(asset: HandAsset, rng: np.random.Generator) -> list[np.ndarray]:
    """Three poses (4, 4) of the hand in the world, fingers up: before, now, after."""
    upright = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # fingers (+y) to +z
    start = rotation([0, 0, 1], rng.uniform(0, 2 * np.pi)) @ rotation(rng.normal(size=3), 0.4) @ upright
    axis, shift = rng.normal(size=3), rng.normal(size=3) * 0.004
    out = []
    for step in (-1, 0, 1):
        turn = rotation(axis, 0.12 * step) @ start
        out.append(np.block([[turn, (step * shift - start @ asset.joints[[0, 9]].mean(0))[:, None]], [np.zeros(3), 1]]))
    return out


def cast(mesh: trimesh.Trimesh, K: np.ndarray, world_to_cam: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """First triangle seen at every pixel centre (H, W), -1 for none, and rays (H, W, 3) with z = 1 in the camera."""
    ys, xs = np.mgrid[:size, :size] + 0.5
    rays = np.stack([xs, ys, np.ones_like(xs)], -1) @ np.linalg.inv(K).T
    turn, centre = world_to_cam[:3, :3], -world_to_cam[:3, :3].T @ world_to_cam[:3, 3]
    directions = (rays @ turn).reshape(-1, 3)
    hit = mesh.ray.intersects_first(np.broadcast_to(centre, directions.shape), directions)
    return hit.reshape(size, size), rays


def barycentric(mesh_cam: np.ndarray, triangle: np.ndarray, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Depth (P,) and barycentric weights (P, 3) of rays (P, 3) on triangles (P,) of corners (F, 3, 3) in the camera."""
    a, b, c = np.moveaxis(mesh_cam[triangle], 1, 0)
    weights = np.linalg.solve(np.stack([a, b, c], -1), rays[..., None])[..., 0]
    depth = 1 / weights.sum(-1)
    return depth, weights * depth[:, None]


def view_labels(world: dict, K: np.ndarray, world_to_cam: np.ndarray, size: int) -> dict[str, np.ndarray]:
    """Labels of one view, shapes as in the record without V."""
    mesh, faces = world["mesh"], world["mesh"].faces
    triangle, rays = cast(mesh, K, world_to_cam, size)
    seen = triangle >= 0
    cam = mesh.vertices @ world_to_cam[:3, :3].T + world_to_cam[:3, 3]
    depth, weights = barycentric(cam[faces], triangle[seen], rays[seen])
    out = {
        "depth": np.zeros((size, size), np.float32),
        "normals": np.zeros((size, size, 3), np.float32),
        "parts": np.zeros((size, size), np.uint8),
    }
    out["depth"][seen] = depth
    out["parts"][seen] = world["face_part"][triangle[seen]]
    normals = (mesh.vertex_normals[faces[triangle[seen]]] * weights[..., None]).sum(1) @ world_to_cam[:3, :3].T
    out["normals"][seen] = normals / np.linalg.norm(normals, axis=-1, keepdims=True)
    here = np.argwhere(seen)[:, ::-1] + 0.5
    for name, moved in (("flow_forward", world["after"]), ("flow_backward", world["before"])):
        pixels, _ = project((moved[faces[triangle[seen]]] * weights[..., None]).sum(1), K, world_to_cam)
        flow = np.zeros((size, size, 2), np.float32)
        visible = np.zeros((size, size), bool)
        flow[seen] = pixels - here
        visible[seen] = ((pixels > 0) & (pixels < size)).all(-1)
        out |= {name: flow, f"{name}_visible": visible}
    out["alpha"] = seen.astype(np.uint8) * 255
    out["rgb"] = photograph(out["normals"], seen, world["background"], world["skin"])
    return out | joint_flags(world["joints"], out["parts"], K, world_to_cam)


def photograph(normals: np.ndarray, seen: np.ndarray, background: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """A shaded hand (H, W, 3) uint8 over a background."""
    light = np.clip(normals @ (np.array([0.4, -0.6, -0.7])), 0, None)[..., None]
    return np.where(seen[..., None], 255 * skin * (0.25 + 0.75 * light), background).clip(0, 255).astype(np.uint8)


def joint_flags(joints: np.ndarray, parts: np.ndarray, K: np.ndarray, world_to_cam: np.ndarray) -> dict:
    """`joint_in_frame` (21,) and `joint_visible` (21,): the first surface on the way to it adjoins it."""
    size = len(parts)
    pixels, _ = project(joints, K, world_to_cam)
    inside = ((pixels >= 0) & (pixels < size)).all(-1)
    x, y = np.clip(np.floor(pixels), 0, size - 1).astype(int).T
    adjoins = np.array([int(part) in adjoining_parts(j) for j, part in enumerate(parts[y, x])])
    return {"joint_in_frame": inside, "joint_visible": inside & adjoins}


def make_record(sample: int = 0, views: int = 8, size: int = 64, seed: int = 0) -> dict:
    """A record as `render_sample` returns it: see `dataset_tools.format.schema`."""
    asset, rng = load_asset(), np.random.default_rng((seed, sample))
    arm, arm_faces = arm_of(asset)
    before, now, after = poses(asset, rng)
    rest = np.concatenate([asset.template, arm])

    def place(points: np.ndarray, pose: np.ndarray) -> np.ndarray:
        return (points @ pose[:3, :3].T + pose[:3, 3]).astype(np.float32).astype(np.float64)

    vertices, joints = place(rest, now), place(asset.joints, now)
    tone = rng.uniform(0.3, 1.1)
    world = {
        "mesh": trimesh.Trimesh(
            vertices, np.concatenate([asset.faces, arm_faces + len(asset.template)]), process=False
        ),
        "face_part": np.concatenate([asset.face_part, np.full(len(arm_faces), 18, np.uint8)]),
        "before": place(rest, before), "after": place(rest, after), "joints": joints, "skin": SKIN * tone,
        "background": 60 + 120 * rng.random((size, 1, 3)) * np.linspace(0.5, 1, size)[None, :, None],
    }  # fmt: skip
    K, world_to_cam = ring(np.zeros(3), views, size)
    labels = [view_labels(world, K[v], world_to_cam[v], size) for v in range(views)]
    record = {name: np.stack([view[name] for view in labels]) for name in labels[0]}
    record |= {
        "K": K, "world_to_cam": world_to_cam, "joints_world": joints.astype(np.float32),
        "vertices_world": vertices[: len(asset.template)].astype(np.float32),
        "arm_vertices_world": vertices[len(asset.template) :].astype(np.float32),
        "flow_forward_valid": True, "flow_backward_valid": True,
    }  # fmt: skip
    return record | metadata(sample, seed, tone, joints)


def metadata(sample: int, seed: int, tone: float, joints: np.ndarray) -> dict:
    """The sample's metadata."""
    return {
        "sample": sample, "seed": f"{seed}-{sample}", "pair": sample // 2, "pair_role": sample % 2, "clip": "turn",
        "subject": 3, "shape": np.zeros(4, np.float32), "hand_length": 0.19, "ita": float(90 * tone - 45),
        "monk_bin": 4, "hand": "right", "mirrored": False, "pose_source": "test", "source_frame": f"{sample:05d}",
        "source_joints": joints.astype(np.float32), "residual": np.zeros(21, np.float32),
        "wrist_angles": np.zeros(2, np.float32), "light": json.dumps({"lamps": 1}),
        "background": json.dumps({"kind": "stripes"}), "arm_style": "bare", "split": "train",
    }  # fmt: skip


def shard_record() -> dict:
    """What a shard says once: see the schema's shard fields."""
    asset = load_asset()
    return {
        "faces": asset.faces, "face_part": asset.face_part, "arm_faces": arm_of(asset)[1], "release": "test",
        "shard": 0, "licence": "CC0-1.0",
        "configuration": json.dumps({"release": {"name": "test"}}), "configuration_hash": "0" * 16,
        "package_versions": json.dumps({"numpy": "1.26.4"}), "device": "CPU", "retarget": "directions",
        "spin_mode": "palm",
    }  # fmt: skip
