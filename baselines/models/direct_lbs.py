"""Direct linear blend skinning, the first comparison of Ge et al. (CVPR 2019, section 5): joints, then a mesh without learning.

A network regresses the joints alone; inverse kinematics and skinning with our rig make a mesh of them. What the paper
leaves to its supplement is ours (docs/reproduction.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..batch import Batch, Pose
from ..estimator import Estimator, Output
from ..geometry.camera import bone_lengths, rig_bones
from ..geometry.ik import bone_rotations
from ..layers.hand_layer import Hand, HandLayer
from ..layers.heatmap import peaks
from ..layers.hourglass import StackedHourglass
from ..layers.image_encoder import LATENT, ImageEncoder
from ..mesh_losses import Reduction
from .common import SizeHead, check_size, heatmap_losses, joint_losses
from .single_view import JOINTS
from .single_view import Config as SingleConfig
from .uvd import lift_uvd, scale_and_root


@dataclass(frozen=True)
class Config(SingleConfig):
    """As MVHM's; nothing here is on a graph."""

    reduction: Reduction = "mean"  # of the losses; "sum" is the paper's


class DirectLbs(Estimator):
    """Output, with the losses it belongs to; only what the wanted losses need is computed.

    heatmaps (B, stacks, 21, S/4, S/4)  `heatmap`, L_H
    joints   (B, 21, 3)                 `pose`, L_J: (u, v, d), see uvd.py
    size     (B,)                       `size`, ours: all bones' length over the mean hand's; 1 until it is learnt

    The mesh follows in `pose` and is not trained on.
    """

    name = "direct_lbs"
    Config = Config
    fields = ("rgb", "K", "world_to_cam", "joints_cam", "joints_2d")

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.hourglass = StackedHourglass(config.stacks, config.width, config.levels, config.modules, JOINTS)
        self.encoder = ImageEncoder(JOINTS, config.width, config.size // 4)
        self.joints = JointHead(config.width, config.hidden)
        self.size = SizeHead(config.width, config.hidden)
        self.hand = HandLayer("linear")
        self.register_buffer("mean_bones", rig_bones(config.mean_scale), persistent=False)  # (20,) m

    def forward(self, batch: Batch, wanted: frozenset[str] | None = None) -> Output:
        check_size(self, batch)
        maps, given, features = self.hourglass(batch.rgb - 0.5)
        output = {"heatmaps": maps.float()}
        if wanted is None or wanted & {"pose", "size"}:
            latent = self.encoder(maps[:, -1], given, features)
            output |= {"joints": self.joints(latent), "size": self.size(latent)}
        return output

    def losses(self, output: Output, batch: Batch) -> dict[str, Tensor]:
        how = self.config.reduction
        heatmap = heatmap_losses(output, batch, self.config.sigma, how)
        return heatmap | joint_losses(output, batch, self.mean_bones, how)

    def pose(self, output: Output, batch: Batch, oracle: bool = False) -> Pose:
        joints, bones = output["joints"], self.mean_bones * output["size"][:, None]
        frame = scale_and_root(joints[..., :2] * batch.size, joints[..., 2], batch, bones, oracle)
        joints = lift_uvd(joints, batch, *frame)
        seen = peaks(output["heatmaps"][:, -1], batch.size)
        return Pose(joints, *seen, hand_with_joints(self.hand, joints).vertices)


class JointHead(nn.Module):
    """The latent feature to joints (B, 21, 3) as (u, v, d), by two fully connected layers in float32."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(width * LATENT**2, hidden)
        self.joints = nn.Linear(hidden, JOINTS * 3)

    def forward(self, latent: Tensor) -> Tensor:
        """(B, 21, 3) of latent (B, width LATENT^2)."""
        with torch.autocast(latent.device.type, enabled=False):
            return self.joints(self.hidden(latent.float()).relu()).unflatten(1, (JOINTS, 3))


def hand_with_joints(layer: HandLayer, joints: Tensor) -> Hand:
    """The mean hand with just these joints (B, 21, 3) m: sized and stretched to their bones, then turned and skinned.

    Rotations are those of `bone_rotations`: the palm by Kabsch, then shortest arcs. Differentiable as they are.
    """
    lengths, mean = bone_lengths(joints), layer.rest()
    size = (lengths.sum(1) / bone_lengths(mean.joints).sum(1))[:, None, None]
    rest = layer.stretch(Hand(size * mean.vertices, size * mean.joints), lengths)
    return layer.pose(rest, bone_rotations(rest.joints, joints), joints[:, 0])
