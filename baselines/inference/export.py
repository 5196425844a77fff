"""A single-view estimator as ONNX: crops and their K in, its pose out; graph convolutions as gathers and products."""

from __future__ import annotations

import copy
import io
import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from rigging.errors import InputError
from rigging.joints import JOINT_NAMES

from ..batch import Batch, Pose
from ..config import Config
from ..estimator import Estimator
from ..layers.graph_conv import GraphConv, Laplacian

OPSET = 20
INPUTS = {
    "rgb": "(batch, 3, {size}, {size}) float32, 0 to 1: square crops, {margin:g} times as long as the joints' box",
    "K": "(batch, 3, 3) float32 px: camera of the crop; the centre of its first pixel is (0.5, 0.5)",
}
OUTPUTS = {  # fields of Pose
    "joints_cam": "(batch, 21, 3) m in camera axes (x right, y down, z ahead), up to scale: of a hand of believed size",
    "joints_2d": "(batch, 21, 2) px of the crop",
    "confidence": "(batch, 21) 0 to 1, of joints_2d",
    "vertices_cam": "(batch, 2651, 3) m, as joints_cam",
}
CHATTER = ("torch.onnx", "onnxscript", "onnx_ir")  # loggers that tell nothing to a user


class GatheredGraphConv(nn.Module):
    """A graph convolution without sparse matrices: a node's neighbours are gathered, (N, most neighbours) of them."""

    def __init__(self, convolution: GraphConv) -> None:
        super().__init__()
        self.weight, self.bias = convolution.weight, convolution.bias
        neighbour, value = neighbours(convolution.laplacian)
        self.register_buffer("neighbour", neighbour)
        self.register_buffer("value", value)

    def forward(self, x: Tensor) -> Tensor:
        """(N, B, outputs) of x (N, B, inputs): the sum of T_k(L) x theta_k, T_k by Chebyshev's recurrence."""
        before, term = None, x.float()
        result = term @ self.weight[0]
        for weight in self.weight[1:]:
            following = self.propagated(term) if before is None else 2 * self.propagated(term) - before
            before, term = term, following
            result = result + term @ weight
        return result if self.bias is None else result + self.bias

    def propagated(self, x: Tensor) -> Tensor:
        """L x, (N, B, F) of x (N, B, F)."""
        near = x.index_select(0, self.neighbour.flatten()).unflatten(0, self.neighbour.shape)
        return (near * self.value[..., None, None]).sum(1)


def neighbours(laplacian: Laplacian) -> tuple[Tensor, Tensor]:
    """Columns (N, D) int64 and values (N, D) of the Laplacian's rows; D is the most a row has, others end in zeros."""
    crow, col = laplacian.crow.long(), laplacian.col.long()
    counts = crow.diff()
    row = torch.repeat_interleave(torch.arange(laplacian.nodes), counts)
    place = torch.arange(len(col)) - crow[row]
    column = col.new_zeros(laplacian.nodes, int(counts.max()))
    value = laplacian.values.new_zeros(column.shape)
    column[row, place], value[row, place] = col, laplacian.values
    return column, value


def exportable(estimator: Estimator) -> Estimator:
    """A copy of the estimator that says the same and consists of what ONNX has."""
    copied = copy.deepcopy(estimator).cpu().float().eval().requires_grad_(False)
    places = [(name, module) for name, module in copied.named_modules() if isinstance(module, GraphConv)]
    for name, convolution in places:
        parent, _, own = name.rpartition(".")
        setattr(copied.get_submodule(parent), own, GatheredGraphConv(convolution))
    return copied


class CropsToPose(nn.Module):
    """An estimator as a function of tensors; `names` of what it says are those of Pose."""

    def __init__(self, estimator: Estimator) -> None:
        super().__init__()
        self.estimator = estimator
        with torch.inference_mode():
            pose = self.pose(*example(estimator.config.size))
        self.names = tuple(name for name in OUTPUTS if getattr(pose, name) is not None)

    def pose(self, rgb: Tensor, K: Tensor) -> Pose:
        """The pose of crops (B, 3, S, S) with cameras (B, 3, 3)."""
        nothing = torch.zeros_like(K[:, 0, 0]).long()
        batch = Batch(
            rgb=rgb, K=K, world_to_cam=torch.eye(4).expand(rgb.shape[0], 4, 4), sample=nothing, subject=nothing
        )
        return self.estimator.pose(self.estimator(batch), batch)

    def forward(self, rgb: Tensor, K: Tensor) -> tuple[Tensor, ...]:
        """`names` of the pose of crops (B, 3, S, S) with cameras (B, 3, 3)."""
        pose = self.pose(rgb, K)
        return tuple(getattr(pose, name) for name in self.names)


def example(size: int, count: int = 2) -> tuple[Tensor, Tensor]:
    """Grey crops (count, 3, size, size) and their cameras (count, 3, 3)."""
    K = torch.tensor([[3.0 * size, 0, size / 2], [0, 3.0 * size, size / 2], [0, 0, 1]])
    return torch.full((count, 3, size, size), 0.5), K.repeat(count, 1, 1)


def onnx_bytes(estimator: Estimator, config: Config, opset: int = OPSET) -> bytes:
    """The ONNX file of a single-view estimator. Raises InputError for one that ONNX cannot hold."""
    if estimator.multi_view:
        raise InputError(f"{estimator.name}: sees several views; single-view estimators can be exported")
    network = CropsToPose(exportable(estimator)).eval()
    size = network.estimator.config.size
    batch = {0: torch.export.Dim("batch")}
    try:
        with _quiet():
            program = torch.onnx.export(
                network,
                example(size),
                input_names=list(INPUTS),
                output_names=list(network.names),
                dynamic_shapes={"rgb": batch, "K": batch},
                opset_version=opset,
                dynamo=True,
                external_data=False,
                verbose=False,
            )
    except (torch.onnx.errors.OnnxExporterError, torch.export.UnsupportedOperatorException) as error:
        raise InputError(
            f"{estimator.name}: torch {torch.__version__} cannot write it as ONNX ({_cause(error)})"
        ) from error
    if isinstance(program.model.graph.inputs[0].shape[0], int):
        raise InputError(
            f"{estimator.name}: its code fixes how many crops go at a time; ONNX needs shape[0], not len()"
        )
    program.model.metadata_props.update(metadata(estimator, config, network.names))
    buffer = io.BytesIO()
    program.save(buffer)
    return buffer.getvalue()


def metadata(estimator: Estimator, config: Config, names: tuple[str, ...]) -> dict[str, str]:
    """What a user of the file has to know, by name."""
    size = {"size": estimator.config.size, "margin": config.data.margin}
    about = {"estimator": estimator.name, "joint_names": json.dumps(JOINT_NAMES), "precision": "float32"}
    about |= {f"input.{name}": text.format(**size) for name, text in INPUTS.items()}
    return about | {f"output.{name}": OUTPUTS[name] for name in names}


def _cause(error: BaseException) -> str:
    """The first line of the first cause."""
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(error).splitlines() or [type(error).__name__])[0]


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the exporter says to those who work on it."""
    loggers = [logging.getLogger(name) for name in CHATTER]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels):
            logger.setLevel(level)
