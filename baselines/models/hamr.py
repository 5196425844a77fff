"""HAMR (Zhang et al., End-to-end Hand Mesh Recovery from a Monocular RGB Image, ICCV 2019).

Image, heat-maps and other maps, one feature, and from it by iterative regression a camera and the numbers of a hand
model, which is ours. docs/reproduction.md lists what the paper leaves open.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rigging.hand.asset import load_asset

from ..batch import Batch, Pose
from ..estimator import Estimator, Output
from ..geometry.camera import FARTHEST, NEAREST, SCALE_BONE, bone_lengths, unproject
from ..hamr_losses import (
    DM,
    camera_loss,
    geometry_loss,
    image_loss,
    joint_loss,
    map_loss,
    silhouette_loss,
    true_camera,
    weak_projection,
)
from ..layers.growing_hourglass import GrowingStack, StridedEncoder
from ..layers.heatmap import gaussian_maps, peaks
from ..layers.raster import silhouette
from .common import JOINTS, check_size
from .hamr_hand import HandNumbers, IterativeRegression, JointNumbers, Skinning, Turn
from .uvd import true_root, true_scale

CAMERA = (1.0, 0.0, 0.0)  # s, t_x, t_y, from which the regression begins
REACH = 0.3  # m from the wrist, in each direction
SCALES, SHIFT = (0.1, 10.0), 5.0  # of cameras


@dataclass(frozen=True)
class Config:
    """The defaults are the paper's network."""

    size: int = 256  # px, side of the crops; a power of two
    stacks: int = 2
    width: int = 256  # features of the hourglasses where they are finest
    growth: int = 128  # more at every level down
    levels: int = 4
    maps: int = 64  # the first 21 are heat-maps
    sigma: float = 2.5  # of the heat-maps' Gaussians, in their elements
    feature: int = 2048
    hidden: int = 2048  # of the regression's layers
    dropout: float = 0.4
    iterations: int = 3  # of the regression
    turn: Turn = "axis_angle"  # how the hand's rotation is regressed
    pose: int = 6  # components of the pose
    shape: int = 10  # the size, and components of the shape
    mesh: bool = True  # False regresses joints without a hand model: the paper's ablation
    side: int = 64  # px, of silhouettes
    softness: float = 0.15  # px of them; with more the many small triangles swell
    skinning: Skinning = "dual_quaternion"  # as releases are skinned; MANO's is linear

    def __post_init__(self) -> None:
        if self.size < 32 or self.size & (self.size - 1):
            raise ValueError(f"size = {self.size}: must be a power of two, from 32 on")
        if not 1 <= 2**self.levels <= self.size // 4:
            raise ValueError(f"levels = {self.levels}: maps of {self.size // 4} px allow fewer")
        if self.maps < JOINTS or self.size % max(self.side, 1):
            raise ValueError(f"maps = {self.maps}, side = {self.side}: from {JOINTS} on, and a part of {self.size} px")
        if not 0 <= self.dropout < 1 or not 1 <= self.shape <= 1 + len(load_asset().shape_names):
            raise ValueError(f"dropout = {self.dropout}, shape = {self.shape}: from 0 to below 1, from 1 to 19")
        numbers = (self.stacks, self.width, self.sigma, self.feature, self.hidden, self.iterations, self.side)
        if min(*numbers, self.softness) <= 0:
            raise ValueError("every number must be positive")


class Hamr(Estimator):
    """Output, with the loss it belongs to; only what the wanted losses need is computed.

    heatmaps (B, stacks, 21, S/4, S/4)  `heatmap`, L_ht
    camera   (B, 3)                     `camera`, L_cam: s, t of a weak perspective, see hamr_losses.py
    joints   (B, 21, 3) m               `joints`, L_3D; `geometry`, L_geo; with the camera `image`, L_2D: relative to
                                        the wrist, in camera axes
    vertices (B, 2651, 3) m             `silhouette`, L_seg, with the camera: likewise
    """

    name = "hamr"
    Config = Config
    fields = ("rgb", "K", "world_to_cam", "joints_cam", "joints_2d", "mask")

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.hourglass = GrowingStack(config.stacks, config.width, config.growth, config.levels, config.maps)
        self.encoder = StridedEncoder(config.size // 4, config.width + config.maps, config.feature)
        self.hand = (
            HandNumbers(config.turn, config.pose, config.shape, config.skinning) if config.mesh else JointNumbers()
        )
        start = torch.cat([torch.tensor(CAMERA), self.hand.start()])
        self.regressor = IterativeRegression(start, config.feature, config.hidden, config.dropout, config.iterations)
        self.register_buffer("faces", torch.from_numpy(load_asset().faces).long(), persistent=False)

    def forward(self, batch: Batch, wanted: frozenset[str] | None = None) -> Output:
        check_size(self, batch)
        maps, features = self.hourglass(batch.rgb - 0.5)
        output = {"heatmaps": maps[:, :, :JOINTS].float()}
        if wanted == {"heatmap"}:
            return output
        feature = self.encoder(torch.cat([features, maps[:, -1]], 1))
        with torch.autocast(feature.device.type, enabled=False):
            camera, numbers = self.regressor(feature.float()).tensor_split([len(CAMERA)], 1)
            points = self.hand(numbers)
        if wanted is not None and "silhouette" not in wanted:
            points.pop("vertices", None)
        return output | {"camera": camera} | points

    def losses(self, output: Output, batch: Batch) -> dict[str, Tensor]:
        found, maps, valid = {}, output["heatmaps"], batch.joint_valid
        if batch.joints_2d is not None:
            true = gaussian_maps(batch.joints_2d, batch.size, maps.shape[-1], self.config.sigma)
            found["heatmap"] = map_loss(maps, true, valid)
        if "joints" in output:
            found |= self.joint_losses(output["joints"], output["camera"], batch)
        if "vertices" in output and batch.mask is not None:
            found["silhouette"] = silhouette_loss(self.silhouettes(output, batch), batch.mask)
        return found

    def joint_losses(self, joints: Tensor, camera: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Those of joints (B, 21, 3) m and cameras (B, 3) that the labels allow."""
        found, valid = {"geometry": geometry_loss(joints)}, batch.joint_valid
        if batch.joints_2d is not None:
            true_seen = 2 * batch.joints_2d / batch.size - 1
            found["image"] = image_loss(weak_projection(joints, camera), true_seen, valid)
        if batch.joints_cam is not None:
            true = batch.joints_cam - batch.joints_cam[:, :1]
            found["joints"] = joint_loss(joints, true, None if valid is None else valid & valid[:, :1])
            if batch.joints_2d is not None:
                whole = None if valid is None else valid.all(1)
                found["camera"] = camera_loss(camera, true_camera(true, true_seen), whole)
        return found

    def silhouettes(self, output: Output, batch: Batch) -> Tensor:
        """(B, side, side), 0 to 1, of the meshes as their cameras see them; those without a mask stay empty."""
        side = self.config.side
        known = batch.mask.flatten(1).any(1)
        seen = side / 2 * (1 + weak_projection(output["vertices"][known], output["camera"][known]))
        flat = torch.cat([seen, torch.ones_like(seen[..., :1])], -1)  # only what lies in front counts, not how far
        shown = seen.new_zeros(len(batch), side, side)
        return shown.index_put((known,), silhouette(flat, self.faces, side, self.config.softness))

    def pose(self, output: Output, batch: Batch, oracle: bool = False) -> Pose:
        joints = output["joints"].clamp(-REACH, REACH)
        scale, root = placed(joints, output["camera"], batch, oracle)
        vertices = scale * output["vertices"] + root if "vertices" in output else None
        return Pose(scale * joints + root, *peaks(output["heatmaps"][:, -1], batch.size), vertices)


def placed(joints: Tensor, camera: Tensor, batch: Batch, oracle: bool) -> tuple[Tensor, Tensor]:
    """A factor of the size (B, 1, 1), and where the wrist is (B, 1, 3) m, of hands (B, 21, 3) m and cameras (B, 3).

    The middle of the joints is seen where the weak perspective puts it, at the depth f / s at which the crop's camera
    agrees with it; with `oracle` root depth and scale are the labels'.
    """
    scale, shift = camera[:, :1].clamp(*SCALES), camera[:, 1:].clamp(-SHIFT, SHIFT)
    middle = joints.mean(1, keepdim=True)
    pixel = batch.size / 2 * (1 + weak_projection(middle, torch.cat([scale, shift], 1)))
    if oracle:
        own = bone_lengths(joints)[:, SCALE_BONE].clamp_min(1e-3)
        factor = true_scale(batch) / own
        depth = true_root(batch) + factor * middle[:, 0, 2]
    else:
        factor = torch.ones_like(scale[:, 0])
        depth = (batch.K[:, 0, 0] / (scale[:, 0] * DM * batch.size / 2)).clamp(NEAREST + REACH, FARTHEST)
    factor = factor[:, None, None]
    return factor, unproject(pixel, depth[:, None], batch.K) - factor * middle
