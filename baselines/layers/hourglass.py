"""Stacked hourglass networks (Newell et al. 2016, with the widths of their published `hg` model)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d


class Residual(nn.Module):
    """A bottleneck with normalisation first: (B, inputs, h, w) to (B, outputs, h, w). Newell et al., figure 4 left."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        half = outputs // 2
        self.branch = nn.Sequential(
            *_normed(inputs, nn.Conv2d(inputs, half, 1)),
            *_normed(half, nn.Conv2d(half, half, 3, padding=1)),
            *_normed(half, nn.Conv2d(half, outputs, 1)),
        )
        self.skip = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, inputs, h, w) to (B, outputs, h, w)."""
        return self.skip(x) + self.branch(x)


class Hourglass(nn.Module):
    """Down `depth` times by two and up again, with a skip at every level: (B, width, h, w) to the same shape.

    h and w are multiples of 2^depth; `modules` residuals stand wherever the paper draws one.
    """

    def __init__(self, depth: int, width: int, modules: int) -> None:
        super().__init__()
        self.skip = residuals(modules, width)
        self.down = residuals(modules, width)
        self.inner = Hourglass(depth - 1, width, modules) if depth > 1 else residuals(modules, width)
        self.up = residuals(modules, width)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, width, h, w) to the same shape."""
        low = self.up(self.inner(self.down(max_pool2d(x, 2))))
        return self.skip(x) + interpolate(low, scale_factor=2, mode="nearest")


class StackedHourglass(nn.Module):
    """Images (B, 3, S, S) to heat-maps (B, stacks, K, S/4, S/4) and the last stack's features.

    The features are what Ge et al. (2019) hand to the mesh: the input of the last hourglass and the map from which its
    heat-maps are read, (B, width, S/4, S/4) each.
    """

    def __init__(self, stacks: int, width: int, depth: int, modules: int, joints: int) -> None:
        super().__init__()
        self.stem = stem(width)
        self.hourglasses = nn.ModuleList(
            nn.Sequential(Hourglass(depth, width, modules), residuals(modules, width), *_lin(width))
            for _ in range(stacks)
        )
        self.heads = nn.ModuleList(nn.Conv2d(width, joints, 1) for _ in range(stacks))
        self.features_back = nn.ModuleList(nn.Conv2d(width, width, 1) for _ in range(stacks - 1))
        self.maps_back = nn.ModuleList(nn.Conv2d(joints, width, 1) for _ in range(stacks - 1))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """images (B, 3, S, S) to heat-maps (B, stacks, K, S/4, S/4) and both features (B, width, S/4, S/4)."""
        given = self.stem(images)
        return through_stacks(self, given)


def through_stacks(net: nn.Module, given: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Features (B, width, h, w) through the hourglasses of `net`, each given what the one before was and said.

    `net` has `hourglasses`, their `heads`, and `features_back` and `maps_back` between them. Maps (B, stacks, M, h, w),
    what the last hourglass was given and what it said, (B, width, h, w) each.
    """
    features = net.hourglasses[0](given)
    maps = [net.heads[0](features)]
    rest = zip(net.hourglasses[1:], net.heads[1:], net.features_back, net.maps_back)
    for hourglass, head, features_back, maps_back in rest:
        given = given + features_back(features) + maps_back(maps[-1])
        features = hourglass(given)
        maps.append(head(features))
    return torch.stack(maps, 1), given, features


def stem(width: int) -> nn.Sequential:
    """Images (B, 3, S, S) to (B, width, S/4, S/4): a convolution of 7x7, three residuals, a pooling between."""
    quarter, half = width // 4, width // 2
    first = nn.Conv2d(3, quarter, 7, stride=2, padding=3)
    return nn.Sequential(
        first,
        nn.BatchNorm2d(quarter),
        nn.ReLU(),
        Residual(quarter, half),
        nn.MaxPool2d(2),
        Residual(half, half),
        Residual(half, width),
    )


def residuals(count: int, width: int) -> nn.Sequential:
    """`count` residuals in a row, (B, width, h, w) to the same shape."""
    return nn.Sequential(*(Residual(width, width) for _ in range(count)))


def _normed(inputs: int, convolution: nn.Conv2d) -> tuple[nn.Module, ...]:
    return nn.BatchNorm2d(inputs), nn.ReLU(), convolution


def _lin(width: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(width, width, 1), nn.BatchNorm2d(width), nn.ReLU()
