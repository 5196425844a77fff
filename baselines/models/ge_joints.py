"""Joints from the latent feature of Ge et al. (CVPR 2019), section 5: what a mesh is compared with.

baseline 1     the network without a mesh: joints alone are learnt
baseline 2     `mesh = true`: the same joints, from a feature that the mesh is learnt from, too
task transfer  the feature of a trained `ge_gcn` (--init), frozen; the joints' layers alone are learnt

The text in hand does not define them further; docs/reproduction.md says what is ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ..batch import Batch
from ..estimator import Output
from ..layers.hierarchy import load_hierarchy
from .common import (
    MESH_LOSSES,
    ImageEstimator,
    JointHead,
    SizeHead,
    mesh_losses,
    register_triangles,
)
from .ge_gcn import LEVELS, MeshNet
from .ge_gcn import Config as GraphConfig


@dataclass(frozen=True)
class Config(GraphConfig):
    """As `ge_gcn`'s."""

    mesh: bool = False  # the latent feature is learnt from the mesh, too: baseline 2


class GeJoints(ImageEstimator):
    """Output, with the losses it belongs to; only what the wanted losses need is computed.

    heatmaps (B, stacks, 21, S/4, S/4)  `heatmap`, L_H
    joints   (B, 21, 3)                 `pose`, L_J: (u, v, d), see uvd.py
    size     (B,)                       `size`, ours: all bones' length over the mean hand's; 1 until it is learnt
    mesh     (B, 2651, 3)               `vertex`, `normal`, `edge`, `laplacian`: with the setting `mesh`
    """

    name = "ge_joints"
    Config = Config
    fields = ("rgb", "K", "world_to_cam", "joints_cam", "joints_2d", "vertices_world")

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.joints = JointHead(config.width, config.hidden)
        self.size = SizeHead(config.width, config.hidden)
        if config.mesh:
            self.mesh = MeshNet(config, load_hierarchy(config.matching, LEVELS))
            register_triangles(self)

    def forward(self, batch: Batch, wanted: frozenset[str] | None = None) -> Output:
        maps, given, features = self.seen(batch)
        output = {"heatmaps": maps.float()}
        if wanted == {"heatmap"}:
            return output
        latent = self.encoder(maps[:, -1], given, features)
        output |= {"joints": self.joints(latent), "size": self.size(latent)}
        if self.config.mesh and (wanted is None or wanted & MESH_LOSSES):
            output["mesh"] = self.mesh(latent)
        return output

    def losses(self, output: Output, batch: Batch) -> dict[str, Tensor]:
        found = super().losses(output, batch)
        if "mesh" in output:
            found |= mesh_losses(output["mesh"], batch, self.faces, self.edges, self.config.reduction)
        return found
