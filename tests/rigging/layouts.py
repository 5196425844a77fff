"""Synthetic hands, and writers that put them on disk in the layouts of the real data sets."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import scipy.io

from rigging.fingers.kinematics import ANGLE_NAMES, Skeleton, forward, skeleton
from rigging.geometry.rotations import axis_angle, random_rotation
from rigging.hand.asset import load_asset
from rigging.joints import JOINT_PARENTS
from rigging.poses.readers.permutations import JOINT_ORDERS
from rigging.poses.readers.webxr import WEBXR_NAMES

NYU_NAMES = tuple(
    f"{finger}_KNU{number}_{letter}"
    for finger in ("F1", "F2", "F3", "F4", "TH")
    for number in (3, 2, 1)
    for letter in "AB"
) + tuple(f"PALM_{i}" for i in range(1, 7))
INTRINSICS = [[480.0, 0, 112], [0, 480, 112], [0, 0, 1]]


def hand(bend: np.ndarray | float, spread: float = 0.05) -> np.ndarray:
    """Joints (T, 21, 3) in metres of right hands whose fingers are bent by `bend` (T,) radians at each joint."""
    bend = np.atleast_1d(np.asarray(bend, float))
    angles = np.zeros((len(bend), len(ANGLE_NAMES)))
    for column, name in enumerate(ANGLE_NAMES):
        if name.endswith(("mcp_flex", "pip")):
            angles[:, column] = bend
        elif name.endswith("dip"):
            angles[:, column] = 2 / 3 * bend
        elif name.endswith("_abd"):
            angles[:, column] = spread if name.startswith(("thumb", "index")) else -spread  # away from the middle
    angles[:, ANGLE_NAMES.index("thumb_radial")] = 0.7
    angles[:, ANGLE_NAMES.index("thumb_palmar")] = 0.5
    angles[:, ANGLE_NAMES.index("thumb_ip")] = 0.2
    return forward(_our_skeleton(), angles)


@cache
def _our_skeleton() -> Skeleton:
    return skeleton(load_asset())


def moving_hand(frames: int, seed: int = 0) -> np.ndarray:
    """Joints (frames, 21, 3), metres, of a right hand that opens and closes while it drifts and turns, 0.7 m away."""
    rng = np.random.default_rng(seed)
    time = np.linspace(0, 1, frames) if frames > 1 else np.zeros(1)
    joints = hand(0.35 + 0.25 * np.sin(5 * time))
    axis = rng.normal(size=3)
    turn = axis_angle(axis / np.linalg.norm(axis), 0.3 * time) @ random_rotation(rng)
    drift = np.array([0.02, -0.03, 0.7]) + 0.05 * time[:, None] * rng.normal(size=3)
    return np.einsum("tij,tkj->tki", turn, joints) + drift[:, None]


def mirrored(joints: np.ndarray) -> np.ndarray:
    return joints * (-1, 1, 1)


def in_order(name: str, joints: np.ndarray) -> np.ndarray:
    """Canonical joints (..., 21, 3) as points (..., K, 3) of an order; points it has beyond our 21 are 0."""
    order = JOINT_ORDERS[name]
    points = np.zeros((*joints.shape[:-2], order.count, 3))
    points[..., list(order.indices), :] = joints
    return points


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def write_hanco(
    root: Path, sequences: list[np.ndarray], has_fit: list[list[bool]], is_valid: list[list[bool]]
) -> tuple[np.ndarray, np.ndarray]:
    """A HanCo tree of sequences of world joints (T, 21, 3); returns K (8, 3, 3) and M (8, 4, 4) of its cameras."""
    rng = np.random.default_rng(1)
    K = np.tile(INTRINSICS, (8, 1, 1))
    M = np.tile(np.eye(4), (8, 1, 1))
    M[:, :3, :3] = random_rotation(rng, 8)
    M[:, :3, 3] = rng.normal(size=(8, 3))
    for sequence, joints in enumerate(sequences):
        for frame, xyz in enumerate(joints):
            tail = Path(f"{sequence:04d}") / f"{frame:08d}.json"
            write_json(root / "calib" / tail, {"K": K.tolist(), "M": M.tolist()})
            if has_fit[sequence][frame]:
                write_json(root / "xyz" / tail, xyz.tolist())
    same = [[True] * len(joints) for joints in sequences]
    write_json(
        root / "meta.json",
        {
            "is_train": same,
            "subject_id": [[3 + s] * len(joints) for s, joints in enumerate(sequences)],
            "is_valid": is_valid,
            "object_id": [[None] * len(joints) for joints in sequences],
            "has_fit": has_fit,
        },
    )
    return K, M


def write_freihand(root: Path, joints: np.ndarray, split: str = "training") -> None:
    write_json(root / f"{split}_xyz.json", joints.tolist())
    write_json(root / f"{split}_K.json", [INTRINSICS] * len(joints))


def write_interhand(
    root: Path, right: np.ndarray, left: np.ndarray, valid: np.ndarray, frames: list[int], split: str = "train"
) -> None:
    """Capture 0, one sequence: hands (T, 21, 3) in metres, canonical, and valid (T, 42) in the data set's order."""
    points = 1e3 * np.concatenate([in_order("interhand", right), in_order("interhand", left)], axis=1)
    folder = root / "annotations" / split
    write_json(
        folder / f"InterHand2.6M_{split}_joint_3d.json",
        {
            "0": {
                str(frame): {"world_coord": p.tolist(), "joint_valid": v[:, None].astype(int).tolist()}
                for frame, p, v in zip(frames, points, valid)
            }
        },
    )
    images = [{"capture": 0, "seq_name": "ROM01", "camera": "400262", "frame_idx": frame} for frame in frames]
    write_json(folder / f"InterHand2.6M_{split}_data.json", {"images": images, "annotations": []})


def webxr_matrices(joints: np.ndarray) -> np.ndarray:
    """(T, 25, 4, 4) from joints (T, 21, 3); finger metacarpals start at a third of the way to the MCP."""
    points = in_order("webxr25", joints)
    for metacarpal in (5, 10, 15, 20):
        points[:, metacarpal] = points[:, 0] + (points[:, metacarpal + 1] - points[:, 0]) / 3
    matrices = np.tile(np.eye(4), (*points.shape[:2], 1, 1))
    matrices[..., :3, 3] = points
    return matrices


def write_webxr_json(path: Path, joints: np.ndarray, handedness: str) -> None:
    frames = [
        {"joints": {name: {"position": m[:3, 3].tolist(), "radius": 0.01} for name, m in zip(WEBXR_NAMES, matrices)}}
        for matrices in webxr_matrices(joints)
    ]
    write_json(path, {"handedness": handedness, "fps": 30, "frames": frames})


# Bones 1 to 20 of the data set's rig at scale 58, mm.
NYU_LENGTHS = (
    42.0, 59.6, 45.7, 35.2, 107.2, 58.2, 23.2, 33.8, 114.4, 52.3, 37.3, 27.2,
    111.7, 51.3, 20.3, 32.9, 108.4, 32.5, 24.8, 24.9
)  # fmt: skip


def nyu_hand(frames: int, seed: int = 0) -> np.ndarray:
    """`moving_hand` with the bone lengths of the NYU rig."""
    joints, source = np.zeros((frames, 21, 3)), moving_hand(frames, seed)
    joints[:, 0] = source[:, 0]
    for bone in range(1, 21):
        parent = JOINT_PARENTS[bone]
        step = source[:, bone] - source[:, parent]
        joints[:, bone] = joints[:, parent] + 1e-3 * NYU_LENGTHS[bone - 1] * step / np.linalg.norm(
            step, axis=-1, keepdims=True
        )
    return joints


def nyu_points(joints: np.ndarray) -> np.ndarray:
    """36 sphere centres (T, 36, 3) in mm, right-handed, whose bones are those of `joints` (T, 21, 3) in metres.

    The spheres sit where the data set's rig has them: the naive inverse, sphere by sphere, of the reader's correction.
    PALM_1..3 are the rig's rigid triangle at scale 58, laid along the hand's own palm; tips are on the skin.
    """
    return np.stack([_nyu_frame(frame * 1e3) for frame in joints])


def _nyu_frame(joints: np.ndarray) -> np.ndarray:
    wrist = joints[0]
    distal = (joints[9] - wrist) / np.linalg.norm(joints[9] - wrist)
    normal = np.cross(joints[5] - wrist, joints[17] - wrist)
    radial = np.cross(distal, normal) / np.linalg.norm(np.cross(distal, normal))
    palmar = np.cross(radial, distal)
    points = np.zeros((36, 3))
    for row, (r, d, p) in zip((30, 31, 32), ((-17.67, 5.8, 3.71), (17.67, 5.8, 3.71), (0, 85.07, 0))):
        points[row] = wrist + r * radial + d * distal + p * palmar
    points[33:36] = wrist
    points[29] = joints[1]
    _place_finger(points, 18, joints[5:9], radial, (5.5, 13.7, 3.0, 0.2, 1.0, 2.0, 2.2))
    _place_finger(points, 12, joints[9:13], radial, (6.0, -0.1, -2.4, 1.0, 3.0, 0.5, 0.6))
    _place_finger(points, 6, joints[13:17], radial, (6.0, 10.5, -4.5, -4.2, 1.0, 6.5, 9.9))
    _place_finger(points, 0, joints[17:21], radial, (5.0, 6.4, 3.0, 1.1, 4.0, 2.3, 7.2))
    mcp, ip, tip = joints[2:5]
    distal, proximal = _unit(tip - ip), _unit(ip - mcp)
    points[24], points[25], points[27] = tip - 6 * distal, ip + 4.6 * distal, mcp + 1.5 * proximal
    points[26], points[28] = (mcp + ip) / 2, (joints[1] + mcp) / 2
    return points


def _place_finger(points: np.ndarray, start: int, joints: np.ndarray, radial: np.ndarray, table: tuple) -> None:
    """Spheres KNU3_A, 3_B, 2_A, 2_B, 1_A, 1_B of a finger with joints MCP, PIP, DIP, tip (4, 3)."""
    radius, dip_along, dip_palmar, pip_along, pip_palmar, mcp_along, mcp_palmar = table
    mcp, pip, dip, tip = joints
    proximal, middle, distal = _unit(pip - mcp), _unit(dip - pip), _unit(tip - dip)
    pulp = tip - radius * distal
    points[start] = pulp
    points[start + 1] = _sphere_on_distal(dip, pulp, radial, dip_along, dip_palmar)
    points[start + 3] = pip + pip_along * middle + pip_palmar * _unit(np.cross(radial, middle))
    points[start + 2] = points[start + 3] + 10 * middle
    points[start + 5] = mcp + mcp_along * proximal + mcp_palmar * _unit(np.cross(radial, proximal))
    points[start + 4] = (mcp + pip) / 2


def _sphere_on_distal(dip: np.ndarray, pulp: np.ndarray, radial: np.ndarray, along: float, palmar: float) -> np.ndarray:
    """KNU3_B such that going back `along` the line to the pulp and `palmar` across it reaches the DIP."""
    sphere = dip + along * _unit(pulp - dip)
    for _ in range(60):
        line = _unit(pulp - sphere)
        sphere = dip + along * line + palmar * _unit(np.cross(radial, line))
    return sphere


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def nyu_array(joints: np.ndarray) -> np.ndarray:
    """`joint_xyz` (3, T, 36, 3): mm, y up, the three views rigid transforms of each other."""
    points = nyu_points(joints)
    rng = np.random.default_rng(2)
    views = [points, *(points @ random_rotation(rng).T + (30.0, -20.0, 90.0) for _ in range(2))]
    return np.stack(views) * (1, -1, 1)


def write_nyu(path: Path, joint_xyz: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    names = np.empty((1, 36), dtype=object)
    names[0] = NYU_NAMES
    scipy.io.savemat(path, {"joint_names": names, "joint_xyz": joint_xyz, "joint_uvd": joint_xyz})
