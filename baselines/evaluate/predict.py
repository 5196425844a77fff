"""What a trained estimator says of a data set, beside its labels: numpy arrays, in the order of the samples."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dataset_tools.progress import Progress
from rigging.errors import InputError
from rigging.files import write_atomic

from ..batch import Batch, Pose
from ..config import Config
from ..data.batches import Batches, all_alike
from ..data.source import Source
from ..estimator import Estimator
from ..train.faults import memory_for
from ..train.forward import forward
from ..train.ranks import choose_device
from .masks import overlap

NEEDED = ("joints_cam",)


@dataclass(frozen=True)
class Predictions:
    """n crops, the `views` of a sample in a row; what an estimator does not say, or the data do not know, is None.

    Metres in camera axes, pixels of the crop. `oracle_*` were made with root depth and scale of the labels.
    """

    views: int
    sample: np.ndarray  # (n,) int64, its number in the data set
    view: np.ndarray  # (n,) int64
    subject: np.ndarray  # (n,) int64
    K: np.ndarray  # (n, 3, 3) float32 px, of the crop
    world_to_cam: np.ndarray  # (n, 4, 4) float32 m
    joints_cam: np.ndarray  # (n, 21, 3) float32 m, without an oracle
    oracle_joints_cam: np.ndarray  # (n, 21, 3) float32 m
    true_joints_cam: np.ndarray  # (n, 21, 3) float32 m
    joint_valid: np.ndarray  # (n, 21) bool, there is a label
    true_joints_2d: np.ndarray  # (n, 21, 2) float32 px
    joints_2d: np.ndarray | None = None  # (n, 21, 2) float32 px, as found in the image
    confidence: np.ndarray | None = None  # (n, 21) float32, 0 to 1
    vertices_cam: np.ndarray | None = None  # (n, 2651, 3) float32 m, without an oracle
    oracle_vertices_cam: np.ndarray | None = None  # (n, 2651, 3) float32 m
    true_vertices_cam: np.ndarray | None = None  # (n, 2651, 3) float32 m
    iou: np.ndarray | None = None  # (n,) of the mesh's silhouette and the hand's mask; NaN where that is not known
    oracle_iou: np.ndarray | None = None  # (n,)

    def __len__(self) -> int:
        return len(self.sample)

    def save(self, path: Path | str) -> None:
        """Write all as npz."""
        buffer = io.BytesIO()
        np.savez(buffer, **{name: value for name, value in vars(self).items() if value is not None})
        write_atomic(path, buffer.getvalue())

    def without_vertices(self) -> Predictions:
        """The same without meshes, which are nearly all of it."""
        return dataclasses.replace(self, vertices_cam=None, oracle_vertices_cam=None, true_vertices_cam=None)

    def rows(self, chosen: np.ndarray) -> Predictions:
        """Those of some crops, by a mask or their places (m,)."""
        arrays = {name: value[chosen] for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        return dataclasses.replace(self, **arrays)

    @classmethod
    def load(cls, path: Path | str) -> Predictions:
        """What `save` wrote. Raises InputError."""
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = dict(file)
            return cls(views=int(arrays.pop("views")), **arrays)
        except (ValueError, TypeError, KeyError, EOFError) as error:
            raise InputError(f"{path}: these are no predictions of this mvhm ({error})") from error


def predict(
    estimator: Estimator,
    source: Source,
    config: Config,
    device: str = "",
    *,
    batch: int = 0,
    vertices: bool = False,
    views: int = 0,
) -> Predictions:
    """What `estimator`, trained with `config`, says of every sample of `source`, in memory; see `each_batch`."""
    return joined(each_batch(estimator, source, config, device, batch=batch, vertices=vertices, views=views))


@torch.inference_mode()
def each_batch(
    estimator: Estimator,
    source: Source,
    config: Config,
    device: str = "",
    *,
    batch: int = 0,
    vertices: bool = False,
    views: int = 0,
) -> Iterator[Predictions]:
    """The same, batch by batch: crops as in training without augmentation, views as in training.

    `batch` is in crops (0: that of training). With `vertices` meshes come too, where estimator and data have them; they
    take 64 KB a crop. Where the data have masks, it is said how well meshes fill them. With `views` so many are seen
    together, each of the source's cameras as often as any other (see `all_alike`). Raises InputError for data without
    joints_cam, for `views` that estimator or data do not allow, and what reading raises.
    """
    chosen = choose_device(device)
    estimator = estimator.to(chosen).eval()
    batches = _batches(estimator, source, config, chosen, batch, vertices, views)
    with Progress("predict", batches.crops) as progress:
        for one in batches.ordered():
            poses = _poses(estimator, one, config)
            progress.add(len(one))
            yield _predictions(one, *poses, vertices)


def joined(parts: Iterable[Predictions]) -> Predictions:
    """One of several, in their order. Raises InputError for none."""
    parts = list(parts)
    if not parts:
        raise InputError("there are no predictions to join")
    columns = {one.name: [getattr(part, one.name) for part in parts] for one in dataclasses.fields(Predictions)}
    views = columns.pop("views")[0]
    whole = {name: None if values[0] is None else np.concatenate(values) for name, values in columns.items()}
    return Predictions(views=views, **whole)


def _batches(
    estimator: Estimator,
    source: Source,
    config: Config,
    device: torch.device,
    batch: int,
    vertices: bool,
    views: int,
) -> Batches:
    if views and not estimator.multi_view:
        raise InputError(f"--views {views}: {estimator.name} sees one view at a time")
    if views > source.views:
        raise InputError(f"--views {views}: {source.name} has {source.views}")
    together = (views or config.data.views) if estimator.multi_view else 1
    crops = max(batch or config.data.batch, together) // together * together
    data = dataclasses.replace(config.data, batch=crops, samples=0)
    needed = (*NEEDED, "vertices_world") if vertices and "vertices_world" in source.fields else NEEDED
    cameras = all_alike(source.views, views) if views else None
    return Batches(source, data, needed=needed, multi_view=estimator.multi_view, cameras=cameras, device=device)


def _poses(estimator: Estimator, batch: Batch, config: Config) -> tuple[Pose, Pose]:
    """Without an oracle and with one. Raises InputError if the batch does not fit into memory."""
    with memory_for(len(batch)):
        output = forward(estimator, batch, config.train)
        return estimator.pose(output, batch), estimator.pose(output, batch, oracle=True)


def _predictions(batch: Batch, pose: Pose, oracle: Pose, vertices: bool) -> Predictions:
    meshes = (pose.vertices_cam, oracle.vertices_cam, batch.vertices_cam) if vertices else (None, None, None)
    valid = batch.joint_valid
    return Predictions(
        views=batch.views,
        sample=_array(batch.sample),
        view=_array(batch.view),
        subject=_array(batch.subject),
        K=_array(batch.K),
        world_to_cam=_array(batch.world_to_cam),
        joints_cam=_array(pose.joints_cam),
        oracle_joints_cam=_array(oracle.joints_cam),
        true_joints_cam=_array(batch.joints_cam),
        joint_valid=np.ones(batch.joints_cam.shape[:2], bool) if valid is None else _array(valid),
        true_joints_2d=_array(batch.joints_2d),
        joints_2d=_array(pose.joints_2d),
        confidence=_array(pose.confidence),
        vertices_cam=_array(meshes[0]),
        oracle_vertices_cam=_array(meshes[1]),
        true_vertices_cam=_array(meshes[2]),
        iou=overlap(meshes[0], batch),
        oracle_iou=overlap(meshes[1], batch),
    )


def _array(tensor: Tensor | None) -> np.ndarray | None:
    if tensor is None:
        return None
    return (tensor.float() if tensor.is_floating_point() else tensor).cpu().numpy()
