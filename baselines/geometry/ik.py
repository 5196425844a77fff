"""From joints to rotations of bones: the palm as a whole, then each bone by the smallest turn."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

from .procrustes import align
from .rotations import swing

PALM_JOINTS = [0, 5, 9, 13, 17]  # wrist and the MCP joints but the thumb's


def bone_rotations(rest: Tensor, joints: Tensor) -> Tensor:
    """Rotations (B, 21, 3, 3) of the bones, from joints at rest (21, 3) or (B, 21, 3) to joints (B, 21, 3).

    The palm turns as wrist and MCP joints do (Kabsch), and the forearm with it. Bones of the palm and first phalanges
    turn with the palm, every other bone with the one before, and then by the shortest arc into their direction (one
    without length has none): `rigging.spin.match`, mode "palm". Differentiable but for palms whose joints are on a line
    and bones turned by 180 degrees.
    """
    rest = rest.expand_as(joints)
    palm = align(rest[:, PALM_JOINTS], joints[:, PALM_JOINTS], scale=False).rotation[:, None]  # (B, 1, 3, 3)
    from_, to = _directions(rest), _directions(joints)
    hinges = _hinges(rest, from_)
    before, levels = palm, []
    for level in range(4):
        u, v, hinge = (one[:, level::4] for one in (from_, to, hinges))
        levels.append(swing(_turn(before, u), v, _turn(before, hinge)) @ before)
        before = levels[-1] if level else palm
    return torch.cat([palm, torch.stack(levels, 2).flatten(1, 2)], 1)


def _directions(joints: Tensor) -> Tensor:
    """(B, 20, 3) unit, of the bones that end in joints 1 to 20; level by level along each finger."""
    fingers = joints[:, 1:].unflatten(1, (5, 4))
    wrist = joints[:, None, None, 0].expand(-1, 5, -1, -1)
    return normalize(torch.cat([fingers[:, :, :1] - wrist, fingers.diff(dim=2)], 2).flatten(1, 2), dim=-1)


def _hinges(rest: Tensor, directions: Tensor) -> Tensor:
    """(B, 20, 3) unit, across the palm and perpendicular to each bone: about them fingers bend back on themselves."""
    across = (rest[:, 17] - rest[:, 5])[:, None]
    return normalize(across - (across * directions).sum(-1, keepdim=True) * directions, dim=-1)


def _turn(rotations: Tensor, vectors: Tensor) -> Tensor:
    """R v (B, n, 3) of rotations (B, n or 1, 3, 3) and vectors (B, n, 3)."""
    return (rotations @ vectors[..., None])[..., 0]
