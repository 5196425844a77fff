"""Poses of the hand as a few numbers: principal components of the joints' rotations, as HAMR takes them from its model.

`python -m baselines.layers.pose_space` makes assets/pose_space.npz anew, after the rig or the pose sampler was changed:
mean and components of the rotation vectors of 15 bones over poses drawn by `rigging.poses.sampling`, which no data set
is needed for.
"""

from __future__ import annotations

import io
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from rigging.errors import InputError
from rigging.files import write_atomic
from rigging.hand.asset import load_asset
from rigging.poses.sampling.procedural import ProceduralSource

from ..geometry.ik import bone_rotations
from ..geometry.rotations import from_axis_angle, to_quaternion

ASSET = Path(__file__).parent.parent / "assets" / "pose_space.npz"
DRAWN = 2_000  # poses
KEPT = 30  # components; the sampler moves no more
FINGERS, PHALANGES = 5, 3  # bones that bend: from joints 1, 5, 9, 13, 17 on to the tips
MOST = 3.0  # standard deviations


class PoseSpace(nn.Module):
    """Coefficients (B, n) to rotations (B, 21, 3, 3) of each bone against the one before, for `hand_layer.chain`.

    A coefficient is in standard deviations of its component, and held smoothly within MOST of them; zero is the mean
    pose. Bones of the palm and the forearm stay as they are. Raises InputError for more components than are kept.
    """

    def __init__(self, count: int) -> None:
        super().__init__()
        if not 1 <= count <= KEPT:
            raise InputError(f"{count} components of the pose: 1 to {KEPT} are kept")
        with np.load(ASSET, allow_pickle=False) as stored:
            self.register_buffer("mean", torch.from_numpy(stored["mean"]), persistent=False)
            self.register_buffer("components", torch.from_numpy(stored["components"][:count]), persistent=False)

    def forward(self, coefficients: Tensor) -> Tensor:
        """(B, 21, 3, 3) of coefficients (B, n)."""
        held = MOST * (coefficients / MOST).tanh()
        bent = from_axis_angle((self.mean + held @ self.components).unflatten(1, (FINGERS, PHALANGES, 3)))
        return _in_place(bent)


def finger_rotations(rotations: Tensor) -> Tensor:
    """Rotation vectors (B, 45) of each phalanx against the bone before, of bones' rotations (B, 21, 3, 3).

    The first phalanges are taken against the palm, bone 0, as a palm that does not bend has them.
    """
    levels = [rotations[:, :1].expand(-1, FINGERS, -1, -1), *(rotations[:, 1 + level :: 4] for level in (1, 2, 3))]
    local = torch.stack([before.mT @ bone for before, bone in pairwise(levels)], 2)
    return _rotation_vectors(local).flatten(1)


def principal_components(vectors: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Mean (D,) and components (count, D), each as long as a standard deviation, of vectors (N, D).

    The largest element of a component is positive, so that its sign is no matter of chance.
    """
    mean = vectors.mean(0)
    _, lengths, axes = torch.linalg.svd(vectors - mean, full_matrices=False)
    largest = axes.take_along_dim(axes.abs().argmax(1, keepdim=True), 1)
    return mean, ((lengths / len(vectors) ** 0.5)[:, None] * axes * largest.sign())[:count]


def build(drawn: int = DRAWN) -> dict[str, np.ndarray]:
    """`mean` (45,) and `components` (KEPT, 45) float32, rad, of so many drawn poses."""
    clips = ProceduralSource(drawn).some(np.arange(drawn))
    joints = torch.from_numpy(np.stack([clip.joints[0] for clip in clips])).double()
    rest = torch.from_numpy(load_asset().joints).double()
    found = principal_components(finger_rotations(bone_rotations(rest, joints)), KEPT)
    return {name: values.float().numpy() for name, values in zip(("mean", "components"), found)}


def _in_place(bent: Tensor) -> Tensor:
    """(B, 21, 3, 3): rotations (B, 5, 3, 3, 3) of the phalanges among those of bones that stay."""
    still = torch.eye(3).to(bent).expand(len(bent), FINGERS, 1, 3, 3)
    return torch.cat([still[:, 0], torch.cat([still, bent], 2).flatten(1, 2)], 1)


def _rotation_vectors(rotations: Tensor) -> Tensor:
    """(..., 3) rad of rotations (..., 3, 3) by less than half a turn."""
    w, xyz = to_quaternion(rotations).split((1, 3), -1)
    xyz = torch.where(w < 0, -xyz, xyz)
    length = xyz.norm(dim=-1, keepdim=True)
    return 2 * torch.atan2(length, w.abs()) / length.clamp_min(1e-12) * xyz


def main() -> int:
    """Write the asset."""
    buffer = io.BytesIO()
    np.savez(buffer, **build())
    write_atomic(ASSET, buffer.getvalue())
    return 0


if __name__ == "__main__":
    sys.exit(main())
