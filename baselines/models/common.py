"""What estimators of one hourglass and one latent feature share: settings, heads, losses in Ge et al.'s units, pose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from rigging.errors import InputError
from rigging.hand.asset import load_asset

from ..batch import Batch, Pose
from ..estimator import Estimator, Output
from ..geometry.camera import bone_lengths, rig_bones
from ..layers.heatmap import gaussian_maps, peaks
from ..layers.hourglass import StackedHourglass
from ..layers.image_encoder import LATENT, ImageEncoder
from ..losses import heatmap_loss, size_loss
from ..mesh_losses import (
    Reduction,
    edge_loss,
    laplacian_loss,
    mesh_edges,
    normal_loss,
    pose_loss,
    vertex_loss,
)
from .uvd import held, held_size, lift_uvd, scale_and_root, start_at_centre, true_mesh, true_root, true_scale

JOINTS = 21
MESH_LOSSES = frozenset({"vertex", "normal", "edge", "laplacian"})  # the terms of Ge's L_M


@dataclass(frozen=True)
class ImageConfig:
    """What all need: hourglasses and fully connected layers."""

    size: int = 256  # px, side of the crops; a power of two
    stacks: int = 2
    width: int = 256  # features of the hourglasses; a multiple of four
    levels: int = 4  # of each hourglass
    modules: int = 2  # residuals at each of its places
    sigma: float = 2.0  # of the heat-maps' Gaussians, in their elements
    hidden: int = 512  # of the fully connected layers
    mean_scale: float = 0.0332  # m, of the mean hand: middle finger, MCP to PIP

    def __post_init__(self) -> None:
        if self.size < 64 or self.size & (self.size - 1):
            raise ValueError(f"size = {self.size}: must be a power of two, from 64 on")
        if self.width < 4 or self.width % 4:
            raise ValueError(f"width = {self.width}: must be a multiple of 4")
        if not 1 <= 2**self.levels <= self.size // 4:
            raise ValueError(f"levels = {self.levels}: heat-maps of {self.size // 4} px allow fewer")
        if min(self.stacks, self.levels, self.modules, self.hidden, self.sigma, self.mean_scale) <= 0:
            raise ValueError("every number must be positive")


class ImageEstimator(Estimator):
    """What sees a picture by an hourglass and makes one latent feature of it; subclasses say what follows from that.

    Its parts are `hourglass` and `encoder`. Of what subclasses say, `joints` and `size` have losses and a pose here.
    """

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.hourglass = StackedHourglass(config.stacks, config.width, config.levels, config.modules, JOINTS)
        self.encoder = ImageEncoder(JOINTS, config.width, config.size // 4)
        self.register_buffer("mean_bones", rig_bones(config.mean_scale), persistent=False)  # (20,) m

    def seen(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Heat-maps (B, stacks, 21, S/4, S/4), and both features (B, width, S/4, S/4) for the encoder beside them."""
        check_size(self, batch)
        return self.hourglass(batch.rgb - 0.5)

    def losses(self, output: Output, batch: Batch) -> dict[str, Tensor]:
        how = self.config.reduction
        found = heatmap_losses(output, batch, self.config.sigma, how)
        return found | joint_losses(output, batch, self.mean_bones, how)

    def pose(self, output: Output, batch: Batch, oracle: bool = False) -> Pose:
        return lifted_pose(output, batch, self.mean_bones, oracle)


def check_size(estimator: Estimator, batch: Batch) -> None:
    """Raises InputError for crops of another size than the estimator's `config.size`."""
    if batch.size != estimator.config.size:
        raise InputError(
            f"{estimator.name}: crops of {batch.size} px, the estimator is made for {estimator.config.size}"
        )


def heatmap_losses(output: Output, batch: Batch, sigma: float, reduction: Reduction) -> dict[str, Tensor]:
    """`heatmap`, Ge's L_H: sum over the joints of |H - H^|^2 ("mean": over their number), averaged over stacks."""
    if "heatmaps" not in output or batch.joints_2d is None:
        return {}
    maps = output["heatmaps"]
    true = gaussian_maps(batch.joints_2d, batch.size, maps.shape[-1], sigma)
    loss = heatmap_loss(maps, true, batch.joint_valid)
    return {"heatmap": loss * maps.shape[2] if reduction == "sum" else loss}


def joint_losses(output: Output, batch: Batch, mean_bones: Tensor, reduction: Reduction) -> dict[str, Tensor]:
    """`pose`, Ge's L_J of `joints` (B, 21, 3) (u, v, d); `size`, ours, of `size` (B,). mean_bones (20,) m."""
    if "joints" not in output or batch.joints_cam is None:
        return {}
    valid = batch.joint_valid
    joints = lift_uvd(output["joints"], batch, true_scale(batch), true_root(batch))
    size = bone_lengths(batch.joints_cam).sum(1) / mean_bones.sum()
    return {
        "pose": pose_loss(joints, batch.joints_cam, valid, reduction),
        "size": size_loss(output["size"], size, None if valid is None else valid.all(1)),
    }


def register_triangles(module: nn.Module) -> None:
    """Give `module` the buffers `faces` (F, 3) and `edges` (E, 2) of the hand's mesh, int64, no parts of weights."""
    faces = torch.from_numpy(load_asset().faces).long()
    module.register_buffer("faces", faces, persistent=False)
    module.register_buffer("edges", mesh_edges(faces), persistent=False)


def mesh_losses(mesh: Tensor, batch: Batch, faces: Tensor, edges: Tensor, reduction: Reduction) -> dict[str, Tensor]:
    """The terms of Ge's L_M of a mesh (B, 2651, 3) (u, v, d), which is lifted with the labels' root depth and scale."""
    true = batch.vertices_cam
    if true is None or batch.joints_cam is None:
        return {}
    vertices = lift_uvd(mesh, batch, true_scale(batch), true_root(batch))
    return {
        "vertex": vertex_loss(vertices, true, mesh[..., :2], true_mesh(batch)[..., :2], reduction),
        "normal": normal_loss(vertices, true, faces, reduction),
        "edge": edge_loss(vertices, true, edges, reduction),
        "laplacian": laplacian_loss(vertices, true, edges, reduction),
    }


def lifted_pose(output: Output, batch: Batch, mean_bones: Tensor, oracle: bool) -> Pose:
    """The pose of `joints` (B, 21, 3) and, if there is one, `mesh`, both (u, v, d), of `heatmaps` and `size` (B,)."""
    joints, bones = held(output["joints"]), mean_bones * held_size(output["size"])[:, None]
    frame = scale_and_root(joints[..., :2] * batch.size, joints[..., 2], batch, bones, oracle)
    seen = peaks(output["heatmaps"][:, -1], batch.size)
    vertices = lift_uvd(held(output["mesh"]), batch, *frame) if "mesh" in output else None
    return Pose(lift_uvd(joints, batch, *frame), *seen, vertices)


class JointHead(nn.Module):
    """The latent feature to joints (B, 21, 3) (u, v, d): two fully connected layers that start at the centre."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(width * LATENT**2, hidden)
        self.joints = nn.Linear(hidden, JOINTS * 3)
        start_at_centre(self.joints.weight, self.joints.bias)

    def forward(self, latent: Tensor) -> Tensor:
        """(B, 21, 3) of latent (B, width LATENT^2)."""
        return self.joints(self.hidden(latent).relu()).float().unflatten(1, (JOINTS, 3))


class SizeHead(nn.Module):
    """The latent feature to the hand's size (B,), ours; it starts at 1 and stays there until a stage learns it."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(width * LATENT**2, hidden)
        self.size = nn.Linear(hidden, 1)
        nn.init.zeros_(self.size.weight)
        nn.init.zeros_(self.size.bias)

    def forward(self, latent: Tensor) -> Tensor:
        """(B,) of latent (B, width LATENT^2)."""
        return self.size(self.hidden(latent).relu()).float().squeeze(1).exp()
