"""Residual networks (He et al., CVPR 2016), named as torchvision names them, and what reads heat-maps from them.

No weights come with this project; torchvision's files fit by name and shape. Strides of bottlenecks are at their 3x3
convolution, as in those files ("V1.5"), not at the first 1x1 as in the paper.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
DEEP = 50  # from here on blocks are bottlenecks
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pictures: torchvision's weights want it


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut: (B, inputs, h, w) to (B, width, h / stride, w / stride)."""

    growth = 1  # outputs over width

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(inputs, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, inputs, h, w) to (B, width, h / stride, w / stride)."""
        y = self.bn1(self.conv1(x)).relu()
        return (self.bn2(self.conv2(y)) + _shortened(self.downsample, x)).relu()


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions beside a shortcut: (B, inputs, h, w) to (B, 4 width, h / stride, w / stride)."""

    growth = 4

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample = _shortcut(inputs, 4 * width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, inputs, h, w) to (B, 4 width, h / stride, w / stride)."""
        y = self.bn1(self.conv1(x)).relu()
        y = self.bn2(self.conv2(y)).relu()
        return (self.bn3(self.conv3(y)) + _shortened(self.downsample, x)).relu()


class ResNet(nn.Module):
    """Images to the feature maps of the four groups of blocks; `width` 64 is the published network."""

    def __init__(self, depth: int, width: int = 64) -> None:
        super().__init__()
        block = BasicBlock if depth < DEEP else Bottleneck
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        inputs = width
        for group, count in enumerate(BLOCKS[depth]):
            outputs = width * 2**group
            blocks = [block(inputs, outputs, 1 if group == 0 else 2)]
            inputs = outputs * block.growth
            blocks += [block(inputs, outputs, 1) for _ in range(count - 1)]
            setattr(self, f"layer{group + 1}", nn.Sequential(*blocks))
        self.outputs = inputs  # features of the last group
        self.channels = tuple(width * 2**group * block.growth for group in range(4))  # of the four maps
        _start_for_relu(self)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """images (B, 3, S, S), 0 to 1, to maps (B, ..., S/4, S/4), at S/8, S/16 and (B, outputs, S/32, S/32)."""
        mean, spread = (images.new_tensor(one)[:, None, None] for one in (MEAN, SPREAD))
        x = self.maxpool(self.bn1(self.conv1((images - mean) / spread)).relu())
        first = self.layer1(x)
        second = self.layer2(first)
        third = self.layer3(second)
        return first, second, third, self.layer4(third)


def deconvolutions(inputs: int, width: int, count: int = 3) -> nn.Sequential:
    """Transposed 4x4 convolutions that double a map each: (B, inputs, h, w) to (B, width, 8 h, 8 w).

    Xiao et al. (ECCV 2018, "Simple baselines"), section 2.
    """
    layers: list[nn.Module] = []
    for number in range(count):
        deconvolution = nn.ConvTranspose2d(width if number else inputs, width, 4, 2, 1, bias=False)
        nn.init.normal_(deconvolution.weight, std=0.001)
        layers += [deconvolution, nn.BatchNorm2d(width), nn.ReLU()]
    return nn.Sequential(*layers)


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Sequential | None:
    """What makes a block's input the shape of its output; nothing, without a name in the state, where it has it."""
    if stride == 1 and inputs == outputs:
        return None
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


def _shortened(shortcut: nn.Sequential | None, x: Tensor) -> Tensor:
    return x if shortcut is None else shortcut(x)


def _start_for_relu(network: nn.Module) -> None:
    """Weights as He et al. (ICCV 2015) draw them, by the number of outputs."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
