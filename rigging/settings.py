"""Reads a TOML table into a frozen dataclass: unknown keys, wrong types and bad values become one clear line."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from .errors import InputError

Settings = TypeVar("Settings")


class SettingsError(InputError):
    """A table that is not such settings; the message names file, table and key, what was got and what is allowed."""


def from_table(cls: type[Settings], table: Mapping[str, Any], where: str, section: str = "") -> Settings:
    """Build the frozen dataclass `cls` from a TOML table.

    `where` is the file named in messages and `section` the dotted name of the table in it. Nested dataclasses are
    nested tables, tuples of them lists of tables. Where the class has PRESETS (tables by name), the key `preset` names
    the one whose values the other keys override. Raises SettingsError for an unknown or missing key, a wrong type, and
    for whatever the dataclass itself refuses with ValueError.
    """
    table = _with_preset(getattr(cls, "PRESETS", None), table, where, section)
    hints = _hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}
    for key in table:
        if key not in fields:
            raise SettingsError(f"{_at(where, section)}unknown key {key!r}{nearest(key, fields)}")
    values = {key: _convert(value, hints[key], where, _dotted(section, key)) for key, value in table.items()}
    required = (name for name, field in fields.items() if _is_required(field) and name not in values)
    if (missing := next(required, None)) is not None:
        raise SettingsError(f"{_at(where, section)}key {missing!r} is missing")
    try:
        return cls(**values)
    except (ValueError, TypeError) as error:
        raise SettingsError(f"{_at(where, section)}{error}") from error


def nearest(name: str, known: typing.Iterable[str]) -> str:
    """A suffix for a message about an unknown `name`: the nearest known one, or all of them."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(known)}"


def _with_preset(presets: Mapping[str, Any] | None, table: Mapping[str, Any], where: str, section: str) -> Any:
    """The table with the values of the preset that it names, which its own override."""
    if presets is None or "preset" not in table:
        return table
    name, own = table["preset"], {key: value for key, value in table.items() if key != "preset"}
    if not isinstance(name, str) or name not in presets:
        raise SettingsError(f"{_at(where, section)}preset {name!r} is unknown{nearest(str(name), presets)}")
    return {**presets[name], **own}


@functools.cache
def _hints(cls: type) -> dict[str, Any]:
    """The types of a dataclass's fields."""
    return typing.get_type_hints(cls)


def _convert(value: Any, hint: Any, where: str, key: str) -> Any:
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, Mapping):
            raise _wrong(value, f"a table [{key}]", where, key)
        return from_table(hint, value, where, key)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        if value not in arguments or isinstance(value, bool) != isinstance(arguments[0], bool):
            raise _wrong(value, "one of " + ", ".join(map(repr, arguments)), where, key)
        return value
    if origin in (typing.Union, types.UnionType):
        return _convert_union(value, [kind for kind in arguments if kind is not type(None)], where, key)
    if origin is tuple:
        return _convert_tuple(value, arguments, where, key)
    if origin is dict and isinstance(value, Mapping):
        return {name: _convert(item, arguments[1], where, _dotted(key, name)) for name, item in value.items()}
    return _convert_scalar(value, origin or hint, where, key)


def _convert_union(value: Any, kinds: list[Any], where: str, key: str) -> Any:
    """`value` as the first of `kinds`, or one of the words that a Literal beside it allows, such as "off"."""
    words = [word for kind in kinds[1:] for word in typing.get_args(kind) if typing.get_origin(kind) is Literal]
    if isinstance(value, str) and value in words:
        return value
    try:
        return _convert(value, kinds[0], where, key)
    except SettingsError as error:
        raise SettingsError(f"{error}{''.join(f' or {word!r}' for word in words)}") from None


def _convert_tuple(value: Any, arguments: tuple[Any, ...], where: str, key: str) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise _wrong(value, "a list", where, key)
    if arguments[-1] is Ellipsis:
        arguments = (arguments[0],) * len(value)
    if len(value) != len(arguments):
        raise _wrong(value, f"a list of {len(arguments)} values", where, key)
    keys = (f"{key}.{number}" if dataclasses.is_dataclass(hint) else key for number, hint in enumerate(arguments))
    return tuple(_convert(item, hint, where, one) for item, hint, one in zip(value, arguments, keys))


def _convert_scalar(value: Any, kind: Any, where: str, key: str) -> Any:
    names = {int: "a whole number", float: "a number", str: "a text", bool: "true or false", dict: "a table"}
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind in names and (not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)):
        raise _wrong(value, names[kind], where, key)
    if kind is float and not abs(value) < float("inf"):
        raise _wrong(value, "a finite number", where, key)
    return value


def _wrong(value: Any, allowed: str, where: str, key: str) -> SettingsError:
    section, _, name = key.rpartition(".")
    return SettingsError(f"{_at(where, section)}{name} = {value!r}: must be {allowed}")


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _dotted(section: str, key: str) -> str:
    return f"{section}.{key}" if section else key


def _at(where: str, section: str) -> str:
    return f"{where}: [{section}] " if section else f"{where}: "
