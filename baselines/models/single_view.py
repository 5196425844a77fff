"""MVHM's single-view estimator (Chen et al., WACV 2021, section 4): image, heat-maps, mesh, depths of the joints, pose.

What the paper leaves open is taken from Ge et al. (CVPR 2019), whom it follows; docs/reproduction.md lists all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from ..batch import Batch, Pose
from ..estimator import Estimator, Output
from ..geometry.camera import SCALE_BONE, bone_lengths, rig_bones
from ..layers.graph_conv import GraphBlock, GraphConv
from ..layers.heatmap import gaussian_maps, peaks
from ..layers.hierarchy import Hierarchy, load_hierarchy
from ..layers.hourglass import StackedHourglass
from ..layers.image_encoder import LATENT, ImageEncoder
from ..losses import depth_loss, heatmap_loss, mesh_loss, size_loss
from .common import JOINTS, ImageConfig, check_size
from .uvd import held, held_depth, held_size, lift, lift_uvd, scale_and_root, true_depth, true_mesh


@dataclass(frozen=True)
class Config(ImageConfig):
    """The defaults are the paper's network where it gives one."""

    coarse: int = 64  # features of the graph convolutions on the two coarser levels
    fine: int = 32  # and on the two finer ones, and of the depth network
    terms: int = 3  # of the Chebyshev polynomials, S + 1 in the paper
    matching: Literal["matching", "heavy_edge"] = "matching"  # how the mesh was coarsened

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.coarse, self.fine, self.terms) < 1:
            raise ValueError("every number must be positive")


class MvhmSingleView(Estimator):
    """Output, with the loss it belongs to; only what the wanted losses need is computed.

    heatmaps (B, stacks, 21, S/4, S/4)  `heatmap`, L_h
    mesh     (B, 2651, 3)               `mesh`, L_m: u, v in 0 to 1 of the crop; depth from the root over the scale
    depth    (B, 21)                    `depth`, L_d: depth from the root over the scale
    size     (B,)                       `size`, ours: all bones' length over the mean hand's; 1 until it is learnt

    The scale is the length of the middle finger's proximal bone. `size` serves poses without an oracle only.
    """

    name = "mvhm_sv"
    Config = Config
    fields = ("rgb", "K", "world_to_cam", "joints_cam", "joints_2d", "vertices_world")

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        hierarchy = load_hierarchy(config.matching)
        self.hourglass = StackedHourglass(config.stacks, config.width, config.levels, config.modules, JOINTS)
        self.mesh = MeshNet(config, hierarchy)
        self.depth = DepthNet(config, hierarchy)
        bones = rig_bones(config.mean_scale)
        self.register_buffer("mean_bones", bones, persistent=False)  # (20,) m

    def forward(self, batch: Batch, wanted: frozenset[str] | None = None) -> Output:
        check_size(self, batch)
        wanted = frozenset({"heatmap", "mesh", "depth", "size"}) if wanted is None else wanted
        maps, given, features = self.hourglass(batch.rgb - 0.5)
        output = {"heatmaps": maps.float()}
        if wanted & {"mesh", "depth", "size"}:
            output["mesh"] = self.mesh(maps[:, -1], given, features)
        if wanted & {"depth", "size"}:
            output["depth"], output["size"] = self.depth(output["mesh"])
        return output

    def losses(self, output: Output, batch: Batch) -> dict[str, Tensor]:
        found, valid = {}, batch.joint_valid
        maps = output["heatmaps"]
        if batch.joints_2d is not None:
            true = gaussian_maps(batch.joints_2d, batch.size, maps.shape[-1], self.config.sigma)
            found["heatmap"] = heatmap_loss(maps, true, valid)
        if "mesh" in output and batch.vertices_cam is not None and batch.joints_cam is not None:
            found["mesh"] = mesh_loss(output["mesh"], true_mesh(batch))
        if "depth" in output and batch.joints_cam is not None:
            found["depth"] = depth_loss(output["depth"], true_depth(batch), valid)
            true = bone_lengths(batch.joints_cam).sum(1) / self.mean_bones.sum()
            found["size"] = size_loss(output["size"], true, None if valid is None else valid.all(1))
        return found

    def pose(self, output: Output, batch: Batch, oracle: bool = False) -> Pose:
        uv, confidence = peaks(output["heatmaps"][:, -1], batch.size)
        relative = held_depth(output["depth"] - output["depth"][:, :1])
        bones = self.mean_bones * held_size(output["size"])[:, None]
        scale, root = scale_and_root(uv, relative, batch, bones, oracle)
        joints = lift(uv, relative, scale, root, batch.K)
        vertices = None
        if "mesh" in output:
            vertices = lift_uvd(held(output["mesh"]), batch, scale, root)
        return Pose(joints, uv, confidence, vertices)

    def scale(self, output: Output) -> Tensor:
        """(B,) m, without an oracle: the mean hand's times the size."""
        return self.mean_bones[SCALE_BONE] * held_size(output["size"])


class MeshNet(ImageEncoder):
    """Heat-maps and features of the hourglass to the mesh, coarse to fine over the levels of the hierarchy.

    MVHM, section 4.1, with the image encoder and, in kind, the widths of Ge et al. The graph convolutions stay in
    float32: 8 bits are too few for a coordinate, and to convert costs more than it saves. It is an encoder, not has
    one, so that weights keep their names.
    """

    def __init__(self, config: Config, hierarchy: Hierarchy) -> None:
        super().__init__(JOINTS, config.width, config.size // 4)
        coarse, fine = config.coarse, config.fine
        self.nodes = hierarchy.sizes[3]
        self.hidden = nn.Linear(config.width * LATENT**2, config.hidden)
        self.to_nodes = nn.Linear(config.hidden, self.nodes * coarse)
        level = [partial(GraphBlock, laplacian, terms=config.terms) for laplacian in hierarchy.laplacians]
        self.level3 = level[3](coarse, coarse)
        self.level2 = nn.Sequential(level[2](coarse, coarse), level[2](coarse, fine))
        self.level1 = nn.Sequential(level[1](fine, fine), level[1](fine, fine))
        self.level0 = level[0](fine, fine)
        self.last = GraphConv(hierarchy.laplacians[0], fine, 3, config.terms)
        self.hierarchy = hierarchy

    def forward(self, maps: Tensor, given: Tensor, features: Tensor) -> Tensor:
        """(B, 2651, 3) of maps (B, 21, h, h), the last hourglass's input and features (B, width, h, h)."""
        x = self.to_nodes(self.hidden(super().forward(maps, given, features)).relu())
        x = x.float().unflatten(1, (self.nodes, -1)).transpose(0, 1)  # node-major: (nodes, B, coarse)
        unpool = self.hierarchy.unpool
        with torch.autocast(x.device.type, enabled=False):
            x = self.level3(x)
            x = self.level2(unpool(x))
            x = self.level1(unpool(x))
            x = self.level0(unpool(x))
            return self.hierarchy.unpad(self.last(x))


class DepthNet(nn.Module):
    """The mesh (B, 2651, 3) to the joints' depths (B, 21) and the hand's size (B,).

    MVHM, section 4.1: a two-layer graph CNN and two fully connected layers; pooling between as in Ge et al., but means.
    The size is an output more (ours); its weights start at 0, so that the size is 1 until a stage learns it.
    """

    def __init__(self, config: Config, hierarchy: Hierarchy) -> None:
        super().__init__()
        self.level0 = GraphBlock(hierarchy.laplacians[0], 3, config.fine, config.terms)
        self.level2 = GraphBlock(hierarchy.laplacians[2], config.fine, config.fine, config.terms)
        self.hidden = nn.Linear(hierarchy.sizes[3] * config.fine, config.hidden)
        self.depth = nn.Linear(config.hidden, JOINTS)
        self.size = nn.Linear(config.hidden, 1)
        nn.init.zeros_(self.size.weight)
        nn.init.zeros_(self.size.bias)
        self.hierarchy = hierarchy

    def forward(self, mesh: Tensor) -> tuple[Tensor, Tensor]:
        """mesh (B, 2651, 3) to depths (B, 21) and sizes (B,)."""
        pool = self.hierarchy.pool
        with torch.autocast(mesh.device.type, enabled=False):
            x = self.level0(self.hierarchy.pad(mesh))
            x = self.level2(pool(pool(x, 0), 1))
            x = self.hidden(pool(x, 2).transpose(0, 1).flatten(1)).relu()
            return self.depth(x), self.size(x).squeeze(1).exp()
