"""HaMuCo (Zheng et al., ICCV 2023): views teach each other a hand's pose, from 2D labels alone that need not be true.

Each view says its own hand, all interact and say theirs again, and their fusion teaches the single views.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from ..batch import Batch, Pose
from ..estimator import Estimator, Output
from ..geometry.rotations import from_6d, to_axis_angle
from ..geometry.view_alignment import between_views, fused_in_each, onto_each
from ..hamuco_losses import fused_loss, label_loss, pairwise_loss, pose_prior, shape_prior
from ..layers.interaction import JOINTS, SLOPE, DualBranch, random_groups
from .common import check_size
from .hamuco_hand import FINGERS, ROTATIONS
from .hamuco_pose import placed
from .hamuco_single import SingleConfig, SingleView, View, head, positive, start_at_rest, to_uv
from .learnable_triangulation import by_sample

REGRESSED = 32  # features of a joint that parameters follow from
OF_SINGLE = frozenset({"single_2d", "single_prior"})
IN_TURN = frozenset({"consistency_2d", "consistency_fused"})
WITH_FUSED = frozenset({"consistency_fused", "distillation"})


@dataclass(frozen=True)
class Config:
    """The defaults are the paper's; switches leave out what the rows of its Table 4 do without."""

    single: SingleConfig = field(default_factory=SingleConfig)
    embedding: int = 64  # features of a joint's location
    maps: int = 8  # of the initial graph, a joint
    interactions: int = 2  # dual branches one after the other; 0: none (w/o DCVI)
    attention: bool = True  # their cross-view attention (CVA)
    shared: bool = True  # their view-shared features (VSF)
    location: bool = True  # parts of a joint's features: where it is thought to be,
    initial: bool = True  # a graph from the last map,
    sampled: bool = True  # and what the other maps show there
    extrinsics: bool = True  # views are turned onto each other by their cameras, or else by Procrustes
    masks: bool = False  # while training, views see some of the others only: fine-tuning for any number of views
    scored: Literal["fused", "interact", "single"] = "fused"  # what `pose` tells
    absolute: Literal["centre", "ransac"] = "centre"  # how several calibrated views place it; neither changes weights

    def __post_init__(self) -> None:
        if min(self.embedding, self.maps) < 1 or self.interactions < 0:
            raise ValueError("embedding and maps must be positive, interactions at least 0")
        if self.interactions and not (self.attention or self.shared):
            raise ValueError("neither attention nor shared: interactions = 0 leaves both out")
        if not (self.location or self.initial or self.sampled):
            raise ValueError("location, initial, sampled: joints need one of these features at least")

    @property
    def size(self) -> int:
        """px, side of the crops."""
        return self.single.size


class HaMuCo(Estimator):
    """Output, for WHO of single (each view alone) and interact (after interaction), with the losses it belongs to:

    WHO_joints    (B, 21, 3)      `consistency_2d` and `consistency_fused` in turn (interact), `distillation` (single)
    WHO_vertices  (B, 2651, 3)    likewise
    WHO_uv        (B, 21, 2)      `WHO_2d`: -1 to 1 over the crop, against labels
    WHO_rotations (B, 16, 3, 3)   `WHO_prior`; with shape (B, K) of the single view, which interaction keeps
    WHO_camera    (B, 3)          weak perspective
    fused_joints, fused_vertices  of all views together, in the axes of each
    turn          ()              0: `consistency_2d` counts; 1: `consistency_fused`; -1: both

    Points are from joint 9, in units of 0.2 m, in the axes of each crop's camera. No 3D label is looked at.
    """

    name = "hamuco"
    Config = Config
    fields = ("rgb", "K", "world_to_cam", "joints_2d")
    multi_view = True
    alone = ("model.scored=single",)

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.single = SingleView(config.single)
        self.graph = GraphFeatures(config, self.single.backbone.channels)
        self.interaction = Interaction(config, self.graph.features)
        self.regression = ParameterRegression(self.graph.features)

    def forward(self, batch: Batch, wanted: frozenset[str] | None = None) -> Output:
        check_size(self, batch)
        own, maps = self.single(batch.rgb)
        output = _named("single", own)
        if wanted is not None and wanted <= OF_SINGLE:
            return output
        with torch.autocast(batch.rgb.device.type, enabled=False):
            graph, turn = self.interaction(self.graph(own, maps).unflatten(0, (-1, batch.views)))
            rotations, camera = self.regression(graph.flatten(0, 1))
            output |= _named("interact", self.single.decode(rotations, own.shape.detach(), camera))
            if wanted is None or wanted & IN_TURN:
                output["turn"] = turn if wanted is not None and wanted >= IN_TURN else torch.full_like(turn, -1)
            return output | self.fused(output, batch) if wanted is None or wanted & WITH_FUSED else output

    @torch.no_grad()
    def fused(self, output: Output, batch: Batch) -> Output:
        """The fusion of `interact_joints` and `interact_vertices`: mean_j A_i(M_j) in the axes of each view i."""
        points = by_sample(points_of("interact", output), batch)
        fused = fused_in_each(points, between_views(points, self.turns(batch))).flatten(0, 1)
        return {"fused_vertices": fused[:, :-JOINTS], "fused_joints": fused[:, -JOINTS:]}

    def turns(self, batch: Batch) -> Tensor | None:
        """Rotations (S, V, 3, 3) of the cameras, or None where extrinsics are not to be known."""
        return by_sample(batch.world_to_cam[:, :3, :3], batch) if self.config.extrinsics else None

    def losses(self, output: Output, batch: Batch) -> dict[str, Tensor]:
        found = {"single_prior": pose_prior(turns_of("single", output)) + shape_prior(output["single_shape"])}
        if batch.joints_2d is not None:
            labels, sure = to_uv(batch.joints_2d, batch), batch.label_confidence
            for who in ("single", "interact"):
                if f"{who}_uv" in output:
                    found[f"{who}_2d"] = label_loss(output[f"{who}_uv"], labels, sure, batch.joint_valid)
        if "interact_joints" in output:
            found["interact_prior"] = pose_prior(turns_of("interact", output))
        if "turn" in output:
            found |= self.consistency(output, batch)
        if "fused_joints" in output:
            found["distillation"] = fused_loss(points_of("single", output), points_of("fused", output))
        return found

    def consistency(self, output: Output, batch: Batch) -> dict[str, Tensor]:
        """L_c: its two terms in turn, 0 for the one whose turn it is not."""
        points, turn = points_of("interact", output), int(output["turn"])
        found = dict.fromkeys(sorted(IN_TURN), points.new_zeros(()))
        if turn != 1:
            views = by_sample(points, batch)
            moved = onto_each(views, between_views(views, self.turns(batch)), axes=2)
            found["consistency_2d"] = pairwise_loss(moved, views)
        if turn != 0 and "fused_joints" in output:
            found["consistency_fused"] = fused_loss(points, points_of("fused", output))
        return found

    def pose(self, output: Output, batch: Batch, oracle: bool = False) -> Pose:
        absolute = self.config.absolute if self.config.extrinsics else None
        pose = placed(output, batch, self.config.scored, absolute, oracle)
        return dataclasses.replace(pose, vertices_cam=None) if self.config.single.mano else pose  # other points


class GraphFeatures(nn.Module):
    """VSGFE: what a view knows of each joint, (B, 21, features), by networks that all views share."""

    def __init__(self, config: Config, channels: tuple[int, ...]) -> None:
        super().__init__()
        side = config.size // 32
        inputs, outputs = 3 * (JOINTS + ROTATIONS - 1), JOINTS * config.embedding
        self.location = self.initial = None
        if config.location:
            self.location = nn.Sequential(nn.Linear(inputs, outputs), nn.LeakyReLU(SLOPE), nn.Linear(outputs, outputs))
        if config.initial:
            self.initial = nn.Sequential(nn.Conv2d(channels[-1], JOINTS * config.maps, 1), nn.LeakyReLU(SLOPE))
        self.sampled = config.sampled
        parts = (config.location * config.embedding, config.initial * config.maps * side**2)
        self.features = sum(parts) + config.sampled * sum(channels[:-1])

    def forward(self, view: View, maps: tuple[Tensor, ...]) -> Tensor:
        """(B, 21, features) of what the single views say, and the backbone's maps."""
        parts = []
        if self.location is not None:
            turns = to_axis_angle(view.rotations[:, FINGERS])
            located = torch.cat([view.joints.flatten(1), turns.flatten(1)], 1)
            parts.append(self.location(located).unflatten(1, (JOINTS, -1)))
        if self.initial is not None:
            parts.append(self.initial(maps[-1]).unflatten(1, (JOINTS, -1)).flatten(2))
        if self.sampled:
            parts += [sampled_at(view.uv.detach(), one) for one in maps[:-1]]
        return torch.cat(parts, -1)


class Interaction(nn.Module):
    """Dual branches one after the other, and the count of training steps that says whose turn L_c's terms are."""

    def __init__(self, config: Config, features: int) -> None:
        super().__init__()
        branches = (DualBranch(features, config.attention, config.shared) for _ in range(config.interactions))
        self.branches, self.masks = nn.ModuleList(branches), config.masks
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Features (S, V, 21, F) of all views, and this step's turn (): 0 or 1."""
        turn = self.steps % 2
        if self.training:
            self.steps += 1
        seen = random_groups(*x.shape[:2], x.device) if self.training and self.masks else None
        for branch in self.branches:
            x = branch(x, seen)
        return x, turn


class ParameterRegression(nn.Module):
    """Joints' features to what the hand model needs: 32 a joint by an MLP, then all joints to pose and camera."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.joint = nn.Sequential(
            nn.Linear(features, features), nn.LeakyReLU(SLOPE), nn.Linear(features, REGRESSED), nn.LeakyReLU(SLOPE)
        )
        self.hand = head(JOINTS * REGRESSED, 6 * ROTATIONS + 3)
        start_at_rest(self.hand[-1])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Rotations (B, 16, 3, 3) and camera (B, 3) of features x (B, 21, F)."""
        pose, camera = self.hand(self.joint(x).flatten(1)).split([6 * ROTATIONS, 3], 1)
        return from_6d(pose.unflatten(1, (ROTATIONS, 6))), positive(camera)


def sampled_at(uv: Tensor, maps: Tensor) -> Tensor:
    """What maps (B, C, h, w) show at uv (B, N, 2), (B, N, C): bilinear, and nothing outside of the crop."""
    return nn.functional.grid_sample(maps, uv[:, :, None], align_corners=False)[..., 0].mT


def points_of(who: str, output: Output) -> Tensor:
    """(B, 2651 + 21, 3): vertices, then joints."""
    return torch.cat([output[f"{who}_vertices"], output[f"{who}_joints"]], 1)


def turns_of(who: str, output: Output) -> Tensor:
    """(B, 15, 3) rad: the turns of the fingers' bones as axis-angle."""
    return to_axis_angle(output[f"{who}_rotations"][:, FINGERS])


def _named(who: str, view: View) -> Output:
    return {f"{who}_{name}": value for name, value in view._asdict().items()}
