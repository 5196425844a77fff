"""Depth and silhouettes of meshes in pure PyTorch: no compiler, CPU or GPU, differentiable in the vertices.

Vertices are (u, v, z): pixels and planar depth in metres, as a network that estimates u, v, d gives them. The centre of
the top-left pixel is (0.5, 0.5). Which triangle a pixel shows is decided without gradients, in float64, among the
triangles whose box holds the pixel's centre; the depth there is then computed anew from the three corners alone.
Both sides of a triangle are seen. One with a corner that is not in front of the camera, or no number, is not drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

MOST = 1 << 22  # pairs of pixel and triangle looked at in one go; they take some 500 MB
REACH = 4.0  # softnesses from its edge, at which a triangle no longer counts: sigmoid(-16) is 1e-7
NONE = (1 << 63) - 1


class Pairs(NamedTuple):
    """Pixels, each with a triangle that may matter to it."""

    item: Tensor  # (n,) int64, of the batch
    face: Tensor  # (n,) int64
    column: Tensor  # (n,) int64
    row: Tensor  # (n,) int64

    def pixels(self, height: int, width: int) -> Tensor:
        """(n,) int64: the pixel's number in the batch, row by row."""
        return (self.item * height + self.row) * width + self.column

    def corners(self, vertices: Tensor, faces: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The triangles' corners as seen from their pixels' centres: u, v (3, n) px and z (3, n) m."""
        rows = faces.T.index_select(1, self.face) + self.item * vertices.shape[1]
        u, v, z = vertices.flatten(0, 1).T.index_select(1, rows.flatten()).unflatten(1, rows.shape)
        return u - (self.column.to(u.dtype) + 0.5), v - (self.row.to(v.dtype) + 0.5), z


def depth_map(vertices: Tensor, faces: Tensor, size: int | tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Depth (B, h, w) m at the centres of pixels, 0 where there is none, and where there is (B, h, w) bool.

    vertices (B, N, 3) px, px, m; faces (F, 3) int64; size is h = w or (h, w). Of triangles as near as each other, to
    float32, the first counts. Gradients are those at fixed visibility: exact where a small move uncovers nothing.
    """
    height, width = (size, size) if isinstance(size, int) else size
    nearest = nearest_faces(vertices, faces, height, width)
    inside = nearest >= 0
    item, row, column = inside.nonzero(as_tuple=True)
    u, v, z = Pairs(item, nearest[inside], column, row).corners(vertices.double(), faces)  # float32 loses slivers
    depth = _depths(edge_values(u, v), z).to(vertices.dtype)
    return vertices.new_zeros(inside.shape).index_put((item, row, column), depth), inside


def silhouette(vertices: Tensor, faces: Tensor, size: int | tuple[int, int], softness: float = 0.5) -> Tensor:
    """Soft silhouette (B, h, w), 0 to 1: Liu et al. 2019, Soft Rasterizer, equations 1 and 5.

    A triangle whose edge is d px from a pixel's centre covers the pixel with D = sigmoid(+-d^2 / softness^2), plus
    inside; S = 1 - prod(1 - D), over those that contain the centre or are no more than REACH softnesses away.
    vertices (B, N, 3) px, px, m; faces (F, 3) int64; size is h = w or (h, w); softness in px.
    """
    height, width = (size, size) if isinstance(size, int) else size
    reach = REACH * softness
    pairs = Pairs(*map(torch.cat, zip(*_pairs(vertices.detach(), faces, height, width, reach))))
    u, v, _ = pairs.corners(vertices, faces)
    squared, inner = squared_distance(u, v), is_inside(edge_values(u.detach(), v.detach()))
    signed = torch.where(inner, squared, -squared) / softness**2
    missed = -F.softplus(signed) * (inner | (squared.detach() <= reach**2))  # log(1 - D)
    total = vertices.new_zeros(len(vertices) * height * width).index_add(0, pairs.pixels(height, width), missed)
    return -torch.expm1(total).view(-1, height, width)


@torch.no_grad()
def nearest_faces(vertices: Tensor, faces: Tensor, height: int, width: int) -> Tensor:
    """(B, h, w) int64: the first triangle on the ray through each pixel's centre, -1 where there is none.

    vertices (B, N, 3) px, px, m; faces (F, 3) int64. The bits of a positive float32, read as an integer, have the order
    of the numbers: depth and triangle in one integer need one minimum a pixel.
    """
    vertices = vertices.double()
    best = torch.full((len(vertices) * height * width,), NONE, device=vertices.device)
    for pairs in _pairs(vertices, faces, height, width):
        u, v, z = pairs.corners(vertices, faces)
        edges = edge_values(u, v)
        bits = _depths(edges, z).float().view(torch.int32).long()
        key = torch.where(is_inside(edges), bits << 32 | pairs.face, NONE)
        best.scatter_reduce_(0, pairs.pixels(height, width), key, "amin")
    return torch.where(best < NONE, best & 0xFFFFFFFF, -1).view(-1, height, width)


def edge_values(u: Tensor, v: Tensor) -> Tensor:
    """Twice the areas (3, n) of the triangles that the origin makes with the edge opposite each corner u, v (3, n).

    All of one sign where the origin is inside; their sum is twice the area of the corners' own triangle.
    """
    following, last = [1, 2, 0], [2, 0, 1]
    return u[following] * v[last] - u[last] * v[following]


def is_inside(edges: Tensor) -> Tensor:
    """(n,) bool: edge values (3, n) are of one sign or 0; in a triangle without area nothing is inside."""
    low, high = edges.amin(0), edges.amax(0)
    return (low >= 0) & (high > 0) | (high <= 0) & (low < 0)


def squared_distance(u: Tensor, v: Tensor) -> Tensor:
    """(n,) from the origin to the nearest point of the edges between corners u, v (3, n)."""
    along_u, along_v = u.roll(-1, 0) - u, v.roll(-1, 0) - v
    squared = (along_u.square() + along_v.square()).clamp_min(torch.finfo(u.dtype).tiny)
    share = (-(u * along_u + v * along_v) / squared).clamp(0, 1)
    return ((u + share * along_u).square() + (v + share * along_v).square()).amin(0)


def _depths(edges: Tensor, z: Tensor) -> Tensor:
    """(n,) m at the origin: over the image of a triangle 1/z is linear. Edge values and z (3, n) of its corners."""
    return edges.sum(0) / (edges / z).sum(0)


@torch.no_grad()
def _pairs(vertices: Tensor, faces: Tensor, height: int, width: int, reach: float = 0.0) -> Iterator[Pairs]:
    """Each triangle with the pixels whose centres its box, `reach` px wider, holds: some MOST at a time, at least once.

    vertices (B, N, 3), faces (F, 3).
    """
    corners = vertices.double()[:, faces]  # (B, F, 3, 3)
    drawn = (corners.isfinite().all(-1) & (corners[..., 2] > 0)).all(-1)
    ends, zero = corners.new_tensor([width, height]), corners.new_zeros(())
    first = (corners[..., :2].amin(2) - reach - 0.5).ceil().nan_to_num().clamp(zero, ends).long()
    last = (corners[..., :2].amax(2) + reach - 0.5).floor().nan_to_num().clamp(zero - 1, ends - 1).long()
    extent = (last - first + 1).clamp_min(0) * drawn[..., None]  # (B, F, 2): columns and rows
    item, face = extent.prod(-1).nonzero(as_tuple=True)
    first, extent = first[item, face], extent[item, face]
    for rows in _blocks(extent.prod(-1)):
        counts = extent[rows].prod(-1)
        which = rows.repeat_interleave(counts)
        number = torch.arange(len(which), device=rows.device) - (counts.cumsum(0) - counts).repeat_interleave(counts)
        down, across = number // extent[which, 0], number % extent[which, 0]
        yield Pairs(item[which], face[which], first[which, 0] + across, first[which, 1] + down)


def _blocks(counts: Tensor) -> list[Tensor]:
    """The numbers of counts (n,), in blocks that add up to some MOST each; one that is empty for none."""
    _, lengths = (counts.cumsum(0) // MOST).unique_consecutive(return_counts=True)
    return list(torch.arange(len(counts), device=counts.device).split(lengths.tolist() or [0]))
