"""Settings of a gate: a preset's `gate.toml`, beside the settings of its estimators."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..geometry.simulate import PixelNoise


@dataclass(frozen=True)
class Overfit:
    """How an estimator is made to learn few views by heart: a stage of its preset, without augmentation."""

    estimator: str
    stage: str  # of the preset, which says what learns
    losses: dict[str, float]  # weights
    epochs: int
    lr: float


@dataclass(frozen=True)
class GateSettings:
    """What the tiers do."""

    overfits: tuple[Overfit, ...]
    overfit_views: int = 32
    overfit_share: float = 0.0  # of the mean pose's error, that an overfitted one must stay below; 0: no such limit
    overfit_mm: float = 0.0  # likewise in mm
    seeds: int = 3  # of the single-view estimator, each with its fusion
    quarter: bool = False  # train on a quarter of the data, too
    mutated: int = 24  # samples of which broken copies are validated
    draws: int = 10000  # of the bootstrap
    noises: int = 10  # seeds of simulated detections
    seed: int = 0  # of draws and simulated detections
    detections: PixelNoise = field(default_factory=lambda: PixelNoise(outliers=0.1))  # simulated, in crops of 256 px

    def __post_init__(self) -> None:
        if not (self.overfit_share or self.overfit_mm):
            raise ValueError("overfit_share or overfit_mm: a limit is wanted")
        if min(self.seeds, self.mutated, self.draws, self.noises) < 1:
            raise ValueError("seeds, mutated, draws and noises are numbers from 1")
