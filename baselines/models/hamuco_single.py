"""HaMuCo's single-view estimator (Zheng et al., ICCV 2023, section 3.2): a picture to a hand model's parameters.

EpipolarPose and CanonPose, which the paper compares with, are trained on the same one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from rigging.hand.shape import MAX_DEVIATIONS

from ..batch import Batch
from ..geometry.camera import unproject
from ..geometry.rotations import IDENTITY_6D, from_6d
from ..layers.efficientnet import EfficientNet
from ..layers.resnet import ResNet
from .hamuco_hand import ROTATIONS, UNIT, Decoder, ManoDecoder, RigDecoder

SLOPE = 0.1  # of the leaky rectifiers
START = 1.6  # uv a unit: about what a hand in a crop of 1.3 times its box measures
STRETCH = 1.5  # of the logarithm of a hand's size in the crop, either way
FARTHEST = 3.0  # from the crop's centre, in halves of its side, that joint 9 of a hand in it may be


@dataclass(frozen=True)
class SingleConfig:
    """The defaults are those of the paper's ablations."""

    size: int = 256  # px, side of the crops; a multiple of 32
    backbone: Literal["resnet18", "resnet50", "efficientnet"] = "resnet18"
    width: int = 64  # of its first features; 64 is the published network
    skinning: Literal["dual_quaternion", "linear"] = "dual_quaternion"  # as releases are skinned; MANO's is linear
    mano: str = ""  # MANO_RIGHT.pkl of the user's; "" takes our rig

    def __post_init__(self) -> None:
        if self.size < 32 or self.size % 32:
            raise ValueError(f"size = {self.size}: must be a multiple of 32")
        if self.width < 1:
            raise ValueError(f"width = {self.width}: must be positive")


class View(NamedTuple):
    """What is said of each of B crops. Points are from joint 9, in units of 0.2 m, in the axes of the crop's camera."""

    rotations: Tensor  # (B, 16, 3, 3) of the palm against the camera, and of each finger's bones after it
    shape: Tensor  # (B, K) in standard deviations
    camera: Tensor  # (B, 3): uv a unit; uv of joint 9
    joints: Tensor  # (B, 21, 3)
    vertices: Tensor  # (B, 2651, 3)
    uv: Tensor  # (B, 21, 2) joints in the crop, whose edges are -1 and 1


class SingleView(nn.Module):
    """Backbone and three heads for pose, shape and a weak-perspective camera; `decode` makes points of what they say.

    It begins near the hand at rest, upright in the middle of the crop.
    """

    def __init__(self, config: SingleConfig) -> None:
        super().__init__()
        self.backbone = make_backbone(config)
        self.decoder: Decoder = ManoDecoder(config.mano) if config.mano else RigDecoder(config.skinning)
        features = self.backbone.outputs
        self.pose = head(features, 6 * ROTATIONS)
        self.shape = head(features, self.decoder.coefficients)
        self.camera = head(features, 3)
        start_at_rest(self.pose[-1])

    def forward(self, images: Tensor) -> tuple[View, tuple[Tensor, ...]]:
        """Images (B, 3, S, S), 0 to 1: what is said of them, and the backbone's maps at S/4, S/8, S/16 and S/32."""
        maps = tuple(one.float() for one in self.backbone(images))
        with torch.autocast(images.device.type, enabled=False):  # 8 bits are too few for a coordinate
            pooled = maps[-1].mean((-2, -1))
            rotations = from_6d(self.pose(pooled).unflatten(1, (ROTATIONS, 6)))
            shape = MAX_DEVIATIONS * self.shape(pooled).tanh()
            return self.decode(rotations, shape, positive(self.camera(pooled))), maps

    def decode(self, rotations: Tensor, shape: Tensor, camera: Tensor) -> View:
        """Points of rotations (B, 16, 3, 3), shape (B, K) and camera (B, 3)."""
        vertices, joints = self.decoder(rotations, shape)
        return View(rotations, shape, camera, joints, vertices, project(joints, camera))


def make_backbone(config: SingleConfig) -> ResNet | EfficientNet:
    """The network that the settings name; all give four maps."""
    if config.backbone == "efficientnet":
        return EfficientNet(config.width)
    return ResNet(int(config.backbone.removeprefix("resnet")), config.width)


def head(features: int, outputs: int) -> nn.Sequential:
    """(B, features) to (B, outputs) by two fully connected layers; what it says at first is near zero."""
    layers = nn.Sequential(nn.Linear(features, features), nn.LeakyReLU(SLOPE), nn.Linear(features, outputs))
    with torch.no_grad():
        layers[-1].weight.mul_(0.1)
        layers[-1].bias.zero_()
    return layers


@torch.no_grad()
def start_at_rest(layer: nn.Linear) -> None:
    """Let a layer that begins with 16 rotations of six numbers each say at first: at rest, fingers up."""
    layer.bias[:6].copy_(-torch.tensor(IDENTITY_6D))  # a half-turn about the line of sight: at rest fingers are down
    layer.bias[6 : 6 * ROTATIONS].copy_(torch.tensor(IDENTITY_6D).repeat(ROTATIONS - 1))


def positive(camera: Tensor) -> Tensor:
    """Weak-perspective cameras (B, 3) of what a layer says (B, 3): its first number becomes a positive scale."""
    scale = START * (STRETCH * (camera[:, :1] / STRETCH).tanh()).exp()
    return torch.cat([scale, camera[:, 1:]], 1)


def project(points: Tensor, camera: Tensor) -> Tensor:
    """uv (B, N, 2) of points (B, N, 3), in units from joint 9: s (x, y) + t, -1 to 1 over the crop."""
    return camera[:, None, :1] * points[..., :2] + camera[:, None, 1:]


def in_pixels(uv: Tensor, batch: Batch) -> Tensor:
    """Pixels (B, N, 2) of uv (B, N, 2), whose -1 and 1 are the crop's edges."""
    return (uv + 1) * (batch.size / 2)


def to_uv(pixels: Tensor, batch: Batch) -> Tensor:
    """uv (B, N, 2) of pixels (B, N, 2)."""
    return pixels * (2 / batch.size) - 1


def root_in_camera(camera: Tensor, batch: Batch) -> Tensor:
    """(B, 1, 3) m where joint 9 is, in camera axes, for a hand of the size that the model gave it: z = f / (px a m)."""
    scale = camera[:, :1] * (batch.size / 2) / UNIT
    pixels = in_pixels(camera[:, None, 1:].clamp(-FARTHEST, FARTHEST), batch)
    return unproject(pixels, batch.K[:, None, 0, 0] / scale, batch.K)
