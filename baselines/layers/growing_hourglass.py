"""The stacked hourglass of HAMR (Zhang et al. 2019): plain convolutions of 3x3, wider at every level down.

Its maps are more than there are joints: the first are heat-maps, what the others show is left to the network.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from .hourglass import through_stacks

WIDER = (1, 1, 1, 2, 4)  # times as many channels as the input, of an encoder's convolutions but the last


class GrowingHourglass(nn.Module):
    """Down `levels` times by two and up again, `growth` features more a level: (B, width, h, w) to the same shape.

    h and w are multiples of 2^levels; one convolution stands at each place, means are pooled.
    """

    def __init__(self, levels: int, width: int, growth: int) -> None:
        super().__init__()
        wider = width + growth
        self.skip = convolution(width, width)
        self.down = convolution(width, wider)
        self.inner = GrowingHourglass(levels - 1, wider, growth) if levels > 1 else convolution(wider, wider)
        self.up = convolution(wider, width)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, width, h, w) to the same shape."""
        low = self.up(self.inner(self.down(avg_pool2d(x, 2))))
        return self.skip(x) + interpolate(low, scale_factor=2, mode="nearest")


class GrowingStack(nn.Module):
    """Images (B, 3, S, S) to maps (B, stacks, M, S/4, S/4) and the features (B, width, S/4, S/4) before all stacks."""

    def __init__(self, stacks: int, width: int, growth: int, levels: int, maps: int) -> None:
        super().__init__()
        quarter, half = -(-width // 4), -(-width // 2)
        self.first = nn.Sequential(convolution(3, quarter, kernel=7, stride=2), convolution(quarter, half))
        self.second = nn.Sequential(convolution(half, half), convolution(half, width))
        self.hourglasses = nn.ModuleList(
            nn.Sequential(GrowingHourglass(levels, width, growth), convolution(width, width), convolution(width, width))
            for _ in range(stacks)
        )
        self.heads = nn.ModuleList(nn.Conv2d(width, maps, 1) for _ in range(stacks))
        self.features_back = nn.ModuleList(nn.Conv2d(width, width, 1) for _ in range(stacks - 1))
        self.maps_back = nn.ModuleList(nn.Conv2d(maps, width, 1) for _ in range(stacks - 1))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """images (B, 3, S, S) to maps (B, stacks, M, S/4, S/4) and features (B, width, S/4, S/4)."""
        seen = self.second(avg_pool2d(self.first(images), 2))
        return through_stacks(self, seen)[0], seen


class StridedEncoder(nn.Sequential):
    """Maps (B, inputs, h, h), h = 2^n, to a feature (B, features) by n convolutions of stride two.

    Six from 64 px on have inputs x WIDER and `features` channels, as published; fewer have the last of these. The last
    has no norm: a batch of one crop would leave it a single number.
    """

    def __init__(self, side: int, inputs: int, features: int) -> None:
        count = side.bit_length() - 2  # but for the last
        factors = [1] * (count - len(WIDER)) + list(WIDER[max(len(WIDER) - count, 0) :])
        widths = [inputs, *(inputs * factor for factor in factors)]
        layers = [convolution(*pair, stride=2) for pair in pairwise(widths)]
        super().__init__(*layers, nn.Conv2d(widths[-1], features, 3, stride=2, padding=1), nn.Flatten())


def convolution(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """A convolution, a rectifier and a batch norm: (B, inputs, h, w) to (B, outputs, h / stride, w / stride)."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2), nn.ReLU(), nn.BatchNorm2d(outputs)
    )
