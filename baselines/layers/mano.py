"""MANO as a layer (Romero et al. 2017; SMPL, Loper et al. 2015), of a file that the user has."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from .mano_file import Mano
from .skinning import linear_blend


class ManoHand(NamedTuple):
    """A posed hand, m."""

    vertices: Tensor  # (B, V, 3)
    joints: Tensor  # (B, J, 3) in MANO's order, without fingertips


class ManoLayer(nn.Module):
    """Rotations of the joints and shape coefficients to vertices and joints, differentiable in both."""

    def __init__(self, mano: Mano, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.parents = mano.parents
        for name in ("template", "shape", "correctives", "regressor", "weights"):
            self.register_buffer(name, torch.tensor(getattr(mano, name), dtype=dtype), persistent=False)

    def forward(self, rotations: Tensor, shape: Tensor | None = None, root: Tensor | None = None) -> ManoHand:
        """Of rotations (B, J, 3, 3), each against its parent's, shape (B, S), and root (B, 3) m, added to all points.

        SMPL, equations 2 to 10: shaped template, joints regressed from it, correctives of the pose, skinning.
        """
        rest = self.template.expand(len(rotations), -1, -1)
        if shape is not None:
            rest = rest + torch.einsum("vcs,bs->bvc", self.shape, shape)
        rest_joints = self.regressor @ rest
        bent = (rotations[:, 1:] - torch.eye(3).to(rotations)).flatten(1)
        posed = rest + torch.einsum("vcp,bp->bvc", self.correctives, bent)
        turned, joints = self._chain(rotations, rest_joints)
        shift = joints - (turned @ rest_joints[..., None])[..., 0]
        hand = ManoHand(linear_blend(posed, self.weights, turned, shift), joints)
        return hand if root is None else ManoHand(*(points + root[:, None] for points in hand))

    def _chain(self, rotations: Tensor, rest_joints: Tensor) -> tuple[Tensor, Tensor]:
        """Rotations (B, J, 3, 3) from the rest axes, and joints (B, J, 3), down the tree."""
        turned, joints = [rotations[:, 0]], [rest_joints[:, 0]]
        for joint, parent in enumerate(self.parents[1:], 1):
            bone = rest_joints[:, joint] - rest_joints[:, parent]
            joints.append(joints[parent] + (turned[parent] @ bone[..., None])[..., 0])
            turned.append(turned[parent] @ rotations[:, joint])
        return torch.stack(turned, 1), torch.stack(joints, 1)
