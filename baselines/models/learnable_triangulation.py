"""Learnable triangulation (Iskakov et al., ICCV 2019): joints of several calibrated views, by algebra and by a volume.

Both are exact when what the views say is, differentiable to the pictures, and take any number of views from two on.
No ImageNet weights come with them: a first stage on heat-maps (ours) stands in, or `--init` with torchvision's file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from rigging.errors import InputError

from ..batch import Batch, Pose
from ..estimator import Estimator, Output
from ..geometry.camera import to_camera, to_world
from ..geometry.triangulate import triangulate
from ..geometry.volume import cube, random_turns, seen_at
from ..layers.heatmap import gaussian_maps, soft_argmax
from ..layers.resnet import ResNet, deconvolutions
from ..layers.v2v import V2V
from ..triangulation_losses import absolute_loss, detection_loss, soft_squared_loss, volume_loss
from .common import check_size

JOINTS = 21
LEAST = 1e-5  # weight of a view, so that no system of equations is singular


@dataclass(frozen=True)
class Config:
    """The defaults are the paper's but for depth and size: 152 and 384 px there."""

    size: int = 256  # px, side of the crops; a multiple of 32
    depth: Literal[18, 34, 50, 101, 152] = 50  # of the ResNet
    width: int = 64  # of its first features; 64 is the published network
    deconv: int = 256  # features of the deconvolutions
    sharpness: float = 100.0  # of the soft-argmax: inverse temperature
    sigma: float = 1.0  # of the first stage's Gaussians, in elements of the heat-maps
    solver: Literal["normal", "svd", "eigh"] = "normal"  # of the triangulation; the paper takes the SVD
    threshold: float = 0.2  # m, beyond which errors of joints hardly pull

    def __post_init__(self) -> None:
        if self.size < 32 or self.size % 32:
            raise ValueError(f"size = {self.size}: must be a multiple of 32")
        _positive(self, "width", "deconv", "sharpness", "sigma", "threshold")


@dataclass(frozen=True)
class VolumeConfig(Config):
    """The volume's defaults are the paper's but for its side, 2.5 m for a body, and the network's sizes."""

    side: float = 0.32  # m, of the cube about the hand
    resolution: int = 64  # voxels along its side; a multiple of 2^levels
    features: int = 32  # that a view shows at a voxel
    volume_width: int = 32  # of the network on the volume
    levels: int = 4  # of its hourglass
    first: Literal[3, 5, 7] = 7  # voxels, side of its first convolution
    aggregation: Literal["softmax", "confidence", "sum"] = "softmax"  # of the views

    def __post_init__(self) -> None:
        super().__post_init__()
        _positive(self, "side", "resolution", "features", "volume_width", "levels")
        if self.resolution % 2**self.levels:
            raise ValueError(f"resolution = {self.resolution}: must be a multiple of 2^levels = {2**self.levels}")


class LtAlgebraic(Estimator):
    """The algebraic approach. Output, with the loss it belongs to; only what the wanted losses need is computed.

    heatmaps   (B, 21, S/4, S/4)  `heatmap`, ours: logits over the sharpness
    joints_2d  (B, 21, 2) px      means of the heat-maps
    confidence (B, 21)            0 to 1, of each view's joints_2d
    joints     (B, 21, 3) m       `joints`, soft MSE: triangulated, in the axes of each crop's camera

    Calibrated views tell size and place of the hand; there is nothing that an oracle could add.
    """

    name = "lt_alg"
    Config = Config
    fields = ("rgb", "K", "world_to_cam", "joints_cam", "joints_2d")
    multi_view = True

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.backbone = ResNet(config.depth, config.width)
        self.deconvolutions = deconvolutions(self.backbone.outputs, config.deconv)
        self.heatmap = nn.Conv2d(config.deconv, JOINTS, 1)
        self.confidence = ConfidenceNet(self.backbone.outputs, JOINTS)
        nn.init.normal_(self.heatmap.weight, std=0.001)
        nn.init.zeros_(self.heatmap.bias)

    def forward(self, batch: Batch, wanted: frozenset[str] | None = None) -> Output:
        features, _, maps = self.detect(batch)
        found = self.triangulate(features, maps, batch) if wanted is None or "joints" in wanted else {}
        return {"heatmaps": maps} | found

    def detect(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """The backbone's features (B, C, S/32, S/32), these at (B, deconv, S/4, S/4), heat-maps (B, 21, S/4, S/4)."""
        check_size(self, batch)
        features = self.backbone(batch.rgb)[-1]
        upsampled = self.deconvolutions(features)
        return features, upsampled, self.heatmap(upsampled).float()

    def triangulate(self, features: Tensor, maps: Tensor, batch: Batch) -> Output:
        """joints_2d, confidence and joints of features (B, C, h, h) and heat-maps (B, 21, S/4, S/4)."""
        if batch.views < 2:
            raise InputError(f"{self.name}: one view of a sample; two or more can be triangulated")
        confidence = self.confidence(features).float()
        with torch.autocast(maps.device.type, enabled=False):  # 8 bits are too few for a coordinate
            pixels = soft_argmax(maps, batch.size, self.config.sharpness)
            seen = (by_sample(one, batch) for one in (pixels, batch.K, batch.world_to_cam))
            points = triangulate(*seen, view_weights(confidence, batch), self.config.solver)
            joints = in_each_camera(points, batch)
        return {"joints_2d": pixels, "confidence": confidence, "joints": joints}

    def losses(self, output: Output, batch: Batch) -> dict[str, Tensor]:
        found, valid, config = {}, batch.joint_valid, self.config
        if "heatmaps" in output and batch.joints_2d is not None:
            maps = output["heatmaps"]
            true = gaussian_maps(batch.joints_2d, batch.size, maps.shape[-1], config.sigma)
            found["heatmap"] = detection_loss(config.sharpness * maps, true, valid)
        if "joints" in output and batch.joints_cam is not None:
            found["joints"] = soft_squared_loss(output["joints"], batch.joints_cam, valid, config.threshold)
        return found

    def pose(self, output: Output, batch: Batch, oracle: bool = False) -> Pose:
        return Pose(output["joints"], output["joints_2d"], output["confidence"])


class LtVolumetric(LtAlgebraic):
    """The volumetric approach. Output: all of the algebraic estimator's, and of S samples and P voxels

    volumes       (S, 21, P)     `volume`, -log: probabilities of the voxels
    points        (S, P, 3) m    their centres, in the world
    volume_joints (B, 21, 3) m   `volume_joints`, L1: means, in the axes of each crop's camera

    The cube stands where the algebraic joints have their median; while training it is turned at random.
    """

    name = "lt_vol"
    Config = VolumeConfig

    def __init__(self, config: VolumeConfig) -> None:
        super().__init__(config)
        self.features = nn.Conv2d(config.deconv, config.features, 1)
        self.volume = V2V(config.features, JOINTS, config.volume_width, config.levels, config.first)

    def precompute(self, batch: Batch) -> Output:
        """What all but `features` and `volume` say, a row a crop; upsampled (B, deconv, S/4, S/4)."""
        features, upsampled, maps = self.detect(batch)
        return {"upsampled": upsampled, "heatmaps": maps} | self.triangulate(features, maps, batch)

    def forward(self, batch: Batch, wanted: frozenset[str] | None = None, precomputed: Output | None = None) -> Output:
        if wanted is not None and not wanted & {"volume", "volume_joints"}:
            return super().forward(batch, wanted)
        output = dict(self.precompute(batch) if precomputed is None else precomputed)
        maps = self.features(output.pop("upsampled")).float()
        exact = torch.autocast(batch.rgb.device.type, enabled=False)
        with exact:
            points = self.cubes(output["joints"], batch)
            filled = self.fill(maps, points, output["confidence"], batch).unflatten(-1, (self.config.resolution,) * 3)
        logits = self.volume(filled)
        with exact:
            volumes = logits.float().flatten(2).softmax(-1)
            joints = in_each_camera(volumes @ points, batch)
        return output | {"volumes": volumes, "points": points, "volume_joints": joints}

    def cubes(self, joints: Tensor, batch: Batch) -> Tensor:
        """Centres of voxels (S, P, 3) m in the world, about the median of each sample's joints (B, 21, 3) m."""
        world = to_world(joints[:: batch.views].detach(), batch.world_to_cam[:: batch.views])
        points = cube(self.config.side, self.config.resolution, joints.device)
        if self.volume.training:
            points = points @ random_turns(len(world), joints.device).mT
        return world.median(1, keepdim=True).values + points

    def fill(self, maps: Tensor, points: Tensor, confidence: Tensor, batch: Batch) -> Tensor:
        """What all views together show at points (S, P, 3) m: (S, C, P), of maps (B, C, h, h), confidence (B, 21)."""
        of_view = points.repeat_interleave(batch.views, 0)
        shown = by_sample(seen_at(maps, of_view, batch.K, batch.world_to_cam, batch.size), batch)  # (S, V, C, P)
        if self.config.aggregation == "softmax":
            return (shown * shown.softmax(1)).sum(1)
        if self.config.aggregation == "sum":
            return shown.sum(1)
        return (shown * view_weights(confidence, batch).mean(-1)[..., None, None]).sum(1)

    def losses(self, output: Output, batch: Batch) -> dict[str, Tensor]:
        found, valid = super().losses(output, batch), batch.joint_valid
        if "volumes" in output and batch.joints_cam is not None:
            found["volume_joints"] = absolute_loss(output["volume_joints"], batch.joints_cam, valid)
            first = slice(None, None, batch.views)
            true = to_world(batch.joints_cam[first], batch.world_to_cam[first])
            valid = None if valid is None else valid[first]
            found["volume"] = volume_loss(output["volumes"], output["points"], true, valid)
        return found

    def pose(self, output: Output, batch: Batch, oracle: bool = False) -> Pose:
        return Pose(output["volume_joints"], output["joints_2d"], output["confidence"])


class ConfidenceNet(nn.Module):
    """Features (B, inputs, h, w) to confidences (B, joints) in 0 to 1.

    Two convolutions, a mean over the map, three fully connected layers, as in the paper; widths are the public code's.
    """

    def __init__(self, inputs: int, joints: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(*_normed(inputs, 512), *_normed(512, 256))
        self.head = nn.Sequential(
            nn.Linear(256, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, joints), nn.Sigmoid()
        )

    def forward(self, features: Tensor) -> Tensor:
        """features (B, inputs, h, w) to (B, joints)."""
        return self.head(self.convolutions(features).mean((-2, -1)))


def by_sample(values: Tensor, batch: Batch) -> Tensor:
    """Values (B, ...) of crops as (S, V, ...) of samples."""
    return values.unflatten(0, (-1, batch.views))


def view_weights(confidence: Tensor, batch: Batch) -> Tensor:
    """(S, V, 21): each view's share of the confidences (B, 21) of a joint, and never nothing."""
    confidence = by_sample(confidence, batch)
    return confidence / confidence.sum(1, keepdim=True) + LEAST


def in_each_camera(points: Tensor, batch: Batch) -> Tensor:
    """Points (S, N, 3) m in the world as (B, N, 3) in the axes of each crop's camera."""
    return to_camera(points.repeat_interleave(batch.views, 0), batch.world_to_cam)


def _normed(inputs: int, outputs: int) -> tuple[nn.Module, nn.Module, nn.Module]:
    return nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()


def _positive(config: Config, *names: str) -> None:
    for name in names:
        if getattr(config, name) <= 0:
            raise ValueError(f"{name} = {getattr(config, name)!r}: must be positive")
