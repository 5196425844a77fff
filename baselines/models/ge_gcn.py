"""Ge et al. (CVPR 2019): image, heat-maps, latent feature, mesh by a Graph CNN, and joints linear in the mesh.

docs/reproduction.md lists what the paper leaves open.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..batch import Batch
from ..estimator import Output
from ..layers.graph_conv import GraphBlock, GraphConv
from ..layers.hierarchy import Hierarchy, load_hierarchy
from ..layers.image_encoder import LATENT
from ..mesh_losses import Reduction, pose_loss
from .common import (
    JOINTS,
    MESH_LOSSES,
    ImageEstimator,
    SizeHead,
    mesh_losses,
    register_triangles,
)
from .single_view import Config as SingleConfig
from .uvd import lift_uvd, start_at_centre, true_mesh, true_root, true_scale

LEVELS = 4  # of the mesh's hierarchy: the graph network begins with a sixteenth of the nodes
EVERY = MESH_LOSSES | {"heatmap", "pose", "regress", "size"}


@dataclass(frozen=True)
class Config(SingleConfig):
    """As MVHM's, with `coarse` features at a quarter of the nodes and `fine` ones at all of them."""

    reduction: Reduction = "mean"  # of the losses; "sum" is the paper's
    shortcut: bool = True  # ours: the coarsest nodes' places come straight from the latent feature, too


class GeGraphCnn(ImageEstimator):
    """Output, with the losses it belongs to; only what the wanted losses need is computed.

    heatmaps  (B, stacks, 21, S/4, S/4)  `heatmap`, L_H
    mesh      (B, 2651, 3)               `vertex`, `normal`, `edge`, `laplacian`: (u, v, d), see uvd.py
    joints    (B, 21, 3)                 `pose`, L_J: (u, v, d) by the pose regressor
    regressed (B, 21, 3)                 `regress`, L_J of the pose regressor on the labels' mesh
    size      (B,)                       `size`, ours: all bones' length over the mean hand's; 1 until it is learnt

    `size` serves poses without an oracle only, which Ge et al. do not have.
    """

    name = "ge_gcn"
    Config = Config
    fields = ("rgb", "K", "world_to_cam", "joints_cam", "joints_2d", "vertices_world")

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        hierarchy = load_hierarchy(config.matching, LEVELS)
        self.mesh = MeshNet(config, hierarchy)
        self.regressor = PoseRegressor(config, hierarchy)
        self.size = SizeHead(config.width, config.hidden)
        register_triangles(self)

    def forward(self, batch: Batch, wanted: frozenset[str] | None = None) -> Output:
        wanted = EVERY if wanted is None else wanted
        output = {}
        if "regress" in wanted and batch.vertices_cam is not None and batch.joints_cam is not None:
            output["regressed"] = self.regressor(true_mesh(batch).nan_to_num())
        if wanted == {"regress"}:
            return output
        maps, given, features = self.seen(batch)
        output["heatmaps"] = maps.float()
        if wanted & (MESH_LOSSES | {"pose", "size"}):
            output |= self.shaped(maps[:, -1], given, features)
        return output

    def shaped(self, maps: Tensor, given: Tensor, features: Tensor) -> Output:
        """`mesh`, `joints` and `size` of heat-maps (B, 21, S/4, S/4), which may be the labels', and features of them.

        given, features (B, width, S/4, S/4): what the hourglass hands on.
        """
        latent = self.encoder(maps, given, features)
        mesh = self.mesh(latent)
        return {"mesh": mesh, "joints": self.regressor(mesh), "size": self.size(latent)}

    def losses(self, output: Output, batch: Batch) -> dict[str, Tensor]:
        found, how = super().losses(output, batch), self.config.reduction
        if batch.joints_cam is None or batch.vertices_cam is None:
            return found
        if "regressed" in output:
            joints = lift_uvd(output["regressed"], batch, true_scale(batch), true_root(batch))
            found["regress"] = pose_loss(joints, batch.joints_cam, joints_of_known_meshes(batch), how)
        if "mesh" in output:
            found |= mesh_losses(output["mesh"], batch, self.faces, self.edges, how)
        return found


def joints_of_known_meshes(batch: Batch) -> Tensor:
    """(B, 21) bool, joints with a label, of hands whose mesh is known."""
    known = batch.vertices_cam.isfinite().flatten(1).all(1)[:, None].expand(-1, JOINTS)
    return known if batch.joint_valid is None else known & batch.joint_valid


class MeshNet(nn.Module):
    """The latent feature to the mesh (B, 2651, 3): section 4.2, two fully connected layers, then a Graph CNN.

    From a sixteenth of the nodes to a quarter, two convolutions, to all nodes, two convolutions. All in float32. With a
    `shortcut` (ours) they refine a mesh whose nodes stand where a linear layer puts their coarsest ancestors; without,
    they take several times the steps to spread a hand. The mesh starts as a point (ours, too): edges of a random one
    are so long that L_e, a length^4, spoils what was learnt.
    """

    def __init__(self, config: Config, hierarchy: Hierarchy) -> None:
        super().__init__()
        coarse, fine, terms = config.coarse, config.fine, config.terms
        quarter, full = hierarchy.laplacians[2], hierarchy.laplacians[0]
        self.nodes = hierarchy.sizes[LEVELS]
        self.hidden = nn.Linear(config.width * LATENT**2, config.hidden)
        self.to_nodes = nn.Linear(config.hidden, self.nodes * coarse)
        self.quarter = nn.Sequential(
            GraphBlock(quarter, coarse, coarse, terms), GraphBlock(quarter, coarse, fine, terms)
        )
        self.full = GraphBlock(full, fine, fine, terms)
        self.last = GraphConv(full, fine, 3, terms)
        start_at_centre(self.last.weight, self.last.bias)
        self.shortcut = nn.Linear(config.hidden, self.nodes * 3) if config.shortcut else None
        if self.shortcut:
            nn.init.zeros_(self.shortcut.weight)
            nn.init.zeros_(self.shortcut.bias)
        self.hierarchy = hierarchy

    def forward(self, latent: Tensor) -> Tensor:
        """(B, 2651, 3) of latent (B, width LATENT^2)."""
        hidden, finer = self.hidden(latent).relu(), self._finer
        with torch.autocast(latent.device.type, enabled=False):
            x = self.quarter(finer(self._at_nodes(self.to_nodes, hidden)))
            mesh = self.last(self.full(finer(x)))
            if self.shortcut:
                mesh = mesh + finer(finer(self._at_nodes(self.shortcut, hidden)))
            return self.hierarchy.unpad(mesh)

    def _at_nodes(self, layer: nn.Linear, hidden: Tensor) -> Tensor:
        """(nodes, B, F) what a layer makes of hidden (B, H), node-major as the graph network wants it."""
        return layer(hidden.float()).unflatten(1, (self.nodes, -1)).transpose(0, 1)

    def _finer(self, x: Tensor) -> Tensor:
        """(4 n, B, F) of x (n, B, F), two levels finer."""
        return self.hierarchy.unpool(self.hierarchy.unpool(x))


class PoseRegressor(nn.Module):
    """The mesh (B, 2651, 3) to joints (B, 21, 3), both (u, v, d): section 4.2, a Graph CNN without nonlinearities.

    Two convolutions at all nodes and two at a quarter of them, poolings by four, a fully connected layer. Poolings are
    means, which are linear; Ge's public code has maxima. Learnt is, from 0 on, where joints are from the mesh's mean
    (ours): without it Adam needs many more steps for what a linear map can do.
    """

    def __init__(self, config: Config, hierarchy: Hierarchy) -> None:
        super().__init__()
        coarse, fine, terms = config.coarse, config.fine, config.terms
        quarter, full = hierarchy.laplacians[2], hierarchy.laplacians[0]
        self.full = nn.Sequential(GraphConv(full, 3, fine, terms), GraphConv(full, fine, fine, terms))
        self.quarter = nn.Sequential(GraphConv(quarter, fine, coarse, terms), GraphConv(quarter, coarse, coarse, terms))
        self.joints = nn.Linear(hierarchy.sizes[LEVELS] * coarse, JOINTS * 3)
        nn.init.zeros_(self.joints.weight)
        nn.init.zeros_(self.joints.bias)
        self.hierarchy = hierarchy

    def forward(self, mesh: Tensor) -> Tensor:
        """(B, 21, 3) of the mesh (B, 2651, 3)."""
        pool, centre = self.hierarchy.pool, mesh.mean(1, keepdim=True)
        with torch.autocast(mesh.device.type, enabled=False):
            x = self.full(self.hierarchy.pad(mesh - centre))
            x = self.quarter(pool(pool(x, 0), 1))
            x = pool(pool(x, 2), 3).transpose(0, 1).flatten(1)
            return centre + self.joints(x).unflatten(1, (JOINTS, 3))
