"""MVHM's single-view estimator (Chen et al., WACV 2021, section 4): image, heat-maps, mesh, depths of the joints, pose.

What the paper leaves open is taken from Ge et al. (CVPR 2019), whom it follows; docs/reproduction.md lists all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from rigging.errors import InputError

from ..batch import Batch, Pose
from ..estimator import Estimator, Output
from ..geometry.camera import SCALE_BONE, depth_from_size, project, rig_bones, unproject
from ..layers.graph_conv import GraphConv, Laplacian
from ..layers.heatmap import gaussian_maps, peaks
from ..layers.hierarchy import load_hierarchy
from ..layers.hourglass import Residual, StackedHourglass
from ..losses import depth_loss, heatmap_loss, mesh_loss, size_loss

JOINTS = 21
LATENT = 4  # px, side of the feature map that becomes a vector


@dataclass(frozen=True)
class Config:
    """The defaults are the paper's network where it gives one."""

    size: int = 256  # px, side of the crops; a power of two
    stacks: int = 2
    width: int = 256  # features of the hourglasses; a multiple of four
    levels: int = 4  # of each hourglass
    modules: int = 2  # residuals at each of its places
    sigma: float = 2.0  # of the heat-maps' Gaussians, in their elements
    hidden: int = 512  # of the fully connected layers
    coarse: int = 64  # features of the graph convolutions on the two coarser levels
    fine: int = 32  # and on the two finer ones, and of the depth network
    terms: int = 3  # of the Chebyshev polynomials, S + 1 in the paper
    matching: Literal["matching", "heavy_edge"] = "matching"  # how the mesh was coarsened
    mean_scale: float = 0.0332  # m, of the mean hand: middle finger, MCP to PIP

    def __post_init__(self) -> None:
        if self.size < 64 or self.size & (self.size - 1):
            raise ValueError(f"size = {self.size}: must be a power of two, from 64 on")
        if self.width < 4 or self.width % 4:
            raise ValueError(f"width = {self.width}: must be a multiple of 4")
        if not 1 <= 2**self.levels <= self.size // 4:
            raise ValueError(f"levels = {self.levels}: heat-maps of {self.size // 4} px allow fewer")
        low = min(self.stacks, self.levels, self.modules, self.hidden, self.coarse, self.fine, self.terms)
        if low < 1 or min(self.sigma, self.mean_scale) <= 0:
            raise ValueError("every number must be positive")


class MvhmSingleView(Estimator):
    """Output, with the loss it belongs to; only what the wanted losses need is computed.

    heatmaps (B, stacks, 21, S/4, S/4)  `heatmap`, L_h
    mesh     (B, 2651, 3)               `mesh`, L_m: u, v in 0 to 1 of the crop; depth from the root over the scale
    depth    (B, 21)                    `depth`, L_d: depth from the root over the scale
    size     (B,)                       `size`, ours: the scale over the mean hand's; 1 where no stage learns it

    The scale is the length of the middle finger's proximal bone. `size` serves poses without an oracle only.
    """

    name = "mvhm_sv"
    Config = Config
    fields = ("rgb", "K", "world_to_cam", "joints_cam", "joints_2d", "vertices_world")

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        hierarchy = load_hierarchy(config.matching)
        laplacians = [Laplacian(matrix) for matrix in hierarchy.laplacians]
        self.hourglass = StackedHourglass(config.stacks, config.width, config.levels, config.modules, JOINTS)
        self.mesh = MeshNet(config, laplacians, torch.from_numpy(hierarchy.position))
        self.depth = DepthNet(config, laplacians, torch.from_numpy(hierarchy.position))
        bones = rig_bones(config.mean_scale)
        self.register_buffer("mean_bones", bones, persistent=False)  # (20,) m

    def forward(self, batch: Batch, wanted: frozenset[str] | None = None) -> Output:
        if batch.size != self.config.size:
            raise InputError(f"{self.name}: crops of {batch.size} px, the estimator is made for {self.config.size}")
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
            found["size"] = size_loss(output["size"], true_scale(batch) / self.config.mean_scale)
        return found

    def pose(self, output: Output, batch: Batch, oracle: bool = False) -> Pose:
        uv, confidence = peaks(output["heatmaps"][:, -1], batch.size)
        relative = output["depth"] - output["depth"][:, :1]
        if oracle:
            scale, root = true_scale(batch), batch.joints_cam[:, 0, 2]
        else:
            bones = self.mean_bones * output["size"][:, None]
            scale, root = bones[:, SCALE_BONE], depth_from_size(uv, relative, batch.K, bones)
        joints = lift(uv, relative, scale, root, batch.K)
        vertices = None
        if "mesh" in output:
            mesh = output["mesh"]
            vertices = lift(mesh[..., :2] * batch.size, mesh[..., 2], scale, root, batch.K)
        return Pose(joints, uv, confidence, vertices)


class MeshNet(nn.Module):
    """Heat-maps and features of the hourglass to the mesh, coarse to fine over the levels of the hierarchy.

    MVHM, section 4.1: "from coarse to fine"; widths are ours, after Ge et al.
    """

    def __init__(self, config: Config, laplacians: list[Laplacian], position: Tensor) -> None:
        super().__init__()
        width, coarse, fine, terms = config.width, config.coarse, config.fine, config.terms
        self.from_maps = nn.Conv2d(JOINTS, width, 1)
        self.from_features = nn.Conv2d(width, width, 1)
        halvings = (config.size // 4 // LATENT).bit_length() - 1
        self.encoder = nn.Sequential(*(_halving(width) for _ in range(halvings)))
        nodes = laplacians[3].nodes
        self.to_graph = nn.Sequential(
            nn.Linear(width * LATENT**2, config.hidden), nn.ReLU(), nn.Linear(config.hidden, nodes * coarse)
        )
        self.level3 = nn.Sequential(_graph_block(laplacians[3], coarse, coarse, terms))
        self.level2 = nn.Sequential(
            _graph_block(laplacians[2], coarse, coarse, terms), _graph_block(laplacians[2], coarse, fine, terms)
        )
        self.level1 = nn.Sequential(*(_graph_block(laplacians[1], fine, fine, terms) for _ in range(2)))
        self.level0 = _graph_block(laplacians[0], fine, fine, terms)
        self.last = GraphConv(laplacians[0], fine, 3, terms)
        nn.init.constant_(self.last.bias[:2], 0.5)  # the middle of the crop
        self.register_buffer("position", position, persistent=False)  # (2651,) of the vertices among the nodes

    def forward(self, maps: Tensor, given: Tensor, features: Tensor) -> Tensor:
        """(B, 2651, 3) of maps (B, 21, h, h), the last hourglass's input and features (B, width, h, h)."""
        x = self.encoder(given + self.from_features(features) + self.from_maps(maps))
        x = self.to_graph(x.flatten(1)).float()
        x = x.unflatten(1, (self.level3[0][0].laplacian.nodes, -1)).transpose(0, 1)  # node-major
        with torch.autocast(x.device.type, enabled=False):
            x = self.level3(x)
            x = self.level2(unpool(x))
            x = self.level1(unpool(x))
            x = self.level0(unpool(x))
            mesh = self.last(x)
        return mesh[self.position].transpose(0, 1)


class DepthNet(nn.Module):
    """The mesh (B, 2651, 3) to the joints' depths (B, 21) and the hand's size (B,).

    MVHM, section 4.1: a two-layer graph CNN and two fully connected layers; pooling between as in Ge et al., but means.
    The size is an output more (ours); its weights start at 0, so that the size is 1 until a stage learns it.
    """

    def __init__(self, config: Config, laplacians: list[Laplacian], position: Tensor) -> None:
        super().__init__()
        self.nodes = laplacians[0].nodes
        self.level0 = _graph_block(laplacians[0], 3, config.fine, config.terms)
        self.level2 = _graph_block(laplacians[2], config.fine, config.fine, config.terms)
        self.hidden = nn.Sequential(nn.Linear(laplacians[3].nodes * config.fine, config.hidden), nn.ReLU())
        self.depth = nn.Linear(config.hidden, JOINTS)
        self.size = nn.Linear(config.hidden, 1)
        nn.init.zeros_(self.size.weight)
        nn.init.zeros_(self.size.bias)
        self.register_buffer("position", position, persistent=False)

    def forward(self, mesh: Tensor) -> tuple[Tensor, Tensor]:
        x = mesh.new_zeros(self.nodes, len(mesh), 3).index_copy(0, self.position, mesh.transpose(0, 1))
        with torch.autocast(x.device.type, enabled=False):
            x = self.level2(pool(self.level0(x), 4))
        x = self.hidden(pool(x, 2).transpose(0, 1).flatten(1))
        with torch.autocast(x.device.type, enabled=False):
            return self.depth(x.float()), self.size(x.float()).squeeze(1).exp()


class Normed(nn.BatchNorm1d):
    """Batch normalisation of node-major features (N, B, F), over nodes and batch."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flatten(0, 1)).view(x.shape)


def _graph_block(laplacian: Laplacian, inputs: int, outputs: int, terms: int) -> nn.Sequential:
    return nn.Sequential(GraphConv(laplacian, inputs, outputs, terms), Normed(outputs), nn.ReLU())


def _halving(width: int) -> nn.Sequential:
    return nn.Sequential(Residual(width, width), Residual(width, width), nn.MaxPool2d(2))


def unpool(x: Tensor) -> Tensor:
    """Nodes (N, ...) to those of the next finer level (2N, ...): children 2i and 2i + 1 take what node i has."""
    return x.repeat_interleave(2, 0)


def pool(x: Tensor, nodes: int) -> Tensor:
    """Nodes (N, ...) to (N / nodes, ...), the means of each `nodes` in a row: a node of a coarser level."""
    return x.unflatten(0, (-1, nodes)).mean(1)


def lift(uv: Tensor, relative: Tensor, scale: Tensor, root: Tensor, K: Tensor) -> Tensor:
    """Points (B, N, 3) m in camera axes of pixels (B, N, 2) and depths from the root (B, N) over the scale (B,) m.

    root (B,) m is its depth. MVHM, section 4.1: X = K^-1 (u, v, 1) z, z = d s + z_root.
    """
    return unproject(uv, relative * scale[:, None] + root[:, None], K)


def true_scale(batch: Batch) -> Tensor:
    """(B,) m, the labels' length of the middle finger's proximal bone."""
    if batch.joints_cam is None:
        raise InputError("the oracle of root depth and scale needs joints_cam, which the data do not have")
    return (batch.joints_cam[:, 10] - batch.joints_cam[:, 9]).norm(dim=-1)


def true_depth(batch: Batch) -> Tensor:
    """(B, 21) the labels' depths from the root over the scale."""
    z = batch.joints_cam[..., 2]
    return (z - z[:, :1]) / true_scale(batch)[:, None]


def true_mesh(batch: Batch) -> Tensor:
    """(B, 2651, 3) the labels' (u, v, d)."""
    uv = project(batch.vertices_cam, batch.K) / batch.size
    depth = (batch.vertices_cam[..., 2] - batch.joints_cam[:, :1, 2]) / true_scale(batch)[:, None]
    return torch.cat([uv, depth[..., None]], -1)
