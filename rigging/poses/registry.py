"""Opens a pose source by a short text such as `nyu:PATH`, with options as keywords or after a `?`."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, Literal, Protocol, get_args, get_origin, get_type_hints

from .clip import PoseClip, PoseError
from .rejects import Reject

# name -> (module, class); modules are imported when asked for.
SOURCES = {
    "procedural": ("procedural", "ProceduralSource"),
    "nyu": ("nyu", "NyuSource"),
    "hanco": ("hanco", "HancoSource"),
    "freihand": ("freihand", "FreihandSource"),
    "interhand": ("interhand", "InterhandSource"),
    "webxr": ("webxr", "WebxrSource"),
    "npz": ("npzfile", "NpzSource"),
}


class PoseSource(Protocol):
    """Anything that yields clips; `rejects` lists the frames it left out, once `clips` has been exhausted."""

    rejects: list[Reject]

    def clips(self) -> Iterator[PoseClip]:
        """The clips, always in the same order."""


def open_source(spec: str, **options: Any) -> PoseSource:
    """The source of `NAME`, `NAME:PATH` or `NAME:PATH?option=value,option=value` (a sequence: `views=0+1+2`).

    Raises:
        PoseError: unknown source or option, a missing path, a bad value; it lists what is allowed.
        FileNotFoundError: the path does not exist.
    """
    name, path, texts = _split(spec)
    if name not in SOURCES:
        raise PoseError(f"pose source {name!r} is unknown, allowed are {', '.join(SOURCES)}")
    module, class_name = SOURCES[name]
    factory = getattr(import_module(f".{module}", __package__), class_name)
    hints = _options(factory)
    if ("path" in hints) != bool(path):
        raise PoseError(
            f"pose source {spec!r}: {name} "
            + ("needs a path, as in " + name + ":PATH" if not path else "takes no path")
        )
    allowed = [option for option in hints if option != "path"]
    for option in (*texts, *options):
        if option not in allowed:
            raise PoseError(f"pose source {name} has no option {option!r}, allowed are {', '.join(allowed) or 'none'}")
    values = {option: _parse(name, option, text, hints[option]) for option, text in texts.items()} | options
    for option, value in options.items():
        _check_choice(name, option, value, hints[option])
    return factory(**({"path": path} if path else {}), **values)


def _split(spec: str) -> tuple[str, str, dict[str, str]]:
    head, _, tail = spec.partition("?")
    name, _, path = head.partition(":")
    texts = {}
    for item in filter(None, tail.split(",")):
        option, equals, value = item.partition("=")
        if not equals:
            raise PoseError(f"pose source {spec!r}: option {item!r} has no value, allowed is option=value")
        texts[option] = value
    return name, path, texts


def _options(factory: Callable) -> dict[str, Any]:
    hints = get_type_hints(factory)
    return {field.name: hints[field.name] for field in dataclasses.fields(factory) if field.init}


def _check_choice(source: str, option: str, value: Any, hint: Any) -> None:
    choices = get_args(hint)
    if get_origin(hint) is Literal and value not in choices:
        raise PoseError(f"pose source {source}: {option} is {value!r}, allowed are {', '.join(map(str, choices))}")


def _parse(source: str, option: str, text: str, hint: Any) -> Any:
    """`text` as the option's annotated type: bool, int, float, str, Literal, tuple[int, ...], `X | None`."""
    if get_origin(hint) is types.UnionType:
        return None if text == "none" else _parse(source, option, text, get_args(hint)[0])
    if get_origin(hint) is Literal:
        _check_choice(source, option, text, hint)
        return text
    if get_origin(hint) is tuple:
        return tuple(_parse(source, option, item, get_args(hint)[0]) for item in text.split("+"))
    if hint is bool:
        if text not in ("true", "false"):
            raise PoseError(f"pose source {source}: {option} is {text!r}, allowed are true, false")
        return text == "true"
    try:
        return hint(text)
    except ValueError:
        raise PoseError(f"pose source {source}: {option} is {text!r}, allowed is {hint.__name__}") from None
