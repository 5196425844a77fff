"""Points in the world from their pixels in calibrated views: linear, robust and refined, batched over everything.

Pixels are (..., V, N, 2), K (..., V, 3, 3) px, world_to_cam (..., V, 4, 4) m and weights (..., V, N), where 0 means
not seen; points are (..., N, 3) m in the world. Small systems are solved in float64; the answer has the pixels' type.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Solver = Literal["svd", "eigh", "normal"]


def triangulate(
    pixels: Tensor, K: Tensor, world_to_cam: Tensor, weights: Tensor | None = None, solver: Solver = "svd"
) -> Tensor:
    """Direct linear transform (Hartley & Zisserman, 12.2) with weighted rows (Iskakov et al., ICCV 2019, eq. 4).

    Rows u P_3 - P_1 and v P_3 - P_2 are scaled to unit length of their first three numbers, then weighted. "svd" takes
    the last right singular vector, "eigh" the first eigenvector of A^T A, "normal" solves for (x, y, z, 1): its
    gradient is finite whatever the singular values. NaN for a point that fewer than two views weigh; its gradient is 0.
    """
    matrices = _matrices(K, world_to_cam)
    pixels_, weights_, enough = _cleaned(pixels, weights)
    rows = pixels_[..., None] * matrices[..., None, 2:, :] - matrices[..., None, :2, :]  # (..., V, N, 2, 4)
    rows = rows * (weights_[..., None] / rows[..., :3].norm(dim=-1))[..., None]
    stacked = rows.movedim(-4, -3).flatten(-3, -2)  # (..., N, 2V, 4)
    points = _SOLVERS[solver](stacked)
    return torch.where(enough[..., None], points, torch.nan).to(pixels.dtype)


def refine(
    points: Tensor,
    pixels: Tensor,
    K: Tensor,
    world_to_cam: Tensor,
    weights: Tensor | None = None,
    steps: int = 3,
    huber: float | None = None,
) -> Tensor:
    """Gauss-Newton steps on the reprojection error sum (w |u - project(x)|)^2; a step that raises it is undone.

    With `huber` px the error is Huber's: beyond it, residuals count linearly (by reweighting). Points (..., N, 3).
    """
    matrices = _matrices(K, world_to_cam)
    pixels_, weights_, enough = _cleaned(pixels, weights)
    x = torch.where(enough[..., None], points, 0.0).double()
    cost = _cost(x, pixels_, matrices, weights_, huber)
    for _ in range(steps):
        step = _step(x, pixels_, matrices, weights_, huber)
        new = _cost(x + step, pixels_, matrices, weights_, huber)
        better = new < cost
        x, cost = torch.where(better[..., None], x + step, x), torch.where(better, new, cost)
    return torch.where(enough[..., None], x, torch.nan).to(points.dtype)


def ransac(
    pixels: Tensor,
    K: Tensor,
    world_to_cam: Tensor,
    weights: Tensor | None = None,
    threshold: float = 10.0,
    steps: int = 5,
) -> tuple[Tensor, Tensor]:
    """Robust points (..., N, 3) and the views that agree (..., V, N) bool: RANSAC over all pairs of views, none drawn.

    Every pair gives a candidate in one batched solve; the best has the least sum of squared reprojection errors cut off
    at `threshold` px (Torr & Zisserman, 2000). Its inliers are triangulated together and refined with Huber's error.
    Iskakov et al. draw pairs and count inliers instead. NaN for a point that fewer than two views weigh.
    """
    _, weights_, _ = _cleaned(pixels, weights)
    candidates = pair_candidates(pixels, K, world_to_cam, weights)  # (..., P, N, 3)
    error = candidate_errors(candidates, pixels, K, world_to_cam)  # (..., P, V, N)
    seen = weights_[..., None, :, :] > 0
    truncated = (error.square().clamp_max(threshold**2).nan_to_num(threshold**2) * seen).sum(dim=-2)
    truncated = torch.where(candidates.isnan().any(dim=-1), torch.inf, truncated)
    best = truncated.argmin(dim=-2, keepdim=True)  # (..., 1, N)
    agrees = (error < threshold) & seen
    inlier = agrees.gather(-3, best[..., None, :].expand(*best.shape[:-1], *agrees.shape[-2:])).squeeze(-3)
    pair = candidates.gather(-3, best[..., None].expand(*best.shape, 3)).squeeze(-3)
    kept = weights_ * inlier
    start = triangulate(pixels, K, world_to_cam, kept, "normal")
    points = refine(start, pixels, K, world_to_cam, kept, steps, huber=threshold / 2)
    return torch.where(points.isnan(), pair, points), inlier


def pair_candidates(pixels: Tensor, K: Tensor, world_to_cam: Tensor, weights: Tensor | None = None) -> Tensor:
    """Points (..., P, N, 3) m from each of the P = V (V - 1) / 2 pairs of views; NaN where one of them does not see."""
    pairs = torch.combinations(torch.arange(pixels.shape[-3], device=pixels.device), 2)  # (P, 2)
    weights = torch.ones_like(pixels[..., 0]) if weights is None else (weights > 0).to(pixels.dtype)
    return triangulate(
        pixels[..., pairs, :, :], K[..., pairs, :, :], world_to_cam[..., pairs, :, :], weights[..., pairs, :], "normal"
    )


def candidate_errors(candidates: Tensor, pixels: Tensor, K: Tensor, world_to_cam: Tensor) -> Tensor:
    """Reprojection errors (..., P, V, N) px of candidates (..., P, N, 3); infinite behind a camera, NaN if no point."""
    image = _image(candidates.double(), _matrices(K, world_to_cam)[..., None, :, :, :])
    error = (image[..., :2] / image[..., 2:] - pixels.double()[..., None, :, :, :]).norm(dim=-1)
    return torch.where(image[..., 2] <= 0, torch.inf, error)


def covariance(points: Tensor, K: Tensor, world_to_cam: Tensor, sigma: float, weights: Tensor | None = None) -> Tensor:
    """Covariances (..., N, 3, 3) m^2 of triangulated points for independent noise of `sigma` px on each coordinate.

    sigma^2 (sum_v w^2 J_v^T J_v)^-1, J the slope of the projection: exact to first order (Hartley & Zisserman, 5.2), if
    weights are the inverse of each view's relative standard deviation. Falls as 1 / V. NaN for what no two views weigh.
    """
    matrices = _matrices(K, world_to_cam)
    shape = torch.broadcast_shapes(points.shape[:-2], matrices.shape[:-3])
    weights = points.new_ones(*shape, matrices.shape[-3], points.shape[-2]) if weights is None else weights
    slopes, _ = _slopes(points.double(), matrices)
    normal = torch.einsum("...vn,...vnki,...vnkj->...nij", weights.double().square(), slopes, slopes)
    inverse, fault = torch.linalg.inv_ex(normal)
    return torch.where(fault[..., None, None] > 0, torch.nan, sigma**2 * inverse).to(points.dtype)


def _matrices(K: Tensor, world_to_cam: Tensor) -> Tensor:
    """Projections (..., V, 3, 4) float64."""
    return K.double() @ world_to_cam.double()[..., :3, :]


def _cleaned(pixels: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Pixels without NaN and weights, float64, and whether (..., N) two views see; if not, weights of 1 keep it finite.

    A pixel that is NaN is not seen.
    """
    weights = torch.ones_like(pixels[..., 0]) if weights is None else weights
    seen = ~pixels.isnan().any(dim=-1) & (weights > 0)
    enough = seen.sum(dim=-2) >= 2
    usable = torch.where(seen, weights, 0.0).double()
    usable = torch.where(enough[..., None, :], usable, 1.0)
    return torch.where(seen[..., None], pixels, 0.0).double(), usable, enough


def _by_svd(rows: Tensor) -> Tensor:
    point = torch.linalg.svd(rows, full_matrices=False).Vh[..., -1, :]
    return point[..., :3] / point[..., 3:]


def _by_eigh(rows: Tensor) -> Tensor:
    point = torch.linalg.eigh(rows.mT @ rows).eigenvectors[..., 0]
    return point[..., :3] / point[..., 3:]


def _by_normal(rows: Tensor) -> Tensor:
    return _solve(rows[..., :3].mT @ rows[..., :3], -(rows[..., :3].mT @ rows[..., 3:])[..., 0])


_SOLVERS = {"svd": _by_svd, "eigh": _by_eigh, "normal": _by_normal}


def _solve(matrix: Tensor, right: Tensor) -> Tensor:
    """x of M x = r for M (..., 3, 3), damped by rounding's size: cameras that face each other leave M singular."""
    damping = 1e-14 * matrix.diagonal(dim1=-2, dim2=-1).sum(dim=-1).clamp_min(1e-30)
    eye = torch.eye(3, dtype=matrix.dtype, device=matrix.device)
    return torch.linalg.solve_ex(matrix + damping[..., None, None] * eye, right[..., None]).result[..., 0]


def _image(points: Tensor, matrices: Tensor) -> Tensor:
    """Homogeneous pixels (..., V, N, 3) of points (..., N, 3)."""
    return points[..., None, :, :] @ matrices[..., :3].mT + matrices[..., None, :, 3]


def _slopes(points: Tensor, matrices: Tensor) -> tuple[Tensor, Tensor]:
    """d(pixel) / d(point) (..., V, N, 2, 3) px/m, and pixels (..., V, N, 2)."""
    image = _image(points, matrices)
    pixels = image[..., :2] / image[..., 2:]
    rows = matrices[..., None, :2, :3] - pixels[..., None] * matrices[..., None, 2:, :3]
    return rows / image[..., 2, None, None], pixels


def _step(points: Tensor, pixels: Tensor, matrices: Tensor, weights: Tensor, huber: float | None) -> Tensor:
    slopes, seen = _slopes(points, matrices)
    residual = pixels - seen
    square = weights.square()
    if huber is not None:
        square = square * (huber / (weights * residual.norm(dim=-1)).clamp_min(huber))
    normal = torch.einsum("...vn,...vnki,...vnkj->...nij", square, slopes, slopes)
    return _solve(normal, torch.einsum("...vn,...vnki,...vnk->...ni", square, slopes, residual))


def _cost(points: Tensor, pixels: Tensor, matrices: Tensor, weights: Tensor, huber: float | None) -> Tensor:
    """(..., N) px^2; infinite for a point behind a camera that weighs it."""
    image = _image(points, matrices)
    error = weights * (image[..., :2] / image[..., 2:] - pixels).norm(dim=-1)
    square = error.square()
    if huber is not None:
        square = torch.where(error > huber, 2 * huber * error - huber**2, square)
    behind = (image[..., 2] <= 0) & (weights > 0)
    return torch.where(behind, torch.inf, torch.where(weights > 0, square, 0.0)).sum(dim=-2)
