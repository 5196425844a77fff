"""The thumb's base (CMC) of hands whose source has none, estimated from how the thumb's MCP moves in the palm."""

from __future__ import annotations

import numpy as np

from ...hand.asset import load_asset

WRIST, CMC, THUMB_MCP, INDEX_MCP, MIDDLE_MCP, LITTLE_MCP = 0, 1, 2, 5, 9, 17
PRIOR_M = 0.005  # how far the CMC of a person may be from where it lies in our hand, scaled to the palm
NOISE_M = 0.002  # of the MCP's distance from it


def palm_frame(joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotation (N, 3, 3), columns distal, radial, palmar, and wrist to middle MCP (N,), of joints (N, 21, 3)."""
    wrist = joints[:, WRIST]
    distal = joints[:, MIDDLE_MCP] - wrist
    size = np.linalg.norm(distal, axis=-1)
    palmar = np.cross(joints[:, INDEX_MCP] - wrist, joints[:, LITTLE_MCP] - wrist)
    radial = np.cross(distal, palmar)
    palmar = np.cross(radial, distal)
    axes = np.stack([distal, radial, palmar], axis=-1)
    return axes / np.linalg.norm(axes, axis=1, keepdims=True), size


def with_thumb_base(joints: np.ndarray) -> np.ndarray:
    """Joints (N, 21, 3) in metres of one person's right hands, with joint 1 filled in.

    In the palm's frame the thumb's MCP moves on a sphere around the CMC. Its centre c and radius solve
    |m|^2 = 2 m.c + (r^2 - |c|^2), linear in c and the bracket, by least squares with a prior: where our
    own hand has it.
    """
    joints = np.array(joints, float)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        axes, size = palm_frame(joints)
        local = np.einsum("nji,nj->ni", axes, joints[:, THUMB_MCP] - joints[:, WRIST]) / size[:, None]
    usable = np.isfinite(local).all(-1) & (np.linalg.norm(np.nan_to_num(local), axis=-1) < 2)
    if not usable.any():
        return joints
    centre = _sphere_centre(local[usable], float(np.median(size[usable])))
    joints[:, CMC] = joints[:, WRIST] + np.einsum("nij,j->ni", axes, centre) * size[:, None]
    return joints


def _sphere_centre(points: np.ndarray, size: float) -> np.ndarray:
    """Centre (3,) of the sphere that `points` (N, 3) lie on, all in palm lengths of `size` metres."""
    rest = np.asarray(load_asset().joints, float)[None]
    axes, length = palm_frame(rest)
    prior = axes[0].T @ (rest[0, CMC] - rest[0, WRIST]) / length[0]
    radius = np.linalg.norm(points - prior, axis=-1).mean()
    weight = 2 * radius * (NOISE_M / size) / (PRIOR_M / size)  # residuals are of |m|^2: 2 r times a distance
    system = np.concatenate([np.c_[2 * points, np.ones(len(points))], weight * np.eye(3, 4)])
    values = np.concatenate([(points**2).sum(-1), weight * prior])
    return np.linalg.lstsq(system, values, rcond=None)[0][:3]
