"""MakeHuman's skin weights on our 21 bones."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix, diags

from ..joints import PALM_BONES

PALM_SPREAD = 0.012  # m, softness of the palm's split over its five bones
LOOSE_FROM, RIGID_FROM = -0.01, -0.05  # m behind the wrist: between them the hand's influence on the forearm ends
SMOOTH_REACH, SMOOTH_STEPS = 0.03, 12  # m on both sides of the wrist
MAX_INFLUENCES = 4
NEGLIGIBLE = 1e-4

# our bone -> bones of MakeHuman's default rig (right side)
SOURCE_BONES = {
    0: ("lowerarm01", "lowerarm02"),
    2: ("finger1-1",), 3: ("finger1-2",), 4: ("finger1-3",),
    **{4 * f + 1: (f"metacarpal{f}",) for f in range(1, 5)},
    **{4 * f + 1 + k: (f"finger{f + 1}-{k}",) for f in range(1, 5) for k in range(1, 4)},
}  # fmt: skip


def bone_weights(
    source: dict[str, list[tuple[int, float]]],
    body_vertices: np.ndarray,
    quads: np.ndarray,
    vertices: np.ndarray,
    joints: np.ndarray,
) -> np.ndarray:
    """(N, 21) weights of the hand's body vertices, rows summing to 1.

    quads: (Q, 4) of the hand in terms of these; vertices: (N, 3) m; joints: (21, 3) m. MakeHuman's single palm bone
    (`wrist`) is shared out between the five bones that start at the wrist by distance, since each may turn on its own.
    """
    count = int(body_vertices.max()) + 1
    weights = np.zeros((len(body_vertices), 21))
    for bone, names in SOURCE_BONES.items():
        for name in names:
            weights[:, bone] += _dense(source[f"{name}.R"], count)[body_vertices]
    palm = _dense(source["wrist.R"], count)[body_vertices]
    distance = np.stack([segment_distance(vertices, joints[0], joints[bone]) for bone in PALM_BONES], axis=1)
    share = np.exp(-(distance**2 - distance.min(1, keepdims=True) ** 2) / (2 * PALM_SPREAD**2))
    weights[:, list(PALM_BONES)] += palm[:, None] * share / share.sum(1, keepdims=True)
    weights = smooth_wrist(weights / weights.sum(1, keepdims=True), vertices[:, 1], quads)
    return rigid_forearm(weights, vertices[:, 1])


def rigid_forearm(weights: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Weights (N, 21) that leave the forearm alone, all the more the further behind the wrist (`along` < 0, m).

    The arm beyond the cut moves rigidly with bone 0, so the cut must do so exactly.
    """
    near = np.clip((along - RIGID_FROM) / (LOOSE_FROM - RIGID_FROM), 0, 1)
    others = weights * (near * near * (3 - 2 * near))[:, None]
    others[:, 0] = 0
    others[:, 0] = 1 - others.sum(1)
    return others


def smooth_wrist(weights: np.ndarray, along: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """Weights (N, 21) averaged over neighbours again and again around the wrist, so that it bends in a wide arc."""
    sides = np.concatenate([quads[:, [0, 1]], quads[:, [1, 2]], quads[:, [2, 3]], quads[:, [3, 0]]])
    links = coo_matrix((np.ones(len(sides)), tuple(sides.T)), shape=(len(weights), len(weights)))
    links = csr_matrix(links + links.T)
    mean = diags(1 / np.asarray(links.sum(1)).ravel()) @ links
    share = np.interp(along, [-SMOOTH_REACH, -SMOOTH_REACH / 2, SMOOTH_REACH / 2, SMOOTH_REACH], [0, 1, 1, 0])[:, None]
    for _ in range(SMOOTH_STEPS):
        weights = (1 - 0.5 * share) * weights + 0.5 * share * (mean @ weights)
    return weights


def strongest(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(V, 4) bones and weights: the four largest, rows summing to 1."""
    weights = np.where(weights < NEGLIGIBLE, 0, weights)
    bones = np.argsort(-weights, axis=1, kind="stable")[:, :MAX_INFLUENCES]
    values = np.take_along_axis(weights, bones, axis=1)
    bones = np.where(values > 0, bones, bones[:, :1])
    return bones.astype(np.uint8), values / values.sum(1, keepdims=True)


def segment_distance(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(N,) distance of points (N, 3) from a segment."""
    along = end - start
    share = np.clip((points - start) @ along / (along @ along), 0, 1)
    return np.linalg.norm(points - start - share[:, None] * along, axis=1)


def _dense(pairs: list[tuple[int, float]], count: int) -> np.ndarray:
    dense = np.zeros(count)
    for vertex, weight in pairs:
        if vertex < count:
            dense[vertex] = weight
    return dense
