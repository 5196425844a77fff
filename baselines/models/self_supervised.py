"""EpipolarPose and CanonPose, with which HaMuCo compares: losses of their own on HaMuCo's single-view estimator.

Both learn from several views' 2D labels and estimate from one. Theirs were a volume of heat-maps and a network that
lifts joints; the hand model in their place is as HaMuCo compares them. docs/reproduction.md says what was chosen.
"""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from rigging.errors import InputError

from ..batch import Batch, Pose
from ..estimator import Estimator, Output
from ..geometry.camera import bone_lengths, project, rays, rig_bones
from ..geometry.factorise import factorise
from ..geometry.rotations import to_axis_angle
from ..hamuco_losses import label_loss, pose_prior, shape_prior
from ..self_supervised_losses import mixed_reprojection_loss, pseudo_pose_loss
from .common import check_size
from .hamuco import by_sample
from .hamuco_hand import FINGERS, ROOT, UNIT
from .hamuco_pose import placed
from .hamuco_single import SingleConfig, SingleView, to_uv
from .hamuco_single import project as seen_at
from .multi_view import triangulated

REACH = 1.5  # units from joint 9, 0.3 m: what is farther is no joint of a hand
OUTLIER = 1 / 16  # of the crop's side, 14 px of 224: an error that halves a label's weight
FEWEST = 3  # views that form and turns follow from


@dataclass(frozen=True)
class Config(SingleConfig):
    """HaMuCo's single-view estimator, and what is known of the cameras."""

    extrinsics: bool = True


class SelfSupervised(Estimator):
    """Output: `single_*` of each view, as HaMuCo has it (models/hamuco.py). Of both methods is the loss

    `prior`  L_p of HaMuCo, as both say parameters of its hand model here
    """

    Config = Config
    fields = ("rgb", "K", "world_to_cam", "joints_2d")
    multi_view = True
    alone = ()

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.single = SingleView(config)

    def forward(self, batch: Batch, wanted: frozenset[str] | None = None) -> Output:
        check_size(self, batch)
        return {f"single_{name}": value for name, value in self.single(batch.rgb)[0]._asdict().items()}

    def losses(self, output: Output, batch: Batch) -> dict[str, Tensor]:
        turns = to_axis_angle(output["single_rotations"][:, FINGERS])
        found = {"prior": pose_prior(turns) + shape_prior(output["single_shape"])}
        return found if batch.joints_2d is None else found | self.label_losses(output, batch)

    @abstractmethod
    def label_losses(self, output: Output, batch: Batch) -> dict[str, Tensor]:
        """Those that the labels of all views of a sample give, by name."""

    def pose(self, output: Output, batch: Batch, oracle: bool = False) -> Pose:
        pose = placed(output, batch, "single", None, oracle)
        return dataclasses.replace(pose, vertices_cam=None) if self.config.mano else pose  # other points


class EpipolarPose(SelfSupervised):
    """Kocabas et al. (CVPR 2019): what all views' labels say together in 3D is taken for the truth of each.

    `pose`   smooth L1 of joints relative to joint 9
    `image`  and of where they are seen

    With extrinsics the labels are triangulated; without, see `factorised`.
    """

    name = "epipolar_pose"

    def label_losses(self, output: Output, batch: Batch) -> dict[str, Tensor]:
        pseudo, uv, known = self.pseudo_truth(batch)
        pairs = {"pose": (output["single_joints"], pseudo), "image": (output["single_uv"], uv)}
        return {name: pseudo_pose_loss(*pair, known) for name, pair in pairs.items()}

    @torch.no_grad()
    def pseudo_truth(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Joints (B, 21, 3) from joint 9 in units of 0.2 m, where they are seen (B, 21, 2), which are known (B, 21)."""
        sure = confidences(batch)
        points = triangulated(batch.joints_2d, sure, batch) if self.config.extrinsics else factorised(batch, sure)
        relative, uv = (points - points[:, ROOT : ROOT + 1]) / UNIT, to_uv(project(points, batch.K), batch)
        return relative, uv, (relative.norm(dim=-1) < REACH) & uv.isfinite().all(-1)  # NaN is not below


class CanonPose(SelfSupervised):
    """Wandt et al. (CVPR 2021): a canonical hand and a camera of each view, any of which fits any view's labels.

    `mixed`   the reprojection of every view's hand in every view, without scale and place
    `camera`  ours: L_2D of HaMuCo, which the weak-perspective camera alone learns from, so that poses have a place

    The canonical hand is the hand model's before the palm turns, and the palm's turn the camera. With extrinsics
    hands are turned from view to view as the cameras stand.
    """

    name = "canon_pose"

    def label_losses(self, output: Output, batch: Batch) -> dict[str, Tensor]:
        labels, sure = to_uv(batch.joints_2d, batch), confidences(batch)
        turns = batch.world_to_cam[:, :3, :3] if self.config.extrinsics else output["single_rotations"][:, 0]
        turns, joints, seen, weights = (by_sample(a, batch) for a in (turns, output["single_joints"], labels, sure))
        between = torch.einsum("siab,sjcb->sijac", turns, turns)
        uv = seen_at(output["single_joints"].detach(), output["single_camera"])
        camera = label_loss(uv, labels, batch.label_confidence, batch.joint_valid)
        return {"mixed": mixed_reprojection_loss(joints, between, seen, weights), "camera": camera}


def confidences(batch: Batch) -> Tensor:
    """(B, 21) of the labels; 1 where the data say nothing of it, 0 of what has none."""
    sure = torch.ones_like(batch.joints_2d[..., 0]) if batch.label_confidence is None else batch.label_confidence
    return sure if batch.joint_valid is None else sure * batch.joint_valid


def factorised(batch: Batch, sure: Tensor) -> Tensor:
    """Joints (B, 21, 3) m in each crop's axes by labels, sure (B, 21), and intrinsics alone; for an essential matrix.

    A hand is too flat and too far away for one of two views, as in the paper (docs/reproduction.md), so all views of a
    sample are solved at once. Its bones are as long as the mean hand's, by their median ratio.
    """
    if batch.views < FEWEST:
        raise InputError(f"epipolar_pose without extrinsics: {batch.views} views of a sample, {FEWEST} are wanted")
    seen, focal = rays(batch.joints_2d, batch.K)[..., :2], batch.K[:, 0, 0]
    structure = factorise(*(by_sample(a, batch) for a in (seen, sure, OUTLIER * batch.size / focal)))
    ratio = (rig_bones().to(seen) / bone_lengths(structure.points)).median(-1).values
    return (ratio[:, None, None, None] * structure.in_place()).flatten(0, 1).to(seen)
