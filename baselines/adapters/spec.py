"""A real data set as one word of a command: NAME:PATH, or NAME,OPTION=VALUE,...:PATH."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from rigging.errors import InputError
from rigging.settings import nearest


def split_spec(spec: str) -> tuple[str, list[str], str]:
    """Name, options as KEY=VALUE, and path: "stb,camera=bb:/data/STB" is stb, [camera=bb], /data/STB."""
    head, _, path = spec.partition(":")
    name, *options = head.split(",")
    return name, options, path


def read_options(source: Callable, name: str, words: Sequence[str]) -> dict[str, Any]:
    """Options of a source by name, from KEY=VALUE: true or false, a+b+c where several are taken. Raises InputError."""
    parameters = list(inspect.signature(source).parameters.values())[2:]  # after root and split
    known = {one.name: one.default for one in parameters}
    found = {}
    for word in words:
        key, equals, text = word.partition("=")
        if key not in known or not equals:
            raise InputError(
                f"{word!r}: no option KEY=VALUE of {name}{nearest(key, known) if known else ', it has none'}"
            )
        found[key] = _value(word, text, known[key])
    return found


def _value(word: str, text: str, default: object) -> object:
    """The text as what the default is."""
    if isinstance(default, bool):
        if text not in ("true", "false"):
            raise InputError(f"{word!r}: true or false is wanted")
        return text == "true"
    if isinstance(default, tuple):
        return tuple(int(part) if part.isdigit() else part for part in text.split("+"))
    return text
