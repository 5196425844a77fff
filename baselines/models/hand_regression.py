"""Parametric hand regression, a comparison of Ge et al. (CVPR 2019, section 5): the parameters of a hand model.

The paper regresses pose and shape of MANO from the latent feature by three fully connected layers; the model here is
our own rig (layers/hand_layer.py). What the paper leaves to its supplement is ours (docs/reproduction.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from rigging.hand.shape import MAX_DEVIATIONS
from rigging.joints import BONE_NAMES

from ..batch import Batch
from ..estimator import Output
from ..geometry.camera import SCALE_BONE, bone_lengths, rays
from ..geometry.ik import bone_rotations
from ..geometry.rotations import IDENTITY_6D, from_6d
from ..layers.hand_layer import HandLayer, chain
from ..layers.image_encoder import LATENT
from ..losses import masked_mean
from ..mesh_losses import Reduction, vertex_loss
from .common import ImageConfig, ImageEstimator, SizeHead
from .uvd import lift_uvd, true_mesh, true_root, true_scale

BONES = len(BONE_NAMES)
MEAN_SHARE = 0.175  # of a crop's side that the scale's bone would take, seen from the side at the wrist's depth
NEAREST = 1.0  # hand scales, in front of the camera: nothing is projected from nearer


@dataclass(frozen=True)
class Config(ImageConfig):
    """Nothing here is on a graph."""

    hidden: int = 1024  # features of the fully connected layers, and of the size's
    skinning: Literal["dual_quaternion", "linear"] = "dual_quaternion"  # as releases are skinned; MANO's is linear
    reduction: Reduction = "mean"  # of the losses; "sum" is the paper's


class HandRegression(ImageEstimator):
    """Output, with the losses it belongs to; only what the wanted losses need is computed.

    heatmaps  (B, stacks, 21, S/4, S/4)  `heatmap`, L_H
    rotations (B, 21, 3, 3)              `rotation`, ours: against those that fit the labels' joints
    size      (B,)                       `size`, ours: all bones' length over the mean hand's; 1 until it is learnt
    joints    (B, 21, 3)                 `pose`, L_J: (u, v, d) of the hand model, see uvd.py
    mesh      (B, 2651, 3)               `vertex`, L_v: likewise; a hand model has no roughness to smooth
    """

    name = "hand_regression"
    Config = Config
    fields = ("rgb", "K", "world_to_cam", "joints_cam", "joints_2d", "vertices_world")

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.hand = HandLayer(config.skinning)
        self.regressor = ParameterHead(config.width, config.hidden, len(self.hand.shape_joints))
        self.size = SizeHead(config.width, config.hidden)

    def forward(self, batch: Batch, wanted: frozenset[str] | None = None) -> Output:
        maps, given, features = self.seen(batch)
        output = {"heatmaps": maps.float()}
        if wanted == {"heatmap"}:
            return output
        latent = self.encoder(maps[:, -1], given, features)
        with torch.autocast(latent.device.type, enabled=False):
            said = self.regressor(latent.float())
            output |= {"rotations": chain(said.palm, said.local), "size": self.size(latent.float())}
            if wanted is None or wanted & {"vertex", "pose", "size"}:
                output |= self.posed(output["rotations"], said, batch)
        return output

    def posed(self, rotations: Tensor, said: Parameters, batch: Batch) -> Output:
        """`joints` and `mesh` of the hand model with rotations (B, 21, 3, 3), shape, and place in the crop."""
        hand = self.hand(rotations, said.shape)
        scale = bone_lengths(hand.joints)[:, SCALE_BONE, None, None]
        mesh, joints = (seen_in_crop(points / scale, said.wrist, said.share, batch) for points in hand)
        return {"joints": joints, "mesh": mesh}

    def losses(self, output: Output, batch: Batch) -> dict[str, Tensor]:
        found, how = super().losses(output, batch), self.config.reduction
        if "rotations" in output and batch.joints_cam is not None:
            true = bone_rotations(self.hand.joints, batch.joints_cam)
            found["rotation"] = rotation_loss(output["rotations"], true, batch.joint_valid)
        if "mesh" in output and batch.vertices_cam is not None and batch.joints_cam is not None:
            vertices = lift_uvd(output["mesh"], batch, true_scale(batch), true_root(batch))
            uv, true_uv = (mesh[..., :2] for mesh in (output["mesh"], true_mesh(batch)))
            found["vertex"] = vertex_loss(vertices, batch.vertices_cam, uv, true_uv, how)
        return found


class Parameters(NamedTuple):
    """Of a hand model, and of how it stands in the crop."""

    palm: Tensor  # (B, 3, 3) from the rig's axes at rest to the camera's
    local: Tensor  # (B, 21, 3, 3) of each bone against the one before
    shape: Tensor  # (B, K) in standard deviations
    wrist: Tensor  # (B, 2) where it is seen, in shares of the crop
    share: Tensor  # (B,) of the crop's side that the scale's bone would take, seen from the side at the wrist's depth


class ParameterHead(nn.Module):
    """The latent feature to all parameters, by three fully connected layers; rotations as Zhou et al.'s six numbers.

    It begins near the hand at rest, in the middle of the crop.
    """

    def __init__(self, width: int, hidden: int, coefficients: int) -> None:
        super().__init__()
        self.sizes = [6, 6 * BONES, coefficients, 2, 1]
        self.hidden = nn.Sequential(
            nn.Linear(width * LATENT**2, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()
        )
        self.last = nn.Linear(hidden, sum(self.sizes))
        with torch.no_grad():
            self.last.weight.mul_(0.1)
            start = [*IDENTITY_6D * (1 + BONES), *[0.0] * coefficients, 0.5, 0.5, math.log(MEAN_SHARE)]
            self.last.bias.copy_(torch.tensor(start))

    def forward(self, latent: Tensor) -> Parameters:
        """The parameters of B hands, of their latent features (B, F)."""
        palm, local, shape, wrist, share = self.last(self.hidden(latent)).split(self.sizes, 1)
        shape = MAX_DEVIATIONS * shape.tanh()
        return Parameters(from_6d(palm), from_6d(local.unflatten(1, (BONES, 6))), shape, wrist, share.exp().squeeze(1))


def seen_in_crop(points: Tensor, wrist: Tensor, share: Tensor, batch: Batch) -> Tensor:
    """(u, v, d) (B, N, 3) of points (B, N, 3) in camera axes, from the wrist and over the hand's scale.

    The wrist is seen at `wrist` (B, 2), in shares of the crop; f / (S share) is its depth over the scale, with f the
    crop's focal length: no length in metres is needed to project, X / s = X_rel / s + (z_root / s) K^-1 (u, v, 1).
    """
    depth = batch.K[:, 0, 0] / (batch.size * share)
    placed = points + depth[:, None, None] * rays(wrist[:, None] * batch.size, batch.K)
    pixels = (placed / placed[..., 2:].clamp(min=NEAREST) @ batch.K.mT)[..., :2]
    return torch.cat([pixels / batch.size, points[..., 2:]], -1)


def rotation_loss(rotations: Tensor, true: Tensor, valid: Tensor | None = None) -> Tensor:
    """Ours: |R - R^|_F^2 of rotations (B, 21, 3, 3), averaged over the bones that end in joints 1 to 20.

    Joints say nothing of the forearm's turn, and nothing at all unless all of a hand are valid (B, 21) bool.
    """
    squared = (rotations - true)[:, 1:].square().sum((-2, -1)).mean(1)
    return masked_mean(squared, None if valid is None else valid.all(1))
