"""Photographs to hands: crops as in training, cameras moved with them, and what is found moved back."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from dataset_tools.load.transforms import mirror
from rigging.errors import InputError
from rigging.geometry.projection import project
from rigging.hand.shape import chain_length
from rigging.spin.posed import MIRROR

from ..batch import Batch, Pose
from ..config import Config
from ..data import crop
from ..estimator import Estimator
from ..train.faults import is_out_of_memory
from ..train.forward import forward
from .boxes import Box

FOCAL = 3.0  # crop's sides: of the camera that is assumed where none is given, as of most crops in training
SHORTEST, LONGEST = 0.05, 0.4  # m, of hands


@dataclass(frozen=True)
class View:
    """A photograph, where the hand is in it, and its camera; `assumed` if nobody gave K."""

    name: str  # of the file
    rgb: np.ndarray  # (H, W, 3) uint8
    box: Box
    square: np.ndarray  # (3,) px: the crop's centre x, y and its side
    K: np.ndarray  # (3, 3) float64 px
    world_to_cam: np.ndarray  # (4, 4) float64 m
    assumed: bool


@dataclass(frozen=True)
class Hand:
    """What an estimator says of a view, in pixels of the photograph and metres in its camera's axes."""

    joints_cam: np.ndarray  # (21, 3) float64 m
    joints_2d: np.ndarray  # (21, 2) float64 px, as found in the picture if the estimator looks for them there
    confidence: np.ndarray | None = None  # (21,) 0 to 1
    vertices_cam: np.ndarray | None = None  # (2651, 3) float64 m


def view_of(
    name: str,
    rgb: np.ndarray,
    box: Box,
    margin: float,
    K: np.ndarray | None = None,
    world_to_cam: np.ndarray | None = None,
) -> View:
    """A view of picture (H, W, 3) with K (3, 3) px and world_to_cam (4, 4) m, where they are known.

    The crop is the square about the box, `margin` times as long; a whole picture is taken as it is. Without K, the
    camera looks at the crop's centre from as far away as most did in training.
    """
    low, high = box.corners[:2], box.corners[2:]
    side = max((high - low).max() * (1.0 if box.how == "whole picture" else margin), crop.SMALLEST)
    square = np.array([*(low + high) / 2, side])
    guess = np.array([[FOCAL * side, 0, square[0]], [0, FOCAL * side, square[1]], [0, 0, 1.0]])
    pose = np.eye(4) if world_to_cam is None else world_to_cam
    return View(name, rgb, box, square, guess if K is None else K, pose, K is None)


def mirrored(view: View) -> View:
    """The view of the mirrored world, in which a left hand is a right one; its box stays the photograph's."""
    sample = mirror({"rgb": view.rgb, "K": view.K, "world_to_cam": view.world_to_cam})
    square = view.square * [-1, 1, 1] + [view.rgb.shape[1], 0, 0]
    return dataclasses.replace(view, square=square, **sample)


def mirrored_hand(hand: Hand, width: int) -> Hand:
    """The hand in a mirrored photograph of `width` px, in the photograph itself."""
    return dataclasses.replace(
        hand,
        joints_cam=hand.joints_cam * MIRROR,
        joints_2d=hand.joints_2d * MIRROR[:2] + [width, 0],
        vertices_cam=None if hand.vertices_cam is None else hand.vertices_cam * MIRROR,
    )


def batch_of(views: Sequence[View], size: int, together: bool = False) -> tuple[Batch, Tensor]:
    """Crops of `size` px and their maps (B, 3, 3) from photographs to crops; `together` they are views of one hand."""
    parts = [_cropped(view, size) for view in views]
    batches, maps = zip(*parts)
    count = torch.arange(len(views))
    tensors = {name: torch.cat([getattr(one, name) for one in batches]) for name in ("rgb", "K", "world_to_cam")}
    rows = {"sample": 0 * count if together else count, "subject": 0 * count, "view": count if together else 0 * count}
    return Batch(**tensors, **rows, views=len(views) if together else 1), torch.cat(maps)


def _cropped(view: View, size: int) -> tuple[Batch, Tensor]:
    """One crop; a photograph of which it would skip pixels is made smaller first."""
    x, y, side = view.square
    picture, shrink = _smaller(view.rgb, int(side / (crop.MOST * size)))
    scaled = np.diag([*shrink, 1.0])
    whole = Batch(
        rgb=torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float() / 255,
        K=torch.from_numpy(scaled @ view.K)[None],
        world_to_cam=torch.from_numpy(view.world_to_cam)[None],
        sample=torch.zeros(1, dtype=torch.int64),
        subject=torch.zeros(1, dtype=torch.int64),
    )
    square = crop.Squares(torch.tensor([[x, y]]).double(), torch.tensor([side]).double(), torch.zeros(1).double())
    maps = square.maps(size)
    from_smaller = maps @ torch.from_numpy(np.linalg.inv(scaled))
    return crop.move(whole, from_smaller, size, crop.oversampling(picture.shape[:2], size)), maps


def _smaller(picture: np.ndarray, factor: int) -> tuple[np.ndarray, np.ndarray]:
    """The picture (H, W, 3) reduced about `factor` times, means over areas, and its size over the old one's (2,)."""
    old = np.array(picture.shape[1::-1])
    if factor < 2:
        return picture, np.ones(2)
    new = np.maximum(old // factor, 1)
    return cv2.resize(picture, [int(one) for one in new], interpolation=cv2.INTER_AREA), new / old


@torch.inference_mode()
def pose_of(estimator: Estimator, config: Config, batch: Batch, device: torch.device) -> Pose:
    """The estimator's answer to a batch, on the CPU. Raises InputError if it does not fit into memory."""
    batch = batch.to(device)
    try:
        pose = estimator.pose(forward(estimator, batch, config.train), batch)
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise InputError(f"out of memory with {len(batch)} photographs at a time") from error
        raise
    return Pose(**{name: None if one is None else one.float().cpu() for name, one in vars(pose).items()})


def hands_of(
    estimator: Estimator, config: Config, views: Sequence[View], device: torch.device, left: bool = False
) -> list[Hand]:
    """What a single-view estimator says of each view; `left` hands are looked at in a mirror."""
    seen = [mirrored(view) for view in views] if left else views
    batch, maps = batch_of(seen, config.data.size)
    hands = hands_in(pose_of(estimator, config, batch, device), seen, maps)
    return [mirrored_hand(hand, view.rgb.shape[1]) for hand, view in zip(hands, views)] if left else hands


def hands_in(pose: Pose, views: Sequence[View], maps: Tensor) -> list[Hand]:
    """An estimate of crops, cut by maps (B, 3, 3), in the photographs they were cut from."""
    pixels = None if pose.joints_2d is None else crop.moved_points(pose.joints_2d, crop.inverse(maps))
    found = []
    for row, view in enumerate(views):
        joints = pose.joints_cam[row].double().numpy()
        projected = project(joints, view.K[None], np.eye(4)[None])[0]
        found.append(
            Hand(
                joints,
                projected if pixels is None else pixels[row].double().numpy(),
                None if pose.confidence is None else pose.confidence[row].double().numpy(),
                None if pose.vertices_cam is None else pose.vertices_cam[row].double().numpy(),
            )
        )
    return found


def reprojected(hand: Hand, view: View) -> Hand:
    """The hand with joints_2d where its joints in space are seen, not where they were found in the picture."""
    return dataclasses.replace(hand, joints_2d=project(hand.joints_cam, view.K[None], np.eye(4)[None])[0])


def resized(hand: Hand, length: float) -> Hand:
    """The hand `length` m long along its bones, from the wrist to the tip of the middle finger.

    Nearer or farther by as much as it is smaller or larger, it looks the same to its camera.
    """
    factor = length / chain_length(hand.joints_cam)
    vertices = None if hand.vertices_cam is None else factor * hand.vertices_cam
    return dataclasses.replace(hand, joints_cam=factor * hand.joints_cam, vertices_cam=vertices)
