"""Settings of a training: frozen dataclasses, filled from a preset's TOML."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Stage:
    """A stage of training: what learns, from which losses, how long and how fast."""

    name: str
    learns: tuple[str, ...]  # parts of the estimator; the others are frozen
    losses: dict[str, float]  # weights
    epochs: int
    lr: float
    optimiser: Literal["adamw", "adam", "rmsprop"] = "adamw"
    weight_decay: float = 0.0
    schedule: Literal["constant", "cosine"] = "cosine"
    warmup: int = 0  # steps
    cached: bool = False  # what frozen parts say of the data is computed once, without augmentation


@dataclass(frozen=True)
class Data:
    """What is read, and how batches are made of it."""

    size: int = 256  # px, side of the crops
    batch: int = 32  # crops; a multiple of the number of views for multi-view estimators
    views: int = 8  # of a sample, for multi-view estimators
    split: str = "train"  # "" takes every sample
    margin: float = 1.3  # crop's side over that of the joints' box
    samples: int = 0  # only the first of the split; 0 takes all
    workers: int = 2  # threads that read and decode


@dataclass(frozen=True)
class Augment:
    """How training crops are changed, on the device; 0 switches a change off."""

    rotate: float = 0.0  # degrees, either way
    scale: float = 0.0  # the crop's side changes by up to this share
    shift: float = 0.0  # of the side
    colour: float = 0.0  # brightness, contrast and each channel, by up to this share
    noise: float = 0.0  # standard deviation, of 0 to 1
    blur: float = 0.0  # share of the crops that are blurred
    jpeg: float = 0.0  # share of the crops that are compressed
    erase: float = 0.0  # share of the crops that lose a rectangle
    background: float = 0.0  # share of the crops whose background is replaced, where the data have alpha
    backgrounds: str = ""  # folder of pictures to replace it with; "" takes the backgrounds of other crops
    spectrum: float = 0.0  # share of the crops whose amplitude spectrum is mixed with another's; the phase stays


@dataclass(frozen=True)
class Training:
    """The loop."""

    seed: int = 0
    precision: Literal["fp32", "bf16"] = "fp32"
    ema: float = 0.0  # decay of the weights' moving average; 0 is none
    clip: float = 1.0  # largest norm of the gradients; 0 does not clip
    channels_last: bool = True
    compile: bool = False
    save_seconds: float = 300.0  # between states to resume from; one is kept at the end of every stage, too


@dataclass(frozen=True)
class Config:
    """A training: the estimator's own settings, data, augmentation, loop and stages."""

    estimator: str
    stages: tuple[Stage, ...]
    model: dict = field(default_factory=dict)  # of the estimator's Config, whole
    data: Data = field(default_factory=Data)
    augment: Augment = field(default_factory=Augment)
    train: Training = field(default_factory=Training)
