"""What turns HaMuCo's hand parameters into points: our rig, or MANO where a user has its file.

The paper's 16 rotations are those of the palm and of three bones a finger. Points are from the knuckle of the middle
finger (joint 9), in units of 0.2 m and in camera axes.
"""

from __future__ import annotations

from typing import Literal, Protocol

import torch
from torch import Tensor, nn

from ..layers.hand_layer import Hand, HandLayer, chain
from ..layers.mano import ManoLayer
from ..layers.mano_file import load_mano

ROOT = 9  # the joint that points are from
UNIT = 0.2  # m
ROTATIONS = 16  # the palm's, and fifteen of fingers
FINGERS = slice(1, None)
TIPS = (734, 333, 443, 555, 678)  # MANO's vertices at the fingertips, thumb first
FROM_MANO = (0, 13, 14, 15, 16, 1, 2, 3, 17, 4, 5, 6, 18, 10, 11, 12, 19, 7, 8, 9, 20)  # our joints among its 16, TIPS
MANO_FINGERS = (0, 13, 14, 15, 1, 2, 3, 4, 5, 6, 10, 11, 12, 7, 8, 9)  # our rotations' places in MANO's order


class Decoder(Protocol):
    """Rotations (B, 16, 3, 3), the palm's and each finger's three after it, and shape (B, K) to a hand (ROOT, UNIT)."""

    coefficients: int  # K

    def __call__(self, rotations: Tensor, shape: Tensor) -> Hand: ...


class RigDecoder(nn.Module):
    """Our rig: the forearm and the bones of the palm turn with the palm; the other fifteen bones have their own turns.

    All hands have the mean hand's length, which a picture without a known depth does not tell.
    """

    def __init__(self, skinning: Literal["dual_quaternion", "linear"]) -> None:
        super().__init__()
        self.hand = HandLayer(skinning)
        self.coefficients = len(self.hand.shape_joints)

    def forward(self, rotations: Tensor, shape: Tensor) -> Hand:
        """The hand (B, 2651, 3) and (B, 21, 3) of rotations (B, 16, 3, 3) and shape (B, K)."""
        still = torch.eye(3).to(rotations).expand(len(rotations), 5, 1, 3, 3)
        fingers = torch.cat([still, rotations[:, FINGERS].unflatten(1, (5, 3))], 2).flatten(1, 2)
        local = torch.cat([still[:, 0], fingers], 1)  # (B, 21, 3, 3)
        return from_root(*self.hand(chain(rotations[:, 0], local), shape))


class ManoDecoder(nn.Module):
    """MANO (Romero et al. 2017), of a file that the user has; its vertices are other points than our rig's."""

    def __init__(self, path: str) -> None:
        super().__init__()
        mano = load_mano(path)
        self.layer, self.coefficients = ManoLayer(mano), mano.shape.shape[-1]

    def forward(self, rotations: Tensor, shape: Tensor) -> Hand:
        """The hand (B, 778, 3) and (B, 21, 3) of rotations (B, 16, 3, 3), in our order of fingers, and shape (B, K)."""
        order = [MANO_FINGERS.index(joint) for joint in range(ROTATIONS)]
        vertices, joints = self.layer(rotations[:, order], shape)
        joints = torch.cat([joints, vertices[:, list(TIPS)]], 1)[:, list(FROM_MANO)]
        return from_root(vertices, joints)


def from_root(vertices: Tensor, joints: Tensor) -> Hand:
    """Vertices (B, V, 3) and joints (B, 21, 3) m, from joint 9 and in units of 0.2 m."""
    root = joints[:, ROOT : ROOT + 1]
    return Hand((vertices - root) / UNIT, (joints - root) / UNIT)
