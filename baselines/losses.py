"""Losses, one function an equation: pure, scalar, averages over the batch. Joints without annotation do not count."""

from __future__ import annotations

from torch import Tensor


def heatmap_loss(maps: Tensor, true: Tensor, valid: Tensor | None = None) -> Tensor:
    """MVHM, L_h: squared Frobenius norm of the difference, averaged over stacks and joints.

    Maps (B, S, K, h, w), true (B, K, h, w), valid (B, K) bool.
    """
    squared = (maps - true[:, None]).square().sum((-2, -1)).mean(1)  # (B, K)
    return masked_mean(squared, valid)


def mesh_loss(mesh: Tensor, true: Tensor) -> Tensor:
    """MVHM, L_m: squared distance of the vertices (B, N, 3), averaged over them.

    Coordinates are (u, v, d) as Ge et al. (2019) have them: 0 to 1 over the crop, and depth from the root in units of
    the hand's scale. Meshes that are not known, as of real pictures in a mixture, are NaN in `true` and do not count.
    """
    known = true.isfinite().flatten(1).all(1)
    squared = (mesh - true.nan_to_num()).square().sum(-1).mean(1)  # (B,)
    return masked_mean(squared, known)


def depth_loss(depth: Tensor, true: Tensor, valid: Tensor | None = None) -> Tensor:
    """MVHM, L_d: squared difference of the joints' depths from the root (B, K), in units of the hand's scale."""
    return masked_mean((depth - true).square(), valid)


def size_loss(size: Tensor, true: Tensor, valid: Tensor | None = None) -> Tensor:
    """Ours: squared difference of the logarithms of sizes (B,); a hand of the mean size has size 1."""
    return masked_mean((size.log() - true.log()).square(), valid)


def fused_loss(joints: Tensor, true: Tensor, valid: Tensor | None = None) -> Tensor:
    """MVHM, L_s (equation 7): squared distance of the fused joints (B, K, 3), averaged over them."""
    return masked_mean((joints - true).square().sum(-1), valid)


def masked_mean(values: Tensor, valid: Tensor | None) -> Tensor:
    """Mean of those values (...) that are valid (... bool); of all without `valid`, and 0 of none."""
    if valid is None:
        return values.mean()
    return (values * valid).sum() / valid.sum().clamp(min=1)
