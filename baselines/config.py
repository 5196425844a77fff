"""Settings of a training: frozen dataclasses, filled from a preset's TOML, changed with `--set`, and written again."""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from rigging.errors import InputError
from rigging.settings import from_table, nearest

from .change import change
from .registry import estimator_class

PRESETS = Path(__file__).parent / "presets"  # PRESET/ESTIMATOR.toml


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

    def __post_init__(self) -> None:
        _at_least(self, 0, "epochs", "lr", "weight_decay", "warmup")
        if not self.learns or not any(weight > 0 for weight in self.losses.values()):
            raise ValueError(f"stage {self.name!r} needs a part that learns, and a loss with a weight above 0")


@dataclass(frozen=True)
class Data:
    """What is read, and how batches are made of it."""

    size: int = 256  # px, side of the crops
    batch: int = 32  # crops; a multiple of the number of views for multi-view estimators
    views: int = 8  # of a sample, for multi-view estimators
    split: str = "train"  # "" takes every sample
    margin: float = 1.3  # crop's side over that of the joints' box
    samples: int = 0  # only the first of the split; 0 takes all
    workers: int = 2  # threads that read and decode; 0: the one that trains
    shuffle_views: bool = False  # of the samples of a batch, in training: in an order of each batch's own

    def __post_init__(self) -> None:
        _at_least(self, 1, "size", "batch", "views")
        _at_least(self, 0, "samples", "margin", "workers")


@dataclass(frozen=True)
class Augment:
    """How training crops are changed, on the device; 0 switches a change off."""

    rotate: float = 0.0  # degrees, either way
    scale: float = 0.0  # the crop's side changes by up to this share
    shift: float = 0.0  # of the side
    colour: float = 0.0  # brightness, contrast and each channel, by up to this share
    brightness: float = 0.0  # alone, and in turn the next: by factors of up to this share less or more
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0  # of a circle, either way
    noise: float = 0.0  # standard deviation, of 0 to 1
    blur: float = 0.0  # share of the crops that are blurred
    jpeg: float = 0.0  # share of the crops that are compressed
    erase: float = 0.0  # share of the crops that lose a rectangle
    background: float = 0.0  # share of the crops whose background is replaced, where the data have alpha
    backgrounds: str = ""  # folder of pictures to replace it with; "" takes the backgrounds of other crops
    spectrum: float = 0.0  # share of the crops whose amplitude spectrum is mixed with another's; the phase stays

    def __post_init__(self) -> None:
        _at_least(self, 0, *(name for name, value in vars(self).items() if not isinstance(value, str)))


@dataclass(frozen=True)
class Training:
    """The loop."""

    seed: int = 0
    precision: Literal["fp32", "bf16"] = "fp32"
    ema: float = 0.0  # decay of the weights' moving average; 0 is none
    clip: float = 1.0  # largest norm of the gradients; 0 does not clip
    channels_last: bool = True
    compile: bool = False
    threads: int = 0  # of the CPU; 0: one a core. Small networks are slower on two than on one
    save_seconds: float = 300.0  # between states to resume from; one is kept at the end of every stage, too

    def __post_init__(self) -> None:
        _at_least(self, 0, "seed", "ema", "clip", "threads", "save_seconds")
        if self.ema >= 1:
            raise ValueError(f"ema = {self.ema!r}: must be below 1")


@dataclass(frozen=True)
class Config:
    """A training: the estimator's own settings, data, augmentation, loop and stages."""

    estimator: str
    stages: tuple[Stage, ...]
    model: dict = field(default_factory=dict)  # of the estimator's Config, whole
    data: Data = field(default_factory=Data)
    augment: Augment = field(default_factory=Augment)
    train: Training = field(default_factory=Training)

    def __post_init__(self) -> None:
        names = [stage.name for stage in self.stages]
        if not names or len(set(names)) < len(names):
            raise ValueError("stages: at least one, each with a name of its own")


def list_presets(estimator: str = "") -> tuple[str, ...]:
    """Names of the presets, or of those that an estimator has."""
    return tuple(sorted({path.parent.name for path in PRESETS.glob(f"*/{estimator or '*'}.toml")}))


def load_config(preset: str | Path, estimator: str = "", sets: Iterable[str] = ()) -> Config:
    """The settings of `preset`, a name in presets/ or a TOML file, changed by `sets` such as "model.width=64".

    `stages.NAME.epochs=3` changes the stage of that name. The result holds the estimator's settings whole, defaults
    too. Raises InputError for what is unknown or wrong, with the file and the key.
    """
    path = _preset_path(str(preset), estimator)
    where, sets = str(path), list(sets)
    table = _read_toml(path)
    if estimator and table.get("estimator", estimator) != estimator:
        raise InputError(f"{where}: settings of {table['estimator']!r}, not of {estimator!r}")
    config = complete(table, where)
    return _changed(table, sets, where) if sets else config


def changed(config: Config, sets: Iterable[str], where: str) -> Config:
    """The settings changed by `sets`, as `load_config` does it. Raises InputError that names `where`."""
    sets = list(sets)
    return _changed(as_table(config), sets, where) if sets else config


def _changed(table: dict[str, Any], sets: list[str], where: str) -> Config:
    for text in sets:
        change(table, text)
    return complete(table, f"{where} with --set {' '.join(sets)}")


def complete(table: Mapping[str, Any], where: str) -> Config:
    """The settings in `table`, those of the estimator checked and whole. Raises InputError that names `where`."""
    config = from_table(Config, table, where)
    cls = estimator_class(config.estimator)
    model = from_table(cls.Config, config.model, where, "model")
    if cls.multi_view and config.data.batch % config.data.views:
        data = config.data
        raise InputError(f"{where}: [data] batch = {data.batch}: must be a multiple of views = {data.views}")
    return dataclasses.replace(config, model=dataclasses.asdict(model))


def as_table(config: Config) -> dict[str, Any]:
    """What `complete` reads back: dicts, lists and scalars; what is None is left out."""
    return _plain(dataclasses.asdict(config))


def to_toml(table: Mapping[str, Any], section: str = "") -> str:
    """A table as TOML: scalars, then tables, then lists of tables, whose own tables stand in their lines."""
    is_list = {key: isinstance(value, list) and value and isinstance(value[0], dict) for key, value in table.items()}
    simple = {key: value for key, value in table.items() if not isinstance(value, dict) and not is_list[key]}
    blocks = ["".join(f"{_key(key)} = {_value(value)}\n" for key, value in simple.items())]
    for key, value in table.items():
        if isinstance(value, dict):
            blocks.append(f"[{section}{key}]\n{to_toml(value, f'{section}{key}.')}")
        elif is_list[key]:
            rows = ("".join(f"{_key(name)} = {_value(one)}\n" for name, one in row.items()) for row in value)
            blocks += [f"[[{section}{key}]]\n{row}" for row in rows]
    return "\n".join(block for block in blocks if block)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)} = {_value(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (str, bool)) else repr(value)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[\w-]+", name, re.ASCII) else json.dumps(name)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items() if one is not None}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value


def _preset_path(preset: str, estimator: str) -> Path:
    """The file of a preset's name, or the file that is named."""
    if preset.endswith(".toml") or "/" in preset:
        return Path(preset)
    known = list_presets(estimator)
    if preset not in known:
        of = f" for {estimator}" if estimator else ""
        raise InputError(f"--preset {preset}: no preset{of} is called so{nearest(preset, known)}; or name a .toml file")
    if not estimator:
        raise InputError(f"--preset {preset}: of which estimator?")
    return PRESETS / preset / f"{estimator}.toml"


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not TOML ({error})") from error


def _at_least(settings: Any, least: float, *names: str) -> None:
    for name in names:
        if getattr(settings, name) < least:
            raise ValueError(f"{name} = {getattr(settings, name)!r}: must be at least {least}")
