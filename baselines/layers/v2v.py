"""A network from volumes to volumes (Moon et al., CVPR 2018, "V2V-PoseNet"), as Iskakov et al. (2019) use it."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool3d


class VolumeResidual(nn.Module):
    """Two 3x3x3 convolutions beside a shortcut: (B, inputs, r, r, r) to (B, outputs, r, r, r). Moon et al., fig. 3."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(*normed(inputs, outputs, 3), nn.ReLU(), *normed(outputs, outputs, 3))
        self.skip = nn.Identity() if inputs == outputs else nn.Sequential(*normed(inputs, outputs, 1))

    def forward(self, x: Tensor) -> Tensor:
        """x (B, inputs, r, r, r) to (B, outputs, r, r, r)."""
        return (self.branch(x) + self.skip(x)).relu()


class VolumeHourglass(nn.Module):
    """Down `depth` times by two and up again, with a skip at every level: (B, width, r, r, r) to the same shape.

    The levels below have `inner` features. r is a multiple of 2^depth. To double a volume the nearest value is taken;
    the papers have a transposed convolution of 2x2x2 there.
    """

    def __init__(self, depth: int, width: int, inner: int) -> None:
        super().__init__()
        self.skip = VolumeResidual(width, width)
        self.down = VolumeResidual(width, inner)
        self.inner = VolumeHourglass(depth - 1, inner, inner) if depth > 1 else VolumeResidual(inner, inner)
        self.up = nn.Sequential(VolumeResidual(inner, inner), *normed(inner, width, 1), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        """x (B, width, r, r, r) to the same shape."""
        low = self.up(self.inner(self.down(max_pool3d(x, 2))))
        return self.skip(x) + interpolate(low, scale_factor=2, mode="nearest")


class V2V(nn.Module):
    """Volumes of features (B, inputs, r, r, r) to volumes of joints (B, joints, r, r, r): logits.

    `first` is the side of the first convolution, which sees all features and is the dearest.
    """

    def __init__(self, inputs: int, joints: int, width: int, depth: int, first: int = 7) -> None:
        super().__init__()
        self.front = nn.Sequential(*normed(inputs, width // 2, first), nn.ReLU(), VolumeResidual(width // 2, width))
        self.hourglass = VolumeHourglass(depth, width, 2 * width)
        self.back = nn.Sequential(VolumeResidual(width, width), *normed(width, width, 1), nn.ReLU())
        self.head = nn.Conv3d(width, joints, 1)

    def forward(self, volumes: Tensor) -> Tensor:
        """volumes (B, inputs, r, r, r) to (B, joints, r, r, r)."""
        return self.head(self.back(self.hourglass(self.front(volumes))))


def normed(inputs: int, outputs: int, side: int) -> tuple[nn.Module, nn.Module]:
    """A convolution of side^3 and its normalisation: (B, inputs, r, r, r) to (B, outputs, r, r, r)."""
    return nn.Conv3d(inputs, outputs, side, padding=side // 2, bias=False), nn.BatchNorm3d(outputs)
