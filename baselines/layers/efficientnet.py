"""EfficientNet-B0 (Tan & Le, ICML 2019, table 1), named as torchvision names it.

No weights come with this project; torchvision's file fits by name and shape. Batch norms have its epsilon, 1e-5.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .resnet import MEAN, SPREAD

STEM, LAST = 32, 1280  # features of the first and of the last convolution
GROUPS = (  # growth inside a block, side of its kernel, stride of the first block, features, blocks
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
SHOWN = (2, 3, 5, 8)  # of `features`: the last at S/4, S/8, S/16 and S/32
PUBLISHED = 64  # `width` of the published network, as ResNet counts it
DROPPED = 0.2  # chance that the last block is left out in training; rises from 0 over the blocks
STEP = 8  # features come in multiples of it


class EfficientNet(nn.Module):
    """Images to four feature maps, as ResNet gives them; `width` 64 is the published network."""

    def __init__(self, width: int = PUBLISHED) -> None:
        super().__init__()
        inputs, number, blocks = scaled(STEM, width), 0, sum(group[-1] for group in GROUPS)
        groups: list[nn.Module] = [convolution(3, inputs, 3, 2)]
        for growth, side, stride, features, count in GROUPS:
            group = []
            for place in range(count):
                outputs, step = scaled(features, width), stride if place == 0 else 1
                group.append(Block(inputs, outputs, growth, side, step, DROPPED * number / blocks))
                inputs, number = outputs, number + 1
            groups.append(nn.Sequential(*group))
        self.outputs = scaled(LAST, width)  # features of the last map
        self.channels = (*(scaled(GROUPS[number - 1][3], width) for number in SHOWN[:-1]), self.outputs)
        self.features = nn.Sequential(*groups, convolution(inputs, self.outputs, 1))
        _start(self)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """images (B, 3, S, S), 0 to 1, to maps (B, ..., S/4, S/4), at S/8, S/16 and (B, outputs, S/32, S/32)."""
        mean, spread = (images.new_tensor(one)[:, None, None] for one in (MEAN, SPREAD))
        x, maps = (images - mean) / spread, []
        for layer in self.features:
            x = layer(x)
            maps.append(x)
        return tuple(maps[number] for number in SHOWN)


class Block(nn.Module):
    """A mobile inverted bottleneck (Sandler et al., CVPR 2018) with squeeze and excitation (Hu et al., CVPR 2018).

    (B, inputs, h, w) to (B, outputs, h / stride, w / stride); a shortcut where both have the same shape. In training
    the branch beside it is left out of a picture with the chance `dropped` (Huang et al., ECCV 2016).
    """

    def __init__(self, inputs: int, outputs: int, growth: int, side: int, stride: int, dropped: float = 0.0) -> None:
        super().__init__()
        wide = growth * inputs
        expand = [convolution(inputs, wide, 1)] if growth > 1 else []
        each = convolution(wide, wide, side, stride, groups=wide)
        project = convolution(wide, outputs, 1)[:2]  # nothing follows its norm
        self.block = nn.Sequential(*expand, each, Excitation(wide, max(inputs // 4, 1)), project)
        self.shortcut, self.dropped = stride == 1 and inputs == outputs, dropped

    def forward(self, x: Tensor) -> Tensor:
        """x (B, inputs, h, w) to (B, outputs, h / stride, w / stride)."""
        y = self.block(x)
        if not self.shortcut:
            return y
        if self.training and self.dropped:
            kept = 1 - self.dropped
            y = y * torch.empty(len(y), 1, 1, 1, dtype=y.dtype, device=y.device).bernoulli_(kept) / kept
        return x + y


class Excitation(nn.Module):
    """Features (B, C, h, w), each times 0 to 1, which follows from the means of all over the picture."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(features, hidden, 1)
        self.fc2 = nn.Conv2d(hidden, features, 1)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, C, h, w), weighed."""
        means = x.mean((-2, -1), keepdim=True)
        return x * self.fc2(nn.functional.silu(self.fc1(means))).sigmoid()


def convolution(inputs: int, outputs: int, side: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """A convolution, its batch norm and SiLU: (B, inputs, h, w) to (B, outputs, h / stride, w / stride)."""
    padded = nn.Conv2d(inputs, outputs, side, stride, side // 2, groups=groups, bias=False)
    return nn.Sequential(padded, nn.BatchNorm2d(outputs), nn.SiLU())


def scaled(features: int, width: int) -> int:
    """So many features in a network of `width`: the nearest multiple of 8, and at least 8."""
    return max(STEP, (features * width + PUBLISHED * STEP // 2) // (PUBLISHED * STEP) * STEP)


def _start(network: nn.Module) -> None:
    """Weights as He et al. (ICCV 2015) draw them, by the number of outputs; biases at 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
