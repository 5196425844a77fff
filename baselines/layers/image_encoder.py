"""Heat-maps and features of an hourglass to a vector: the residual network of Ge et al. (CVPR 2019, section 4)."""

from __future__ import annotations

from torch import Tensor, nn

from .hourglass import Residual

LATENT = 4  # px, side of the feature map that becomes a vector


class ImageEncoder(nn.Module):
    """Maps (B, joints, h, h), the last hourglass's input and features (B, width, h, h), to (B, width LATENT^2).

    All three are added up with `width` features; then two residuals and a pooling, until 4 x 4 elements are left.
    """

    def __init__(self, joints: int, width: int, side: int) -> None:
        """`side` is h, a power of two from LATENT on."""
        super().__init__()
        self.from_maps = nn.Conv2d(joints, width, 1)
        self.from_features = nn.Conv2d(width, width, 1)
        halvings = (side // LATENT).bit_length() - 1
        self.encoder = nn.Sequential(*(_halving(width) for _ in range(halvings)))

    def forward(self, maps: Tensor, given: Tensor, features: Tensor) -> Tensor:
        """maps (B, joints, h, h), given and features (B, width, h, h) to (B, width LATENT^2)."""
        return self.encoder(given + self.from_features(features) + self.from_maps(maps)).flatten(1)


def _halving(width: int) -> nn.Sequential:
    return nn.Sequential(Residual(width, width), Residual(width, width), nn.MaxPool2d(2))
