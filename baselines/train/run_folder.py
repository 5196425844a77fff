"""The folder of a run: what ran, its log, the state to resume from, and at the end the weights."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rigging.errors import InputError
from rigging.files import write_atomic

from ..config import Config, as_table, changed, complete, to_toml
from ..estimator import Estimator
from ..registry import create_estimator
from .checkpoint import VERSION, fill, read

FREE = {("train", "save_seconds"), ("data", "workers")}  # may change when a run is resumed: they change no weights


class RunFolder:
    """Names of the files of a run: `weights` is there once it is finished, `state` until then."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.config = self.path / "config.toml"
        self.about = self.path / "run.json"
        self.state = self.path / "state.safetensors"
        self.weights = self.path / "weights.safetensors"
        self.log = self.path / "log.jsonl"

    def begin(self, config: Config, about: dict[str, Any]) -> None:
        """Make the folder and write down what runs."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_atomic(self.about, json.dumps({"format": "mvhm-run", "version": VERSION} | about, indent=1).encode())
        write_atomic(self.config, to_toml(as_table(config)).encode())

    def read_config(self) -> Config:
        """What ran. Raises InputError, FileNotFoundError."""
        about = json.loads(self.about.read_text(encoding="utf-8")) if self.about.is_file() else {}
        if about.get("version", VERSION) != VERSION:
            raise InputError(f"{self.about}: is of version {about['version']}, this mvhm reads version {VERSION}")
        if not self.config.is_file():
            raise FileNotFoundError(f"{self.path}: no folder of a run (there is no config.toml)")
        try:
            return complete(tomllib.loads(self.config.read_text(encoding="utf-8")), str(self.config))
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"{self.config}: not TOML ({error})") from error

    def threads(self) -> int | None:
        """Threads of the CPU that the run was begun with."""
        return json.loads(self.about.read_text(encoding="utf-8")).get("threads") if self.about.is_file() else None

    def check(self, config: Config, resume: bool) -> None:
        """Raise InputError unless a run of `config` may begin here, or with `resume` go on or be found finished."""
        if not self.path.exists() or (self.path.is_dir() and not any(self.path.iterdir())):
            return
        if not self.config.is_file() and not self.about.is_file():
            raise InputError(f"--out {self.path}: is there already and no run; choose another folder")
        if not resume:
            how = "finished" if self.weights.exists() else "unfinished (--resume goes on with it)"
            raise InputError(f"--out {self.path}: holds a run that is {how}; choose another folder, or remove it")
        if self.config.is_file() and (other := _differences(self.read_config(), config)):
            raise InputError(f"--resume {self.path}: that run has other settings: {'; '.join(other)}")


def load_run(path: Path | str, sets: Iterable[str] = ()) -> tuple[Estimator, Config]:
    """The estimator that a run has trained, in eval mode on the CPU, and what ran.

    `path` is the run's folder or its weights; `sets` change settings that weights do not hang on, such as
    "model.scored=single". Raises InputError for an unfinished run, and for weights of another estimator, settings or
    version; FileNotFoundError.
    """
    path = Path(path)
    folder = RunFolder(path.parent if path.suffix == ".safetensors" else path)
    config = changed(folder.read_config(), sets, str(folder.config))
    if not folder.weights.exists() and folder.state.exists():
        raise InputError(f"{folder.path}: this training has not ended; go on with it (train --resume)")
    tensors, _ = read(folder.weights, "mvhm-weights", config.estimator)
    estimator = create_estimator(config.estimator, **config.model)
    fill(estimator, tensors, str(folder.weights))
    return estimator.eval(), config


def _differences(there: Config, here: Config) -> list[str]:
    """Settings in which two trainings differ, as lines."""
    first, second = _flat(as_table(there)), _flat(as_table(here))
    keys = [key for key in first | second if key not in FREE and first.get(key) != second.get(key)]
    return [f"{'.'.join(key)} = {first.get(key)!r} there, {second.get(key)!r} asked for" for key in keys]


def _flat(table: Any, key: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """The scalars of nested tables, by path; stages go by their names."""
    if isinstance(table, list) and table and isinstance(table[0], dict):
        table = {one["name"]: one for one in table}
    if not isinstance(table, dict):
        return {key: table}
    return {path: one for name, value in table.items() for path, one in _flat(value, (*key, name)).items()}
