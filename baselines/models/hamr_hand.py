"""What HAMR regresses: iteratively, the numbers of our hand model, or of joints where there is none."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from rigging.hand.asset import load_asset

from ..estimator import Output
from ..geometry.rotations import IDENTITY_6D, from_6d, from_axis_angle
from ..hamr_losses import DM
from ..layers.hand_layer import HandLayer, chain
from ..layers.pose_space import PoseSpace
from .common import JOINTS

Turn = Literal["axis_angle", "6d"]
Skinning = Literal["dual_quaternion", "linear"]

TURNS = {"axis_angle": (from_axis_angle, (0.0, 0.0, 0.0)), "6d": (from_6d, IDENTITY_6D)}  # and what turns nothing
UPRIGHT = (1.0, -1.0, -1.0)  # diagonal of what takes the rig's axes to those of a camera that sees fingers point up
FOREARM = 3  # numbers, a rotation vector: MANO ends at the wrist, our hand does not
SHAPES, SIZES, BENT = 2.0, 0.45, 1.2  # most: standard deviations; log of the size; rad of the forearm


class IterativeRegression(nn.Module):
    """A feature (B, F) to a camera and a hand's numbers, theta (B, n), `iterations` times better.

    After Kanazawa et al. (CVPR 2018): theta <- theta + f(feature, theta). The last layer begins small, as theirs.
    """

    def __init__(self, start: Tensor, feature: int, hidden: int, dropout: float, iterations: int) -> None:
        """From theta `start` (n,) on."""
        super().__init__()
        self.iterations = iterations
        self.register_buffer("start", start, persistent=False)
        self.layers = nn.Sequential(
            *_dropping(feature + len(start), hidden, dropout), *_dropping(hidden, hidden, dropout)
        )
        self.last = nn.Linear(hidden, len(start))
        nn.init.xavier_uniform_(self.last.weight, gain=0.01)
        nn.init.zeros_(self.last.bias)

    def forward(self, feature: Tensor) -> Tensor:
        """(B, n) of feature (B, F)."""
        theta = self.start.expand(len(feature), -1)
        for _ in range(self.iterations):
            theta = theta + self.last(self.layers(torch.cat([feature, theta], 1)))
        return theta


class HandNumbers(nn.Module):
    """A hand's numbers (B, n) to `joints` (B, 21, 3) m and `vertices` (B, 2651, 3) m, relative to the wrist.

    They are the palm's rotation, components of the pose, the logarithm of the size over the mean hand's, components of
    the shape, and the forearm's rotation; each is held smoothly within what hands do.
    """

    def __init__(self, turn: Turn, pose: int, shape: int, skinning: Skinning) -> None:
        super().__init__()
        self.hand, self.poses = HandLayer(skinning), PoseSpace(pose)
        self.turn, self.none = TURNS[turn]
        self.sizes = [len(self.none), pose, 1, shape - 1, FOREARM]
        self.lacking = len(self.hand.shape_joints) - (shape - 1)
        self.register_buffer("upright", torch.diag(torch.tensor(UPRIGHT)), persistent=False)

    def start(self) -> Tensor:
        """(n,), the mean hand, upright."""
        return torch.cat([torch.tensor(self.none), torch.zeros(sum(self.sizes[1:]))])

    def forward(self, numbers: Tensor) -> Output:
        """`joints` and `vertices` of numbers (B, n)."""
        turn, pose, size, shape, forearm = numbers.split(self.sizes, 1)
        local = self.poses(pose)
        local = torch.cat([from_axis_angle(_held(forearm, BENT))[:, None], local[:, 1:]], 1)
        length = self.hand.mean_length * _held(size[:, 0], SIZES).exp()
        shape = nn.functional.pad(_held(shape, SHAPES), (0, self.lacking))
        hand = self.hand(chain(self.turn(turn) @ self.upright, local), shape, length)
        return {"joints": hand.joints, "vertices": hand.vertices}


class JointNumbers(nn.Module):
    """Without a hand model: numbers (B, 60), dm, are where joints 1 to 20 are from the wrist; they start at rest."""

    def start(self) -> Tensor:
        """(60,) of the rig at rest, upright."""
        joints = torch.from_numpy(load_asset().joints).float()
        return DM * ((joints[1:] - joints[:1]) * torch.tensor(UPRIGHT)).flatten()

    def forward(self, numbers: Tensor) -> Output:
        """`joints` (B, 21, 3) m of numbers (B, 60)."""
        joints = numbers.unflatten(1, (JOINTS - 1, 3)) / DM
        return {"joints": torch.cat([torch.zeros_like(joints[:, :1]), joints], 1)}


def _dropping(inputs: int, outputs: int, dropout: float) -> tuple[nn.Module, ...]:
    return nn.Linear(inputs, outputs), nn.ReLU(), nn.Dropout(dropout)


def _held(values: Tensor, most: float) -> Tensor:
    """Values (...) as they are near 0, and never beyond `most`."""
    return most * (values / most).tanh()
