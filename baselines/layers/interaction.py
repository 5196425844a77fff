"""HaMuCo's dual-branch cross-view interaction (Zheng et al., ICCV 2023, section 3.3): joints' features of all views.

Features are (S, V, 21, F) of S samples and V views, as many as there are; `seen` (S, V, V) bool says whose features a
view may look at (default: all). Views in another order give the same answers in that order.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

JOINTS = 21
HEADS = 4
SLOPE, DROPOUT = 0.1, 0.1


class AdaptiveGraphConv(nn.Module):
    """Graph convolution whose adjacency is learnt, from the identity on: W (A / sum_j |A_ij|) x + b."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.adjacency = nn.Parameter(torch.eye(JOINTS))
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """x (..., 21, inputs) to (..., 21, outputs)."""
        rows = self.adjacency.abs().sum(1, keepdim=True)
        return self.linear(self.adjacency / rows.clamp_min(1e-5) @ x)


class CrossViewAttention(nn.Module):
    """Self-attention among the joints of all views, then a feed-forward layer; norms first, residuals inside (CVA)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.each = max(features // HEADS, 1)
        self.norm, self.norm_feed = (nn.LayerNorm(features, eps=1e-6) for _ in range(2))
        self.queries, self.keys, self.values = (nn.Linear(features, HEADS * self.each) for _ in range(3))
        self.out = nn.Linear(HEADS * self.each, features)
        self.feed = nn.Sequential(nn.Linear(features, features), nn.ReLU(), nn.Linear(features, features))

    def forward(self, x: Tensor, seen: Tensor | None = None) -> Tensor:
        """Features x (S, V, 21, F) to (S, V, 21, F); seen (S, V, V) bool."""
        tokens = x.flatten(1, 2)
        tokens = tokens + self.out(self._attended(self.norm(tokens), seen))
        return (tokens + self.feed(self.norm_feed(tokens))).unflatten(1, x.shape[1:3])

    def _attended(self, tokens: Tensor, seen: Tensor | None) -> Tensor:
        """Means of values (S, 21 V, HEADS each) of tokens (S, 21 V, F)."""
        layers = (self.queries, self.keys, self.values)
        heads = (layer(tokens).unflatten(-1, (HEADS, self.each)).transpose(1, 2) for layer in layers)
        mask = None
        if seen is not None:
            mask = seen.repeat_interleave(JOINTS, 1).repeat_interleave(JOINTS, 2)[:, None]
        return nn.functional.scaled_dot_product_attention(*heads, attn_mask=mask).transpose(1, 2).flatten(2)


class ViewSharedFeatures(nn.Module):
    """What the views have in common: a graph network on each, and the largest over them all (VSF)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.LayerNorm(features),
            AdaptiveGraphConv(features, features),
            nn.LeakyReLU(SLOPE),
            nn.Dropout(DROPOUT),
            AdaptiveGraphConv(features, features),
            nn.LeakyReLU(SLOPE),
        )

    def forward(self, x: Tensor, seen: Tensor | None = None) -> Tensor:
        """Features x (S, V, 21, F) to (S, V, 21, F), or (S, 1, 21, F) where all views see all; seen (S, V, V) bool."""
        x = self.net(x)
        if seen is None:
            return x.amax(1, keepdim=True)
        return x[:, None].masked_fill(~seen[..., None, None], -torch.inf).amax(2)


class DualBranch(nn.Module):
    """DCVI: the sum of both branches; either may be left out. Without attention a view's own features stay."""

    def __init__(self, features: int, attention: bool = True, shared: bool = True) -> None:
        super().__init__()
        self.attention = CrossViewAttention(features) if attention else None
        self.shared = ViewSharedFeatures(features) if shared else None

    def forward(self, x: Tensor, seen: Tensor | None = None) -> Tensor:
        """Features x (S, V, 21, F) to (S, V, 21, F); seen (S, V, V) bool."""
        own = x if self.attention is None else self.attention(x, seen)
        return own if self.shared is None else own + self.shared(x, seen)


def random_groups(samples: int, views: int, device: torch.device) -> Tensor:
    """seen (S, V, V) bool: the views of each sample are parted at random into up to V groups that see themselves.

    What a view learns is then what it would learn of any number of views: those of its group are all there are.
    """
    count = torch.randint(1, views + 1, (samples, 1), device=device)
    group = (torch.rand(samples, views, device=device) * count).long()
    return group[:, :, None] == group[:, None]
