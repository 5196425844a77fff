"""The thumb's base (CMC) of hands whose source has none, estimated from how the thumb's MCP moves in the palm."""

from __future__ import annotations

from functools import cache

import numpy as np

from ...hand.asset import load_asset

WRIST, CMC, THUMB_MCP, INDEX_MCP, MIDDLE_MCP, LITTLE_MCP = 0, 1, 2, 5, 9, 17
PRIOR_M = 0.005  # how far the CMC of a person may be from where it lies in our hand, scaled to the palm
FARTHEST_M = 0.015  # ... and at most
NOISE_M = 0.002  # of the MCP's distance from it
PALM_M = (0.03, 0.2)  # wrist to middle MCP of frames to go by, and the thumb MCP's distance from the wrist in these
REACH = (0.3, 1.5)


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
        reach = np.linalg.norm(local, axis=-1)
        usable = (size > PALM_M[0]) & (size < PALM_M[1]) & (reach > REACH[0]) & (reach < REACH[1])
        if usable.any():
            centre = _sphere_centre(local[usable], float(np.median(size[usable])))
            joints[:, CMC] = joints[:, WRIST] + axes @ centre * size[:, None]
    return joints


def _sphere_centre(points: np.ndarray, size: float) -> np.ndarray:
    """Centre (3,) of the sphere that `points` (N, 3) lie on, all in palm lengths of `size` metres."""
    prior = _prior()
    radius = np.linalg.norm(points - prior, axis=-1).mean()
    weight = 2 * radius * NOISE_M / PRIOR_M  # residuals are of |m|^2: 2 r times a distance
    system = np.concatenate([np.c_[2 * points, np.ones(len(points))], weight * np.eye(3, 4)])
    values = np.concatenate([(points**2).sum(-1), weight * prior])
    shift = np.linalg.lstsq(system, values, rcond=None)[0][:3] - prior
    return prior + shift * min(1.0, FARTHEST_M / size / max(float(np.linalg.norm(shift)), 1e-9))


@cache
def _prior() -> np.ndarray:
    """The CMC (3,) of our own hand in its palm's frame, in palm lengths."""
    rest = np.asarray(load_asset().joints, float)[None]
    axes, size = palm_frame(rest)
    return axes[0].T @ (rest[0, CMC] - rest[0, WRIST]) / size[0]
