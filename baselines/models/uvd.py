"""Points as (u, v, d), Ge et al.'s parametrisation (CVPR 2019), and back in camera axes.

u and v are pixels over the crop's side, 0 to 1; d is the depth from the root (the wrist) over the hand's scale, the
length of the middle finger's proximal bone.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rigging.errors import InputError

from ..batch import Batch
from ..geometry.camera import SCALE_BONE, depth_from_size, project, unproject

CENTRE = (0.5, 0.5, 0.0)  # of the crop, at the root's depth
DEEPEST = 6.0  # scales from the wrist; a hand is 5.6 of them long
OUTSIDE = (-1.0, 2.0)  # shares of the crop that a hand in it reaches at most
SIZES = (0.5, 2.0)  # of the mean hand's; children of six have 0.7


@torch.no_grad()
def start_at_centre(weight: Tensor, bias: Tensor) -> None:
    """Let a layer whose outputs are points say CENTRE for all of them: weight (...) 0, bias (3 N,) or (3,)."""
    weight.zero_()
    bias.view(-1, 3).copy_(bias.new_tensor(CENTRE))


def held_depth(relative: Tensor) -> Tensor:
    """Depths from the wrist (B, N) over the scale as a network says them, none further than any hand reaches.

    What it has never seen the like of, a picture of one colour say, may drive a network out of all bounds.
    """
    return relative.clamp(-DEEPEST, DEEPEST)


def held(points: Tensor) -> Tensor:
    """Points (B, N, 3) (u, v, d) as a network says them, likewise."""
    return torch.cat([points[..., :2].clamp(*OUTSIDE), held_depth(points[..., 2:])], -1)


def held_size(size: Tensor) -> Tensor:
    """Sizes (B,) over the mean hand's as a network says them, likewise."""
    return size.clamp(*SIZES)


def lift(uv: Tensor, relative: Tensor, scale: Tensor, root: Tensor, K: Tensor) -> Tensor:
    """Points (B, N, 3) m in camera axes of pixels (B, N, 2) and depths from the root (B, N) over the scale (B,) m.

    root (B,) m is its depth. MVHM, section 4.1: X = K^-1 (u, v, 1) z, z = d s + z_root.
    """
    return unproject(uv, relative * scale[:, None] + root[:, None], K)


def lift_uvd(points: Tensor, batch: Batch, scale: Tensor, root: Tensor) -> Tensor:
    """Points (B, N, 3) m in camera axes of (u, v, d) (B, N, 3); scale (B,) m, depth of the root (B,) m."""
    return lift(points[..., :2] * batch.size, points[..., 2], scale, root, batch.K)


def scale_and_root(uv: Tensor, relative: Tensor, batch: Batch, bones: Tensor, oracle: bool) -> tuple[Tensor, Tensor]:
    """The hand's scale and its root's depth, (B,) m each: with `oracle` the labels', as the papers take them.

    Without it they are those of a hand with `bones` (B, 20) m whose joints are seen at uv (B, 21, 2) px, their depths
    from the root over the scale being `relative` (B, 21).
    """
    if oracle:
        return true_scale(batch), true_root(batch)
    return bones[:, SCALE_BONE], depth_from_size(uv, relative, batch.K, bones)


def true_scale(batch: Batch) -> Tensor:
    """(B,) m, the labels' length of the middle finger's proximal bone."""
    return (labelled(batch)[:, 10] - labelled(batch)[:, 9]).norm(dim=-1)


def true_root(batch: Batch) -> Tensor:
    """(B,) m, the labels' depth of the wrist."""
    return labelled(batch)[:, 0, 2]


def labelled(batch: Batch) -> Tensor:
    """The labels' joints (B, 21, 3) m in camera axes. Raises InputError where there are none."""
    if batch.joints_cam is None:
        raise InputError("the oracle of root depth and scale needs joints_cam, which the data do not have")
    return batch.joints_cam


def true_depth(batch: Batch) -> Tensor:
    """(B, 21) the labels' depths from the root over the scale."""
    return _depth(batch.joints_cam, batch)


def true_mesh(batch: Batch) -> Tensor:
    """(B, 2651, 3) the labels' (u, v, d) of the mesh."""
    uv = project(batch.vertices_cam, batch.K) / batch.size
    return torch.cat([uv, _depth(batch.vertices_cam, batch)[..., None]], -1)


def _depth(points: Tensor, batch: Batch) -> Tensor:
    return (points[..., 2] - true_root(batch)[:, None]) / true_scale(batch)[:, None]
