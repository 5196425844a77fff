"""Single settings of a table that TOML was read into, changed as `--set` says."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from rigging.errors import InputError
from rigging.settings import nearest


def change(table: dict[str, Any], text: str) -> None:
    """Set a value of a table in place: `data.batch=16`, `stages.mesh.lr=1e-3`, `model.fusion="set"`.

    `stages.*.losses.mesh=0` does so in every stage that has that loss.
    """
    key, equals, value = text.partition("=")
    if not equals or not re.fullmatch(r"(stages\.\*\.)?[\w-]+(\.[\w-]+)*", key):
        raise InputError(f"--set {text}: KEY=VALUE is wanted, as in data.batch=16 or stages.NAME.epochs=3")
    *path, last = key.removeprefix("stages.*.").split(".")
    everywhere = key.startswith("stages.*.")
    tables = [one for one in table["stages"] if _has(one, [*path, last])] if everywhere else [table]
    if not tables:
        raise InputError(f"--set {text}: no stage has {'.'.join([*path, last])}")
    for one in tables:
        for name in path:
            one = _inner(one, name, text)
        one[last] = _parsed(value)


def _has(table: Any, path: list[str]) -> bool:
    for name in path:
        if not isinstance(table, dict) or name not in table:
            return False
        table = table[name]
    return True


def _inner(table: Any, name: str, text: str) -> Any:
    """The table `name` in another, or the stage of that name in a list of them."""
    if name == "stages" and isinstance(table.get(name), list):
        return {stage.get("name"): stage for stage in table[name]}
    inner = table.get(name) if "estimator" not in table else table.setdefault(name, {})
    if not isinstance(inner, dict):
        raise InputError(f"--set {text}: there is no {name!r}{nearest(name, map(str, table))}")
    return inner


def _parsed(value: str) -> Any:
    """A value as TOML has it; what is no TOML is a text."""
    try:
        return tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return value
