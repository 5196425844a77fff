"""Opens a pose source by a short text such as `nyu:PATH`, with options as keywords or after a `?`."""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Protocol, get_args, get_origin, get_type_hints

from .clip import PoseClip, PoseError
from .rejects import Reject

# name -> (module, class); modules are imported when asked for.
SOURCES = {
    "procedural": ("sampling.procedural", "ProceduralSource"),
    "nyu": ("readers.nyu", "NyuSource"),
    "hanco": ("readers.hanco", "HancoSource"),
    "freihand": ("readers.freihand", "FreihandSource"),
    "interhand": ("readers.interhand", "InterhandSource"),
    "dexycb": ("readers.dexycb", "DexycbSource"),
    "webxr": ("readers.webxr", "WebxrSource"),
    "leap": ("readers.leap", "LeapSource"),
    "mediapipe": ("readers.mediapipe", "MediapipeSource"),
    "hamer": ("readers.hamer", "HamerSource"),
    "wilor": ("readers.hamer", "WilorSource"),
    "npz": ("readers.npzfile", "NpzSource"),
}


class PoseSource(Protocol):
    """Anything that yields clips; `rejects` lists the frames it left out, once `clips` has been exhausted."""

    rejects: list[Reject]

    def clips(self) -> Iterator[PoseClip]:
        """The clips, always in the same order."""


def open_source(spec: str, **options: Any) -> PoseSource:
    """The source of `NAME`, `NAME:PATH` or `NAME:PATH?option=value,option=value` (a sequence: `views=0+1+2`).

    Files are opened by `clips`, not here.

    Raises:
        PoseError: unknown source or option, no path, a value of the wrong type or range; it lists what is allowed.
    """
    name, path, texts = _split(spec)
    if name not in SOURCES:
        hint = f"; of a file, say which, as in npz:{spec}" if Path(spec.partition("?")[0]).exists() else ""
        raise PoseError(f"pose source {name!r} is unknown, allowed are {', '.join(SOURCES)}{hint}")
    module, class_name = SOURCES[name]
    factory = getattr(import_module(f".{module}", __package__), class_name)
    hints = _options(factory)
    if ("path" in hints) != bool(path):
        fault = "takes no path" if path else f"needs a path, as in {name}:PATH"
        raise PoseError(f"pose source {spec!r}: {name} {fault}")
    hints.pop("path", None)
    for option in (*texts, *options):
        if option not in hints:
            raise PoseError(f"pose source {name} has no option {option!r}, allowed are {', '.join(hints) or 'none'}")
    parsed = {option: _parse(name, option, text, hints[option]) for option, text in texts.items()}
    checked = {option: _checked(name, option, value, hints[option]) for option, value in options.items()}
    return factory(**({"path": Path(path)} if path else {}), **(parsed | checked))


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


def _checked(source: str, option: str, value: Any, hint: Any) -> Any:
    """`value`, if it is of the option's annotated type; a list may stand for a tuple, an int for a float or a text."""
    if get_origin(hint) is types.UnionType:
        return None if value is None else _checked(source, option, value, get_args(hint)[0])
    if get_origin(hint) is Literal:
        _check_choice(source, option, value, hint)
        return value
    if get_origin(hint) is tuple and isinstance(value, list | tuple):
        return tuple(_checked(source, option, item, get_args(hint)[0]) for item in value)
    wanted = get_origin(hint) or hint
    if type(value) is not wanted and (wanted not in (float, str) or type(value) is not int):
        raise PoseError(f"pose source {source}: {option} is {value!r}, allowed is {_word(wanted)}")
    try:
        return _finite(wanted(value))
    except ValueError:
        raise PoseError(f"pose source {source}: {option} is {value!r}, allowed is {_word(wanted)}") from None


def _check_choice(source: str, option: str, value: Any, hint: Any) -> None:
    if value not in get_args(hint):
        choices = ", ".join(map(str, get_args(hint)))
        raise PoseError(f"pose source {source}: {option} is {value!r}, allowed are {choices}")


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
        return _finite(hint(text))
    except ValueError:
        raise PoseError(f"pose source {source}: {option} is {text!r}, allowed is {_word(hint)}") from None


def _finite(value: Any) -> Any:
    """`value`; ValueError for a float that is no number."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(value)
    return value


def _word(kind: type) -> str:
    return {int: "a whole number", float: "a number", str: "a text"}.get(kind, kind.__name__)
