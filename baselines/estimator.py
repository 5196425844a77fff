"""What every estimator is: a module with named parts, losses by name, and a pose with or without an oracle."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from torch import Tensor, nn

from .batch import Batch, Pose

Output = dict[str, Tensor]


class Estimator(nn.Module, ABC):
    """Made from a `Config` of its own. Stages of training name its child modules (what learns) and its losses.

    A part that does not learn in a stage is in eval mode and keeps no gradients; `forward` need not compute what only
    losses without weight want: `wanted` names the losses of the stage, or is None for everything.
    """

    name: ClassVar[str]
    Config: ClassVar[type]
    fields: ClassVar[tuple[str, ...]]  # of the schema, that training needs
    multi_view: ClassVar[bool] = False  # needs all views of a sample in a batch
    alone: ClassVar[tuple[str, ...] | None] = None  # of those: settings with which it answers one view, where it can

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.config = config

    @abstractmethod
    def forward(self, batch: Batch, wanted: frozenset[str] | None = None) -> Output:
        """All that is estimated of a batch, by name; the estimator's docstring gives names, shapes and units."""

    @abstractmethod
    def losses(self, output: Output, batch: Batch) -> dict[str, Tensor]:
        """Every loss that `output` allows, by name: scalars, without weights."""

    @abstractmethod
    def pose(self, output: Output, batch: Batch, oracle: bool = False) -> Pose:
        """The pose in camera axes. With `oracle`, root depth and scale are those of the labels, as in the papers.

        Without it nothing of the labels is looked at; the root's depth follows from the mean hand's size.
        """
