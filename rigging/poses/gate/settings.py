"""Limits of the gate: one key per reason, presets of them, and how a person writes them."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal

from ...settings import from_table
from ..clip import PoseError

Limit = float | Literal["off"]
_RANGES = ("size", "mcp_degrees", "pip_degrees")


@dataclass(frozen=True)
class GateSettings:
    """Limits of the gate, metres and degrees; "off" leaves a check out. Why these: docs/poses.md.

    A key that is the name of a reason (`wrong_hand` of "wrong hand") is its limit. `missing` and `collapsed` have none:
    such frames hold no hand.

    Raises:
        ValueError: a limit that is not above 0, or a range whose ends are not in order.
    """

    extent: Limit = 0.5  # farthest joint from the wrist
    size: tuple[float, float] | Literal["off"] = (0.07, 0.32)  # wrist to tip along the middle finger, toddler to giant
    wrong_hand: Limit = 0.005  # evidence below this says nothing
    proportions: Limit = 2.0  # times longer or shorter than typical; the built-in hand has 1.67
    bone_length: Limit = 0.15  # of a bone's length from the subject's median
    palm: Limit = 0.012  # worst palm joint from the subject's palm; cupping moves the ring MCP by up to 12.5 mm
    angle: Limit = 8.0  # joints are estimates: by so much the ranges below may be exceeded
    mcp_degrees: tuple[float, float] = (-30.0, 100.0)
    pip_degrees: tuple[float, float] = (-10.0, 120.0)
    penetration: Limit = 0.004
    jump: Limit = 0.1  # mean motion of joints between frames that is always a jump ...
    jump_ratio: float = 5.0  # ... as is this many times the clip's median motion,
    jump_floor: float = 0.02  # if it is more than this

    PRESETS: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "usual": {},
        # For annotations whose bones vary by 8 to 18 % from frame to frame: what is left tells hands from nonsense.
        "noisy": {
            "proportions": 4.5, "bone_length": 1.0, "palm": 0.055, "angle": 50.0, "penetration": 0.015,
            "jump_ratio": 8.0, "jump_floor": 0.04,
        },
        "off": dict.fromkeys(
            ("extent", "size", "wrong_hand", "proportions", "bone_length", "palm", "angle", "penetration", "jump"),
            "off",
        ),
    }  # fmt: skip

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if value != "off" and not _is_sound(item.name, value):
                allowed = "[low, high], low below high" if item.name in _RANGES else "above 0"
                raise ValueError(f"{item.name} = {value!r}: must be {allowed}")

    def limit(self, reason: str) -> float:
        """The limit of a reason that has one number; infinity where it is off."""
        value = getattr(self, reason.replace(" ", "_"))
        return math.inf if value == "off" else float(value)


def _is_sound(name: str, value: float | tuple[float, float]) -> bool:
    if name in _RANGES:
        return len(value) == 2 and value[0] < value[1]
    return value > 0


def gate_settings(table: Mapping[str, Any]) -> GateSettings:
    """The settings of a table such as `[poses.gate]`: `preset` (default "usual") and keys that override it.

    Raises:
        InputError: an unknown preset or key, or a value that is not allowed, in one line that says what is.
    """
    return from_table(GateSettings, table, "gate")


def parse_gate(texts: Iterable[str]) -> GateSettings:
    """The settings of words `KEY=VALUE`, as the option --gate takes them; values are TOML, texts without quotes.

    Raises:
        InputError: as `gate_settings`, or for a word that is not KEY=VALUE.
    """
    table: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise PoseError(f"gate: {text!r}: must be KEY=VALUE, such as palm=off, palm=0.012 or preset=noisy")
        table[key.strip()] = _value(value.strip())
    return gate_settings(table)


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, KeyError):
        return text
