"""Our hand as a layer: shape, size and rotations of bones to vertices and joints, differentiable in all of them."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from rigging.hand.asset import HandAsset, load_asset
from rigging.hand.bones import BONE_STARTS
from rigging.hand.shape import LENGTH_CHAIN, mean_subject
from rigging.hand.skinning import dense_weights

from .skinning import dual_quaternion, linear_blend

SKINNING = {"dual_quaternion": dual_quaternion, "linear": linear_blend}
STARTS = BONE_STARTS.tolist()
MIDDLE = slice(9, 10)  # the knuckle of the middle finger


class Hand(NamedTuple):
    """A hand at rest or posed, m."""

    vertices: Tensor  # (B, 2651, 3)
    joints: Tensor  # (B, 21, 3)


class HandLayer(nn.Module):
    """What `rigging.hand` does with a subject and bone rotations, on batches of tensors and with gradients.

    Rotations turn the rest axes of bone b, which ends in joint b (the forearm, bone 0, in the wrist); `chain` makes
    them of those of each bone against the one before. The default asset has V = 2651 vertices, K = 18 shape
    coefficients; its frame is that of HandAsset.
    """

    def __init__(
        self,
        skinning: Literal["dual_quaternion", "linear"] = "dual_quaternion",
        asset: HandAsset | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        asset = load_asset() if asset is None else asset
        self.skin, self.mean_length = SKINNING[skinning], mean_subject(asset).hand_length
        arrays = {
            "template": asset.template,  # (V, 3) m
            "joints": asset.joints,  # (21, 3) m
            "shape_vertices": asset.shape_vertices.reshape(len(asset.shape_names), -1),  # (K, 3 V)
            "shape_joints": asset.shape_joints.reshape(len(asset.shape_names), -1),  # (K, 63)
            "weights": dense_weights(asset),  # (V, 21)
        }
        for name, array in arrays.items():
            self.register_buffer(name, torch.tensor(array, dtype=dtype), persistent=False)

    def forward(
        self, rotations: Tensor, shape: Tensor | None = None, length: Tensor | None = None, root: Tensor | None = None
    ) -> Hand:
        """A posed hand of rotations (B, 21, 3, 3); what is not given is the mean hand's, or zero.

        shape (B, K) in standard deviations, length (B,) m from the wrist to the tip of the middle finger along the
        bones, root (B, 3) m is where the wrist goes.
        """
        return self.pose(self.rest(shape, length), rotations, root)

    def rest(self, shape: Tensor | None = None, length: Tensor | None = None) -> Hand:
        """Hands at rest, of shape (B, K) and length (B,) m: `rigging.hand.shape.rest_hand`. One (B = 1) for neither."""
        vertices, joints = self.template[None], self.joints[None]
        if shape is not None:
            vertices = vertices + (shape @ self.shape_vertices).unflatten(-1, (-1, 3))
            joints = joints + (shape @ self.shape_joints).unflatten(-1, (-1, 3))
        length = self.mean_length if length is None else length[:, None, None]
        scale = length / joints[:, list(LENGTH_CHAIN)].diff(dim=1).norm(dim=-1).sum(1)[:, None, None]
        return Hand(scale * vertices, scale * joints)

    def stretch(self, rest: Hand, lengths: Tensor) -> Hand:
        """The hand at rest with bones of `lengths` (B, 20) m, of those to joints 1 to 20: `stretch_rest` in rigging.

        Skin stretches along a bone and keeps its girth.
        """
        vectors = _vectors(rest.joints)
        old = vectors.norm(dim=-1, keepdim=True).clamp_min(1e-12)  # the forearm has none
        ratio = torch.cat([torch.ones_like(lengths[:, :1]), lengths / old[:, 1:, 0]], 1)[..., None]  # (B, 21, 1)
        direction = vectors / old
        along = direction[..., :, None] * direction[..., None, :]
        linear = torch.eye(3).to(along) + (ratio[..., None] - 1) * along
        joints = _joints(ratio * vectors, torch.zeros_like(rest.joints[:, :1])) + rest.joints[:, :1]
        return Hand(linear_blend(rest.vertices, self.weights, linear, _shift(linear, rest.joints, joints)), joints)

    def pose(self, rest: Hand, rotations: Tensor, root: Tensor | None = None) -> Hand:
        """A hand at rest with its bones turned by rotations (B, 21, 3, 3), its wrist at root (B, 3) m or at zero."""
        vectors = (rotations @ _vectors(rest.joints)[..., None])[..., 0]
        joints = _joints(vectors, torch.zeros_like(vectors[:, :1]))
        middle, posed = rest.joints[:, MIDDLE], joints[:, MIDDLE]  # near it, single precision loses the fewest digits
        shift = _shift(rotations, rest.joints - middle, joints - posed)
        vertices = self.skin(rest.vertices - middle, self.weights, rotations, shift)
        root = 0 if root is None else root[:, None]
        return Hand(vertices + (posed + root), joints + root)


def chain(palm: Tensor, local: Tensor) -> Tensor:
    """Rotations (B, 21, 3, 3) of the bones, of the palm's (B, 3, 3) and each bone's (B, 21, 3, 3) after the one before.

    The forearm and the bones of the palm come after the palm: R = palm L; every other after its parent: R = R_parent L.
    """
    forearm, before = palm[:, None] @ local[:, :1], palm[:, None]
    levels = []
    for level in range(1, 5):
        before = before @ local[:, level::4]
        levels.append(before)
    return torch.cat([forearm, torch.stack(levels, 2).flatten(1, 2)], 1)


def _vectors(joints: Tensor) -> Tensor:
    """(B, 21, 3) from each bone's start to its end; zero for the forearm."""
    return joints - joints[:, STARTS]


def _joints(vectors: Tensor, wrist: Tensor) -> Tensor:
    """Joints (B, 21, 3) at the ends of bones (B, 21, 3), from the wrist (B, 1, 3) on."""
    fingers = vectors[:, 1:].unflatten(1, (5, 4)).cumsum(2).flatten(1, 2)
    return torch.cat([wrist, wrist + fingers], 1)


def _shift(linear: Tensor, rest_joints: Tensor, joints: Tensor) -> Tensor:
    """t (B, 21, 3) of the maps v -> A v + t that take each bone's start to where it is now."""
    starts = rest_joints[:, STARTS]
    return joints[:, STARTS] - (linear @ starts[..., None])[..., 0]
