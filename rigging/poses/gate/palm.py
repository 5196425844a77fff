"""How rigid the palm is: wrist and MCPs, and the thumb's CMC as far as it does not follow its thumb."""

from __future__ import annotations

import numpy as np

from ...geometry.rotations import kabsch

RIGID_JOINTS = (0, 5, 9, 13, 17)  # the wrist and the MCPs of the four fingers
_RIDGE = 1e-3  # variance of a direction, below which the thumb counts as still


def palm_residual(joints: np.ndarray, group: np.ndarray) -> np.ndarray:
    """How far (N,) metres the worst palm joint of joints (N, 21, 3) is from where its subject has it.

    Wrist and MCPs are compared with the subject's median palm, scaled and turned onto the frame's; the thumb's CMC, in
    that palm's frame, with its median place or with where it goes for such a direction of the thumb, whichever is
    nearer: anatomy and most data sets keep it still, some devices move it with the thumb. `group` (N,) numbers the
    subject of each frame; a negative number means unknown and gives 0. No joints of a palm may coincide.
    """
    result = np.zeros(len(joints))
    for value in np.unique(group[group >= 0]):
        rows = group == value
        local, size, reference = in_palm_frame(np.asarray(joints[rows], float))
        rigid = np.linalg.norm(local[:, RIGID_JOINTS] - reference, axis=-1).max(1)
        result[rows] = np.maximum(rigid, carpometacarpal_residual(local)) * size
    return result


def in_palm_frame(joints: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Joints (N, 21, 3) of one person turned onto their median palm and divided by their palm's size (N,) metres.

    Also returns that size and the median palm (5, 3), in the order of RIGID_JOINTS.
    """
    palm = joints[:, RIGID_JOINTS]
    centre = palm.mean(1, keepdims=True)
    size = np.sqrt(((palm - centre) ** 2).sum((1, 2)))
    shape, local = (palm - centre) / size[:, None, None], (joints - centre) / size[:, None, None]
    reference = shape[0] @ _axes(shape[0])
    for _ in range(2):  # the median of shapes turned onto the first, then onto that median
        turn = kabsch(shape, np.broadcast_to(reference, shape.shape))
        reference = np.median(np.einsum("nij,nkj->nki", turn, shape), axis=0)
    turn = kabsch(shape, np.broadcast_to(reference, shape.shape))
    return np.einsum("nij,nkj->nki", turn, local), size, reference


def _axes(palm: np.ndarray) -> np.ndarray:
    """Axes (3, 3), in columns, along, across and out of a palm (5, 3): medians along them turn with the hand."""
    along = palm[2] - palm[0]
    out = np.cross(along, palm[1] - palm[4])
    axes = np.stack([along, np.cross(out, along), out], axis=1)
    return axes / np.linalg.norm(axes, axis=0)


def carpometacarpal_residual(local: np.ndarray) -> np.ndarray:
    """How far (N,) the thumb's CMC is from where it belongs, for joints `local` (N, 21, 3) in palm frames.

    Its place is predicted linearly from the directions of the thumb's metacarpal and proximal phalanx, frame by frame
    from all the OTHER frames (ridge regression, residuals left one out), so that a single wrong frame has nothing that
    explains it. The unit is that of `local`.
    """
    offset = local[:, 1] - np.median(local[:, 1], axis=0)
    bones = local[:, 2:4] - local[:, 1:3]
    directions = (bones / np.linalg.norm(bones, axis=-1, keepdims=True)).reshape(-1, 6)
    x, y = directions - directions.mean(0), offset - offset.mean(0)
    hat = x @ np.linalg.inv(x.T @ x + _RIDGE * len(x) * np.eye(6))
    leverage = 1 / len(x) + (hat * x).sum(1)
    left_out = (y - hat @ (x.T @ y)) / np.maximum(1 - leverage, 1e-9)[:, None]
    return np.minimum(np.linalg.norm(offset, axis=-1), np.linalg.norm(left_out, axis=-1))
