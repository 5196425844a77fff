"""What estimators are given and what they answer. Metres and pixels; cameras as everywhere (OpenCV)."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """B crops: the V views of a sample in a row, B / V samples. Labels that the data do not have are None.

    A crop is square, S px a side, with a camera of its own: K goes with the crop's pixels, world_to_cam is the view's.
    """

    rgb: Tensor  # (B, 3, S, S) float32, 0 to 1
    K: Tensor  # (B, 3, 3) float32 px, of the crop
    world_to_cam: Tensor  # (B, 4, 4) float32 m
    sample: Tensor  # (B,) int64, its number in the data set
    subject: Tensor  # (B,) int64
    views: int = 1  # V
    joints_cam: Tensor | None = None  # (B, 21, 3) float32 m, camera axes; joint 0 is the wrist
    joints_2d: Tensor | None = None  # (B, 21, 2) float32 px of the crop, the centre of its first pixel is (0.5, 0.5)
    joint_valid: Tensor | None = None  # (B, 21) bool, there is an annotation
    joint_visible: Tensor | None = None  # (B, 21) bool, not occluded
    vertices_cam: Tensor | None = None  # (B, 2651, 3) float32 m, camera axes
    mask: Tensor | None = None  # (B, S, S) bool, the hand without the arm; empty where it is not known
    depth: Tensor | None = None  # (B, S, S) float32 m, z in camera axes of the hand without the arm; 0 elsewhere
    view: Tensor | None = None  # (B,) int64, which of the sample's cameras
    label_confidence: Tensor | None = None  # (B, 21) float32, 0 to 1, of joints_2d as labels; None counts as 1

    def __len__(self) -> int:
        return len(self.rgb)

    @property
    def size(self) -> int:
        """S."""
        return self.rgb.shape[-1]

    def to(self, device: torch.device | str) -> Batch:
        """The same on another device."""
        return self.map(lambda tensor: tensor.to(device, non_blocking=True))

    def map(self, change: object) -> Batch:
        """The batch with `change` applied to every tensor that is there."""
        fields = ((field.name, getattr(self, field.name)) for field in dataclasses.fields(self))
        changed = {name: change(value) for name, value in fields if isinstance(value, Tensor)}
        return dataclasses.replace(self, **changed)


@dataclass(frozen=True)
class Pose:
    """An estimate, one row a crop; an estimate made from several views stands in the row of each, in its axes."""

    joints_cam: Tensor  # (B, 21, 3) m, camera axes
    joints_2d: Tensor | None = None  # (B, 21, 2) px of the crop, as found in the image (not projected)
    confidence: Tensor | None = None  # (B, 21) of joints_2d, 0 to 1
    vertices_cam: Tensor | None = None  # (B, 2651, 3) m
