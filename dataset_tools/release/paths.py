"""Absolute paths of a maintainer's machine: found in texts, and kept out of what is published."""

from __future__ import annotations

import re
from typing import Any

# A folder's path in prose, JSON or HTML: two components at least; not of an URL, a closing tag, a fraction or base64.
IN_TEXT = re.compile(
    r"(?<![\w.~<>/\\+=-])(?:file://)?(?P<posix>/(?![/ ])[\w.@~+ -]*[\w.@~+-](?:/[\w.@~+-]+)+)"
    r"|(?<![A-Za-z])(?P<windows>[A-Za-z]:\\{1,2}[^\s\"'<>|*?]+)"
)
BASE64 = re.compile(r"base64,[A-Za-z0-9+/=\s]+")
HOME = re.compile(r"/home/[^/]+|/Users/[^/]+|/root\b|[A-Za-z]:\\{1,2}Users\\{1,2}[^\\]+")
# A path as the value of a setting: whole, after a scheme (`nyu:PATH?options`) or one of several joined by `+`.
IN_SETTING = re.compile(r"(?:(?<=^)|(?<=[:=+]))(?:/|~[\w.-]*/|[A-Za-z]:[\\/]|\\\\)(?:[^?+,;:]*)")


def absolute_paths(text: str) -> list[str]:
    """Absolute paths in a text, each once, in order."""
    found = (match["posix"] or match["windows"] for match in IN_TEXT.finditer(BASE64.sub("", text)))
    return list(dict.fromkeys(found))


def paths_in_words(value: Any) -> list[str]:
    """Absolute paths within the strings of `value` (as from JSON), each once, in order."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return list(dict.fromkeys(path for item in value for path in paths_in_words(item)))
    return absolute_paths(value) if isinstance(value, str) else []


def in_home(path: str) -> bool:
    """Whether a path lies in somebody's home folder, and so tells a user's name."""
    return bool(HOME.match(path))


def last_components(value: Any) -> Any:
    """`value` (as from JSON) with every absolute path in its strings cut to the last component."""
    if isinstance(value, dict):
        return {key: last_components(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [last_components(item) for item in value]
    return IN_SETTING.sub(_last, value) if isinstance(value, str) else value


def _last(match: re.Match) -> str:
    return re.split(r"[\\/]", match[0].rstrip("\\/"))[-1]


def paths_in_settings(value: Any) -> list[str]:
    """Absolute paths among the strings of `value` (as from JSON), each once, in order."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return list(dict.fromkeys(path for item in value for path in paths_in_settings(item)))
    return IN_SETTING.findall(value) if isinstance(value, str) else []
