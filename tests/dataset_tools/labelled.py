"""A sample of exact labels without a renderer, of either hand of one plan, and the same labels by ray casting.

Labels are those of `blender_scripts.labels`, whose rasteriser is another implementation than Embree's.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import trimesh
from records import arm_of, barycentric, poses

from blender_scripts.labels.hand import label_hand, make_surface, surface_normals
from dataset_tools.load.dataset import outward
from dataset_tools.load.derive import derive
from rigging.geometry.cameras import CameraSettings, palm_frame, ring
from rigging.hand.asset import load_asset
from rigging.spin.posed import PosedHand, mirror_posed

SIZE = 72


@dataclass(frozen=True)
class Labelled:
    """A sample as the loader returns it, and what is not in it: where hand and arm are at t - 1 and t + 1."""

    sample: dict
    before: np.ndarray  # (N + A, 3) m
    after: np.ndarray  # (N + A, 3) m


def labelled(
    left: bool = False, views: int = 8, size: int = SIZE, seed: int = 0, lens: tuple[float, ...] | None = None
) -> Labelled:
    """A sample of a right hand, or of the left hand of the same plan; its cameras do not draw a phase.

    All cameras have the `lens` k1, k2, p1, p2, k3.
    """
    asset, hand = load_asset(), len(load_asset().template)
    arm, arm_faces = arm_of(asset)
    rest = PosedHand(asset.template, asset.joints, arm, np.tile(np.eye(3), (21, 1, 1)))
    hands = [rest.placed(pose[:3, :3], pose[:3, 3]) for pose in poses(asset, np.random.default_rng(seed))]
    hands = [mirror_posed(posed) for posed in hands] if left else hands
    placed = [as_stored(np.concatenate([posed.vertices, posed.arm_vertices])) for posed in hands]
    joints = as_stored(hands[1].joints)
    settings = CameraSettings(views=views, image_size=size, phase=False, fill=0.9, focal=(2.0, 2.0), zoom="ring")
    cameras = ring(palm_frame(joints), placed[1][:hand], settings, np.random.default_rng(seed))
    surface = make_surface(asset, arm_faces, arm_joined=True, left=left)
    before, now, after = placed
    scene = (surface, now, joints, cameras.K, cameras.world_to_cam, (size, size), before, after)
    lenses = {} if lens is None else {"distortion": np.tile(lens, (views, 1))}
    sample = label_hand(*scene, **lenses)
    sample |= lenses | {
        "K": cameras.K, "world_to_cam": cameras.world_to_cam, "joints_world": joints.astype(np.float32),
        "vertices_world": now[:hand].astype(np.float32), "arm_vertices_world": now[hand:].astype(np.float32),
        "alpha": np.where(sample["parts"] > 0, 255, 0).astype(np.uint8),
        "rgb": np.rint(127.5 * (1 + sample["normals"])).astype(np.uint8),
        "meta": {"hand": "left" if left else "right", "mirrored": left, "subject": 3,
                 "source_joints": (joints * 1.01).astype(np.float32)},
    }  # fmt: skip
    sample |= {name: derive(name, sample) for name in ("mask", "joints_cam", "joints_2d")}
    sample["amodal_mask"] = sample["mask"].copy()
    return Labelled(sample, before, after)


def labels_anew(moved: dict, before: np.ndarray, after: np.ndarray, size: tuple[int, int]) -> dict:
    """All labels of a moved sample, made from its meshes and cameras; size (width, height) px."""
    surface = make_surface(load_asset(), arm_of(load_asset())[1], True, left=moved["meta"]["hand"] == "left")
    now = np.concatenate([moved["vertices_world"], moved["arm_vertices_world"]])
    scene = (surface, now, moved["joints_world"], moved["K"], moved["world_to_cam"], size, before, after)
    return label_hand(*scene, distortion=moved.get("distortion"))


def rays_of(pixels: np.ndarray, K: np.ndarray, lens: np.ndarray) -> np.ndarray:
    """Directions (P, 3), z = 1, that pixels (P, 2) px of a camera K (3, 3) with a lens (5,) look along; by OpenCV."""
    plane = (np.concatenate([pixels, np.ones((len(pixels), 1))], axis=1) @ np.linalg.inv(K).T)[:, None, :2]
    stop = (cv2.TERM_CRITERIA_MAX_ITER + cv2.TERM_CRITERIA_EPS, 500, 1e-15)
    xy = cv2.undistortPointsIter(np.ascontiguousarray(plane), np.eye(3), lens, None, None, stop)[:, 0]
    return np.concatenate([xy, np.ones((len(pixels), 1))], axis=1)


def image_of(local: np.ndarray, K: np.ndarray, lens: np.ndarray) -> np.ndarray:
    """Pixels (P, 2) of points (P, 3) m in a camera K (3, 3) px with a lens (5,); by OpenCV."""
    plane = cv2.projectPoints(local, np.zeros(3), np.zeros(3), np.eye(3), lens)[0][:, 0]
    return plane @ K[:2, :2].T + K[:2, 2]


def as_stored(points: np.ndarray) -> np.ndarray:
    """Points as float32 keeps them."""
    return points.astype(np.float32).astype(np.float64)


def cast_labels(moved: dict, before: np.ndarray, after: np.ndarray, view: int, pixels: np.ndarray) -> dict:
    """Labels of one view of a moved sample at `pixels` (P, 2) px, by ray casting its meshes with its own cameras."""
    asset = load_asset()
    arm_faces = arm_of(asset)[1]
    left = moved["meta"]["hand"] == "left"
    surface = make_surface(asset, arm_faces, arm_joined=True, left=left)
    vertices = np.concatenate([moved["vertices_world"], moved["arm_vertices_world"]]).astype(float)
    faces = outward(np.concatenate([asset.faces, arm_faces + len(asset.template)]), moved["meta"]["hand"])
    assert np.array_equal(faces, surface.faces)  # what a user draws is what was labelled
    K, world_to_cam = moved["K"][view], moved["world_to_cam"][view]
    turn, shift = world_to_cam[:3, :3], world_to_cam[:3, 3]
    lens = moved["distortion"][view] if "distortion" in moved else np.zeros(5)
    rays = rays_of(pixels, K, lens)
    mesh = trimesh.Trimesh(vertices, faces, process=False)
    triangle = mesh.ray.intersects_first(np.broadcast_to(-turn.T @ shift, rays.shape), rays @ turn)
    seen = triangle >= 0
    depth, weights = barycentric((vertices @ turn.T + shift)[faces], triangle[seen], rays[seen])
    corners = faces[triangle[seen]]

    def full(values: np.ndarray) -> np.ndarray:
        out = np.zeros((len(pixels), *values.shape[1:]))
        out[seen] = values
        return out

    normals = (surface_normals(vertices, surface)[corners] * weights[..., None]).sum(1) @ turn.T
    out = {
        "parts": full(surface.face_part[triangle[seen]]), "depth": full(depth),
        "normals": full(normals / np.linalg.norm(normals, axis=1, keepdims=True)),
    }  # fmt: skip
    for name, points in (("flow_backward", before), ("flow_forward", after)):
        image = image_of((points[corners] * weights[..., None]).sum(1) @ turn.T + shift, K, lens)
        out[name] = full(image - pixels[seen])
    return out
