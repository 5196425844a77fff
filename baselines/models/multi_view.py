"""MVHM's multi-view estimator (Chen et al., WACV 2021, section 5): poses of single views into a graph U-Net.

Poses of single views are relative to the wrist and in units of the hand's scale; so is the fused pose. How large the
hand is and where it is follows from the cameras afterwards, or from an oracle.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from rigging.errors import InputError

from ..batch import Batch, Pose
from ..estimator import Estimator, Output
from ..geometry.camera import rays, to_camera
from ..geometry.fuse import in_camera_axes, in_world_axes, median
from ..geometry.procrustes import align
from ..geometry.triangulate import triangulate
from ..layers.graph_unet import GraphUNet, skeleton
from ..losses import fused_loss
from .common import JOINTS
from .single_view import Config as SingleConfig
from .single_view import MvhmSingleView
from .uvd import lift, true_scale

FOUND = ("joints_cam", "joints_2d", "confidence", "scale")  # of each view, what is fused
BEYOND = 2.0  # times nearer or farther than it was taken to be: no hand is


@dataclass(frozen=True)
class Config:
    """The defaults are the paper's; `set` fusion is ours, and takes any number of views."""

    fusion: Literal["concat", "set"] = "concat"
    views: int = 8  # that `concat` takes
    frame: Literal["world", "camera"] = "world"  # common axes: the world's by extrinsics, or without them each view's
    width: int = 64  # of the graph U-Net
    single: SingleConfig = field(default_factory=SingleConfig)

    def __post_init__(self) -> None:
        if self.views < 1 or self.width < 1:
            raise ValueError(f"views = {self.views}, width = {self.width}: both must be positive")


class MvhmMultiView(Estimator):
    """Output: all of the single-view estimator's, and

    fused (B, 21, 3)  `fused`, L_s: joints from the wrist over the scale, in the axes of each crop's camera

    The single-view losses are `single_heatmap`, `single_mesh`, `single_depth` and `single_size`. What the views say can
    be computed once (`precompute`) where the part `single` is frozen.
    """

    name = "mvhm_mv"
    Config = Config
    fields = MvhmSingleView.fields
    multi_view = True

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.single = MvhmSingleView(config.single)
        self.fusion = SetFusion(config) if config.fusion == "set" else ConcatFusion(config)

    def precompute(self, batch: Batch) -> Output:
        """What the single views say, a row a crop: joints_cam, joints_2d, confidence, and the scale (B,) m meant."""
        return self.views(self.single(batch, frozenset({"depth"})), batch)

    def forward(self, batch: Batch, wanted: frozenset[str] | None = None, precomputed: Output | None = None) -> Output:
        output = self.single(batch, of_single(wanted)) if precomputed is None else precomputed
        if wanted is not None and "fused" not in wanted:
            return output
        if precomputed is None:
            output = output | self.views(output, batch)
        with torch.autocast(batch.rgb.device.type, enabled=False):  # 8 bits are too few for a coordinate
            return output | {"fused": self.fuse(output, batch)}

    def views(self, output: Output, batch: Batch) -> Output:
        """FOUND, of the single-view estimator's output."""
        with torch.autocast(batch.rgb.device.type, enabled=False):
            pose = self.single.pose(output, batch)
            return dict(zip(FOUND, (pose.joints_cam, pose.joints_2d, pose.confidence, self.single.scale(output))))

    def fuse(self, found: Output, batch: Batch) -> Tensor:
        """(B, 21, 3) the fused pose, as the output has it, of FOUND."""
        frame, scale = self.config.frame, found["scale"][:, None, None]
        poses = from_wrist(found["joints_cam"]) / scale
        sight = nn.functional.normalize(rays(found["joints_2d"][:, :1], batch.K), dim=-1)
        return in_own_axes(self.fusion(*in_common_axes(poses, sight, batch, frame)), batch, frame)

    def losses(self, output: Output, batch: Batch) -> dict[str, Tensor]:
        found = {}
        if "heatmaps" in output:
            found = {f"single_{name}": loss for name, loss in self.single.losses(output, batch).items()}
        if "fused" in output and batch.joints_cam is not None:
            true = from_wrist(batch.joints_cam) / true_scale(batch)[:, None, None]
            found["fused"] = fused_loss(output["fused"], true, batch.joint_valid)
        return found

    def pose(self, output: Output, batch: Batch, oracle: bool = False) -> Pose:
        fused, wrist = output["fused"], output["joints_2d"][:, :1]
        if oracle:
            scale, depth = true_scale(batch), batch.joints_cam[:, 0, 2]
            root = lift(wrist, torch.zeros_like(wrist[..., 0]), scale, depth, batch.K)
        elif self.config.frame == "world" and batch.views > 1:
            points = triangulated(output["joints_2d"], output["confidence"], batch)
            scale = agreed_scale(output, points, batch.views)
            root = (points - fused * scale[:, None, None]).median(1, keepdim=True).values
        else:
            root, scale = output["joints_cam"][:, :1], output["scale"]
        return Pose(root + fused * scale[:, None, None], output["joints_2d"], output["confidence"])


class ConcatFusion(nn.Module):
    """MVHM, section 5: coordinates of a fixed number of views side by side, (n, V, 21, 3) to (n, 21, 3).

    The graph U-Net gives what is added to the views' mean.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.views = config.views
        self.net = GraphUNet(skeleton(), 3 * config.views, 3, config.width)
        _start_at_zero(self.net.out)

    def forward(self, poses: Tensor, sight: Tensor) -> Tensor:
        """poses (n, V, 21, 3), relative to the wrist, to (n, 21, 3); `sight` is not looked at."""
        if poses.shape[1] != self.views:
            raise InputError(f'{poses.shape[1]} views: fusion = "concat" was made for {self.views}, "set" takes any')
        return from_wrist(poses.mean(1) + self.net(poses.transpose(1, 2).flatten(2)))


class SetFusion(nn.Module):
    """Ours: any number of views in any order, (n, V, 21, 3) and their lines of sight (n, V, 3) to (n, 21, 3).

    A network that all views share sees, in the axes of the palm, each view's line of sight and how far its joints are
    from the views' median; mean and maximum over the views go through the graph U-Net, which gives what is added to the
    median. While training, views are left out at random, so that any number is learned.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        width = config.width
        self.joint = nn.Parameter(torch.randn(JOINTS, width) / 10)
        self.first, self.second = nn.Linear(9, width), nn.Linear(width, width)
        self.net = GraphUNet(skeleton(), 2 * width, 3, width)
        _start_at_zero(self.net.out)

    def forward(self, poses: Tensor, sight: Tensor) -> Tensor:
        """poses (n, V, 21, 3), relative to the wrist, and lines of sight (n, V, 3) to (n, 21, 3)."""
        used = random_views(*poses.shape[:2], poses.device) if self.training else poses.new_ones(poses.shape[:2]).bool()
        base = median(poses, used)  # (n, 21, 3)
        axes = palm_axes(base)
        local = torch.cat([base[:, None].expand_as(poses), poses - base[:, None], _as(sight, poses)], -1)
        local = (local.unflatten(-1, (3, 3)) @ axes[:, None, None]).flatten(-2)
        x = self.second((self.first(local) + self.joint).relu())  # (n, V, 21, width)
        without = ~used[..., None, None]
        mean = x.masked_fill(without, 0).sum(1) / used.sum(1)[:, None, None]
        most = x.masked_fill(without, -torch.inf).amax(1)
        return from_wrist(base + self.net(torch.cat([mean, most], -1)) @ axes.mT)


def _as(sight: Tensor, poses: Tensor) -> Tensor:
    """A line of sight (n, V, 3) for every joint of poses (n, V, 21, 3)."""
    return sight[:, :, None].expand_as(poses)


def random_views(samples: int, views: int, device: torch.device) -> Tensor:
    """(n, V) bool: of each sample a random number of views, at least one, chosen at random; half the time all."""
    count = torch.randint(1, views + 1, (samples, 1), device=device)
    count = torch.where(torch.rand(samples, 1, device=device) < 0.5, views, count)
    return torch.rand(samples, views, device=device).argsort(1) < count


def palm_axes(pose: Tensor) -> Tensor:
    """(n, 3, 3) rotations whose columns are axes of the hand: to the middle knuckle, across the palm, out of it."""
    along = nn.functional.normalize(pose[:, 9] - pose[:, 0], dim=-1)
    out = torch.linalg.cross(pose[:, 5] - pose[:, 0], pose[:, 17] - pose[:, 0])
    out = nn.functional.normalize(out - (out * along).sum(-1, keepdim=True) * along, dim=-1)
    return torch.stack([along, torch.linalg.cross(out, along), out], -1)


def in_common_axes(poses: Tensor, sight: Tensor, batch: Batch, frame: str) -> tuple[Tensor, Tensor]:
    """Poses (m, V, 21, 3) and lines of sight (m, V, 3) in axes that the views of a row have in common.

    Of poses (B, 21, 3) and sight (B, 1, 3) in those of each crop's camera. In the frame "world" a row is a sample; in
    "camera" it is a crop, in whose axes all views are, itself first: without extrinsics, the others are turned onto it
    by the poses themselves (Kabsch), through which no gradient goes.
    """
    if frame == "world":
        turned = in_world_axes(torch.cat([torch.zeros_like(sight), poses, sight], 1), batch.world_to_cam)
        turned = turned.unflatten(0, (-1, batch.views))
        return turned[:, :, 1:-1], turned[:, :, -1]
    poses, sight = (one.unflatten(0, (-1, batch.views)) for one in (poses, sight))
    step = torch.arange(batch.views, device=poses.device)
    order = (step[:, None] + step) % batch.views  # (V, V), row i begins with view i
    others, seen = poses[:, order].flatten(0, 1), sight[:, order].flatten(0, 1)  # (B, V, 21, 3) and (B, V, 1, 3)
    with torch.no_grad():
        turn = align(others, others[:, :1].expand_as(others), scale=False).rotation
    return from_wrist(others @ turn.mT), (seen @ turn.mT).squeeze(2)


def in_own_axes(fused: Tensor, batch: Batch, frame: str) -> Tensor:
    """Fused poses (m, 21, 3), as `in_common_axes` has rows and axes, as (B, 21, 3) in each crop's own."""
    return in_camera_axes(fused.repeat_interleave(batch.views, 0), batch.world_to_cam) if frame == "world" else fused


def triangulated(pixels: Tensor, confidence: Tensor, batch: Batch) -> Tensor:
    """Points (B, N, 3) m, in each crop's camera axes, from where all views of the sample see them (B, N, 2) px."""
    of_sample = (one.unflatten(0, (-1, batch.views)) for one in (pixels, batch.K, batch.world_to_cam, confidence))
    points = triangulate(*of_sample, solver="normal")
    return to_camera(points.repeat_interleave(batch.views, 0), batch.world_to_cam)


def agreed_scale(found: Output, points: Tensor, views: int) -> Tensor:
    """(B,) m: the median of what all joints of all views of a sample say, as some may be grossly wrong.

    A view takes the hand for larger than it is by the factor by which it takes its joints for farther away than they
    are: triangulated `points` (B, 21, 3) m in the axes of each crop's camera tell.
    """
    ratio = (points[..., 2] / found["joints_cam"][..., 2]).clamp(1 / BEYOND, BEYOND)
    scale = (ratio * found["scale"][:, None]).unflatten(0, (-1, views))
    return scale.flatten(1).median(1).values.repeat_interleave(views)


def from_wrist(poses: Tensor) -> Tensor:
    """Poses (..., 21, 3), relative to their joint 0."""
    return poses - poses[..., :1, :]


def of_single(wanted: frozenset[str] | None) -> frozenset[str] | None:
    """The single-view losses that are wanted; for the fused one, the depths are."""
    if wanted is None:
        return None
    named = {name.removeprefix("single_") for name in wanted if name.startswith("single_")}
    return frozenset(named | ({"depth"} if "fused" in wanted else set()))


def _start_at_zero(layer: nn.Linear) -> None:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
