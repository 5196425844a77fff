"""Coverage of pose space: joint angles, distances to a reference set, clusters."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.cluster.vq import kmeans2, vq
from scipy.spatial import cKDTree

from rigging.errors import InputError
from rigging.fingers.limits import LIMITS
from rigging.hand.asset import load_asset
from rigging.joints import FINGER_NAMES
from rigging.poses.gate.gate import gate_source
from rigging.poses.registry import open_source
from rigging.poses.sampling.angles import joint_angles
from rigging.poses.sampling.diversity import palm_features

USUAL_REFERENCE = "procedural?seed=987654321,count=4000"  # poses within the joints' limits; no release has that seed
MOST_REFERENCE = 20_000  # poses of a reference set, evenly apart
BINS = np.arange(-60, 126, 5)  # degrees
CLUSTERS = 16
ROUNDS = 30  # of k-means
AT_LIMIT = 0.05  # degrees; what lies beyond a limit is read as the limit
THUMB = (("cmc", "flexion"), ("cmc", "abduction"), ("mcp", "flexion"), ("mcp", "abduction"), ("ip", "flexion"))
FINGER = (("mcp", "flexion"), ("mcp", "abduction"), ("pip", "flexion"), ("dip", "flexion"))
ANGLES = (
    *((f"thumb_{joint}", motion) for joint, motion in THUMB),
    *((f"{finger}_{joint}", motion) for finger in FINGER_NAMES[1:] for joint, motion in FINGER),
    ("wrist", "flexion"), ("wrist", "abduction"),
)  # fmt: skip
INWARD = 1 - 1e-6  # so that an angle at its limit counts on this side of it
QUANTILES = (5, 25, 50, 75, 95)


@dataclass(frozen=True)
class PoseReference:
    """A set of poses that a release is held against."""

    name: str  # as given, without the folders of this machine
    features: np.ndarray  # (R, 60), see `palm_features`
    angles: np.ndarray  # (R, 21) degrees, of the fingers


def read_reference(spec: str) -> PoseReference:
    """The poses of a source (docs/poses.md) that its gate lets through. Raises PoseError, InputError for none."""
    clips = gate_source(open_source(spec)).clips
    joints = [clip.joints for clip in clips]
    if not joints:
        raise InputError(f"--poses {spec}: no pose is left to compare with")
    poses = np.concatenate(joints)
    poses = poses[:: -(-len(poses) // MOST_REFERENCE)]
    source, colon, path = spec.partition("?")[0].partition(":")
    name = source + colon + path.rstrip("/").rpartition("/")[2]
    return PoseReference(name, palm_features(poses), np.degrees(joint_angles(load_asset(), poses)))


def all_angles(joints: np.ndarray, wrist: np.ndarray) -> np.ndarray:
    """ANGLES (S, 23) in degrees of joints (S, 21, 3), of right hands, and wrist angles (S, 2) rad."""
    return np.degrees(np.concatenate([joint_angles(load_asset(), joints), wrist], axis=1))


def angle_table(angles: np.ndarray) -> list[dict[str, Any]]:
    """Of each of ANGLES (S, 23) degrees: histogram over BINS, quantiles, and how much of the joint's range occurs."""
    return [_angle(*name, column) for name, column in zip(ANGLES, angles.T)]


def _angle(joint: str, motion: str, values: np.ndarray) -> dict[str, Any]:
    low, high = np.degrees(getattr(LIMITS[joint], motion))
    at_limit = (values < low + AT_LIMIT) | (values > high - AT_LIMIT)
    return {
        "joint": joint, "motion": motion, "limits": [float(low), float(high)],
        "quantiles": quantiles(values), "at_limit": float(at_limit.mean()),
        "range_covered": range_covered(values, low, high),
        "counts": np.histogram(np.clip(INWARD * values, BINS[0], BINS[-1]), BINS)[0].tolist(),
    }  # fmt: skip


def range_covered(values: np.ndarray, low: float, high: float) -> float:
    """Share of the 5 degree steps from `low` to `high` in which at least one of values (S,) degrees lies."""
    steps = max(1, round((high - low) / 5))
    inside = values[(values >= low) & (values < high)]
    return len(np.unique(((inside - low) / (high - low) * steps).astype(int))) / steps


def quantiles(values: np.ndarray) -> dict[str, float]:
    """QUANTILES of values (N,) by name, `p50` say."""
    return {f"p{q}": float(value) for q, value in zip(QUANTILES, np.percentile(values, QUANTILES))}


def nearest(poses: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(S,) distance of each of poses (S, 60) to the nearest of others (R, 60), in palm lengths (rms over joints)."""
    return cKDTree(others).query(poses)[0]


def nearest_angles(angles: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(S,) distance of each of angles (S, 21) to the nearest of others (R, 21), in degrees (rms over the angles)."""
    return nearest(angles, others) / np.sqrt(angles.shape[1])


def nearest_other(poses: np.ndarray, pair: np.ndarray) -> np.ndarray:
    """(S,) distance of each of poses (S, 60) to the nearest one of another pair (S,); inf for a single pair."""
    tree, most = cKDTree(poses), int(np.unique(pair, return_counts=True)[1].max()) + 1
    distance, place = tree.query(poses, k=[*range(1, most + 1)])
    foreign = (place < len(poses)) & (pair[np.minimum(place, len(poses) - 1)] != pair[:, None])
    return np.where(foreign, distance, np.inf).min(1)


def cluster(angles: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Clusters of poses by joint angles (S, 23) degrees: labels (S,), largest first, and the most typical pose of each.

    k-means, the clusters that stayed empty left out; the second array (K,) holds indices of poses.
    """
    count = min(CLUSTERS, len(angles))
    start = angles[np.sort(rng.choice(len(angles), count, replace=False))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a cluster that becomes empty is left out
        centres = kmeans2(angles, np.unique(start, axis=0), iter=ROUNDS, minit="matrix")[0]
    label, distance = vq(angles, centres)
    order = np.argsort(-np.bincount(label, minlength=len(centres)), kind="stable")
    label = np.argsort(order)[label]
    kept = range(label.max() + 1)
    typical = [np.flatnonzero(label == k)[np.argmin(distance[label == k])] for k in kept]
    return label, np.array(typical)


def effective_number(counts: np.ndarray) -> float:
    """exp of the entropy of counts (K,): how many equally large classes are as diverse (Hill 1973, order 1)."""
    share = counts[counts > 0] / counts.sum()
    return float(np.exp(-(share * np.log(share)).sum()))
