"""Direct linear blend skinning, a comparison of Ge et al. (CVPR 2019, section 5): joints, then a mesh without learning.

The network is their baseline 1; inverse kinematics and skinning with our rig make a mesh of its joints. What the paper
leaves to its supplement is ours (docs/reproduction.md).
"""

from __future__ import annotations

import dataclasses

from torch import Tensor

from ..batch import Batch, Pose
from ..estimator import Output
from ..geometry.camera import bone_lengths
from ..geometry.ik import bone_rotations
from ..layers.hand_layer import Hand, HandLayer
from .ge_joints import Config, GeJoints


class DirectLbs(GeJoints):
    """Output, losses and weights are those of `ge_joints`; the mesh follows from the joints in `pose`."""

    name = "direct_lbs"
    Config = Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.hand = HandLayer("linear")

    def pose(self, output: Output, batch: Batch, oracle: bool = False) -> Pose:
        pose = super().pose(output, batch, oracle)
        return dataclasses.replace(pose, vertices_cam=hand_with_joints(self.hand, pose.joints_cam).vertices)


def hand_with_joints(layer: HandLayer, joints: Tensor) -> Hand:
    """The mean hand with just these joints (B, 21, 3) m: sized and stretched to their bones, then turned and skinned.

    Rotations are those of `bone_rotations`: the palm by Kabsch, then shortest arcs. Differentiable as they are.
    """
    lengths, mean = bone_lengths(joints), layer.rest()
    size = (lengths.sum(1) / bone_lengths(mean.joints).sum(1))[:, None, None]
    rest = layer.stretch(Hand(size * mean.vertices, size * mean.joints), lengths)
    return layer.pose(rest, bone_rotations(rest.joints, joints), joints[:, 0])
