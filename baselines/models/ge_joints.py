"""Joints from the latent feature of Ge et al. (CVPR 2019), section 5: what a mesh is compared with.

baseline 1     the network without a mesh: joints alone are learnt
baseline 2     `mesh = true`: the same joints, from a feature that the mesh is learnt from, too
task transfer  the feature of a trained `ge_gcn` (--init), frozen; the joints' layers alone are learnt

The text in hand does not define them further; docs/reproduction.md says what is ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ..batch import Batch, Pose
from ..estimator import Estimator, Output
from ..geometry.camera import rig_bones
from ..layers.hierarchy import load_hierarchy
from ..layers.hourglass import StackedHourglass
from ..layers.image_encoder import ImageEncoder
from .common import (
    JOINTS,
    MESH_LOSSES,
    JointHead,
    SizeHead,
    check_size,
    heatmap_losses,
    joint_losses,
    lifted_pose,
    mesh_losses,
    register_triangles,
)
from .ge_gcn import LEVELS, MeshNet
from .ge_gcn import Config as GraphConfig


@dataclass(frozen=True)
class Config(GraphConfig):
    """As `ge_gcn`'s."""

    mesh: bool = False  # the latent feature is learnt from the mesh, too: baseline 2


class GeJoints(Estimator):
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
        self.hourglass = StackedHourglass(config.stacks, config.width, config.levels, config.modules, JOINTS)
        self.encoder = ImageEncoder(JOINTS, config.width, config.size // 4)
        self.joints = JointHead(config.width, config.hidden)
        self.size = SizeHead(config.width, config.hidden)
        if config.mesh:
            self.mesh = MeshNet(config, load_hierarchy(config.matching, LEVELS))
            register_triangles(self)
        self.register_buffer("mean_bones", rig_bones(config.mean_scale), persistent=False)  # (20,) m

    def forward(self, batch: Batch, wanted: frozenset[str] | None = None) -> Output:
        check_size(self, batch)
        maps, given, features = self.hourglass(batch.rgb - 0.5)
        output = {"heatmaps": maps.float()}
        if wanted == {"heatmap"}:
            return output
        latent = self.encoder(maps[:, -1], given, features)
        output |= {"joints": self.joints(latent), "size": self.size(latent)}
        if self.config.mesh and (wanted is None or wanted & MESH_LOSSES):
            output["mesh"] = self.mesh(latent)
        return output

    def losses(self, output: Output, batch: Batch) -> dict[str, Tensor]:
        how = self.config.reduction
        found = heatmap_losses(output, batch, self.config.sigma, how)
        found |= joint_losses(output, batch, self.mean_bones, how)
        if "mesh" in output:
            found |= mesh_losses(output["mesh"], batch, self.faces, self.edges, how)
        return found

    def pose(self, output: Output, batch: Batch, oracle: bool = False) -> Pose:
        return lifted_pose(output, batch, self.mean_bones, oracle)
