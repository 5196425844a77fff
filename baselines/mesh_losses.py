"""The losses of Ge et al. (CVPR 2019, section 4.3), one function an equation, in the paper's units.

Positions come in metres, in camera axes, and are compared in centimetres; (u, v) are shares of the crop, 0 to 1. Units
matter: the normal loss is a length^2, the edge loss a length^4, so that the paper's weights hold in centimetres only.

`reduction` "sum" is the paper's sum over all elements of a mesh, "mean" that over the number of its vertices (joints
for `pose_loss`): a mesh's losses keep their weights among each other. Both are averaged over the meshes of a batch;
meshes whose truth is not known (NaN) do not count.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from .losses import masked_mean

CM = 100.0  # in a metre

Reduction = Literal["mean", "sum"]


def mesh_edges(faces: Tensor) -> Tensor:
    """(E, 2) int64, every edge of the triangles (F, 3) once, the smaller vertex first."""
    sides = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).long()
    return sides.sort(dim=1).values.unique(dim=0)


def vertex_loss(vertices: Tensor, true: Tensor, uv: Tensor, true_uv: Tensor, reduction: Reduction = "mean") -> Tensor:
    """L_v: sum over vertices of |v3D - v3D^|^2 + |v2D - v2D^|^2; (B, N, 3) m and (B, N, 2) shares of the crop."""
    squared = (CM * (vertices - _finite(true))).square().sum(-1) + (uv - _finite(true_uv)).square().sum(-1)
    return _reduced(squared, true, reduction)


def normal_loss(vertices: Tensor, true: Tensor, faces: Tensor, reduction: Reduction = "mean") -> Tensor:
    """L_n: sum over triangles t and their edges (i, j) of <v_i - v_j, n_t>^2, n_t the true mesh's unit normals.

    vertices and true (B, N, 3) m, faces (F, 3) int64.
    """
    sides = faces.T
    one, two, three = (_nodes(vertices).index_select(0, side) for side in sides)  # (F, B, 3) cm
    label = [_nodes(_finite(true)).index_select(0, side) for side in sides]
    normals = torch.linalg.cross(label[1] - label[0], label[2] - label[0])
    normals = normals / normals.norm(dim=-1, keepdim=True).clamp(min=1e-12)  # of a triangle without area: 0
    along = [(edge * normals).sum(-1).square() for edge in (one - two, two - three, three - one)]
    return _reduced(sum(along).T, true, reduction)


def edge_loss(vertices: Tensor, true: Tensor, edges: Tensor, reduction: Reduction = "mean") -> Tensor:
    """L_e: sum over edges of (|e|^2 - |e^|^2)^2, cm^4; vertices and true (B, N, 3) m, edges (E, 2) int64."""
    squared = squared_lengths(vertices, edges) - squared_lengths(_finite(true), edges)
    return _reduced(squared.square(), true, reduction)


def squared_lengths(vertices: Tensor, edges: Tensor) -> Tensor:
    """(B, E) cm^2 of edges (E, 2) between vertices (B, N, 3) m."""
    first, second = (_nodes(vertices).index_select(0, side) for side in edges.T)
    return (first - second).square().sum(-1).T


def laplacian_loss(vertices: Tensor, true: Tensor, edges: Tensor, reduction: Reduction = "mean") -> Tensor:
    """L_l: sum over vertices of |delta_i - mean of delta_k over the neighbours k of i|^2, delta = v - v^.

    vertices and true (B, N, 3) m, edges (E, 2) int64, each once. A vertex without neighbours has the mean 0.
    """
    delta = _nodes(vertices - _finite(true))
    one, other = edges.T
    total = torch.zeros_like(delta).index_add(0, one, delta[other]).index_add(0, other, delta[one])
    count = torch.bincount(edges.flatten(), minlength=len(delta)).clamp(min=1)
    squared = (delta - total / count[:, None, None]).square().sum(-1)
    return _reduced(squared.T, true, reduction)


def pose_loss(joints: Tensor, true: Tensor, valid: Tensor | None = None, reduction: Reduction = "mean") -> Tensor:
    """L_J: sum over joints (B, K, 3) m of their squared distances in cm^2; those not valid (B, K bool) do not count."""
    squared = (CM * (joints - true)).square().sum(-1)
    mean = masked_mean(squared, valid)
    return mean * joints.shape[1] if reduction == "sum" else mean


def depth_map_loss(depth: Tensor, true: Tensor, reduction: Reduction = "mean") -> Tensor:
    """L_D of section 4.4: smooth L1 (1 cm) between depth maps (B, h, w) m, where both show the hand (are not 0).

    Summed over such pixels, or their mean; averaged over the hands that have any.
    """
    both = (depth > 0) & (true > 0)
    errors = F.smooth_l1_loss(CM * depth, CM * true, reduction="none") * both
    count = both.flatten(1).sum(1)
    total = errors.flatten(1).sum(1)
    return masked_mean(total if reduction == "sum" else total / count.clamp(min=1), count > 0)


def _nodes(positions: Tensor) -> Tensor:
    """(N, B, 3) cm of (B, N, 3) m: what is gathered lies together, which is twice as fast."""
    return CM * positions.transpose(0, 1).contiguous()


def _finite(true: Tensor) -> Tensor:
    """Labels (B, ...), zeros where they are not known: NaN would reach the gradients of the others."""
    return true.nan_to_num()


def _reduced(terms: Tensor, true: Tensor, reduction: Reduction) -> Tensor:
    """Terms (B, ...) of meshes summed, over the number of vertices or not; averaged over those known in (B, N, 3)."""
    known = true.isfinite().flatten(1).all(1)
    total = terms.flatten(1).sum(1)
    return masked_mean(total if reduction == "sum" else total / true.shape[1], known)
