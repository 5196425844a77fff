"""A TOML table becomes a frozen dataclass, or one line that says what is wrong with it and where."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from rigging.errors import InputError
from rigging.settings import SettingsError, from_table, nearest


@dataclass(frozen=True)
class Lens:
    focal: float
    iris: Literal["open", "closed"] = "open"

    def __post_init__(self) -> None:
        if self.focal <= 0:
            raise ValueError(f"focal = {self.focal!r}: must be above 0")


@dataclass(frozen=True)
class Camera:
    name: str
    lens: Lens
    pixels: int = 64
    tilt: float | None = None
    size: tuple[int, int] = (1, 2)
    stops: tuple[float, ...] = ()
    flash: bool = False
    more: dict[str, Any] = field(default_factory=dict)


def read(text: str) -> Camera:
    return from_table(Camera, tomllib.loads(text), "camera.toml")


def test_tables_nest_and_defaults_hold():
    assert read("name = 'a'\nlens = {focal = 2}") == Camera("a", Lens(2.0))
    text = "name='b'\nsize=[3,4]\nstops=[1, 2.5]\ntilt=1\nflash=true\n[lens]\nfocal=0.5\niris='closed'\n[more]\nx=1"
    assert read(text) == Camera("b", Lens(0.5, "closed"), 64, 1.0, (3, 4), (1.0, 2.5), True, {"x": 1})
    assert isinstance(read(text).tilt, float)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lens = {focal = 2}", "camera.toml: key 'name' is missing"),
        ("nam = 'a'", "camera.toml: unknown key 'nam'; did you mean 'name'?"),
        ("zzz = 1", "unknown key 'zzz'; known: name, lens, pixels,"),
        ("name = 'a'\nlens = {}", "camera.toml: [lens] key 'focal' is missing"),
        ("name = 'a'\nlens = {focal = -1}", "camera.toml: [lens] focal = -1.0: must be above 0"),
        ("name = 'a'\nlens = {focal = inf}", "[lens] focal = inf: must be a finite number"),
        ("lens = {focal = 1, iris = 'half'}", "[lens] iris = 'half': must be one of 'open', 'closed'"),
        ("lens = 3", "lens = 3: must be a table [lens]"),
        ("pixels = 1.5", "pixels = 1.5: must be a whole number"),
        ("pixels = true", "pixels = True: must be a whole number"),
        ("flash = 1", "flash = 1: must be true or false"),
        ("name = 1", "name = 1: must be a text"),
        ("size = [1]", "size = [1]: must be a list of 2 values"),
        ("size = 1", "size = 1: must be a list"),
        ("more = 1", "more = 1: must be a table"),
    ],
)
def test_what_is_wrong_is_one_line(text, message):
    with pytest.raises(SettingsError) as caught:
        read(text)
    assert message in str(caught.value) and "\n" not in str(caught.value)


@dataclass(frozen=True)
class Switch:
    limit: float | Literal["off"] = 1.0
    ends: tuple[float, float] | Literal["off"] | None = None


def test_a_word_may_stand_for_a_number():
    assert from_table(Switch, {"limit": "off", "ends": "off"}, "x") == Switch("off", "off")
    assert from_table(Switch, {"limit": 2, "ends": [0, 1]}, "x") == Switch(2.0, (0.0, 1.0))
    for value in ("of", True, [1]):
        with pytest.raises(SettingsError, match=r"^x: limit = .*: must be a number or 'off'$"):
            from_table(Switch, {"limit": value}, "x")


def test_it_is_a_fault_of_the_input():
    assert issubclass(SettingsError, InputError) and SettingsError.exit_code == 2


def test_the_nearest_name_or_all_of_them():
    assert nearest("shrad", ["shard", "out"]) == "; did you mean 'shard'?"
    assert nearest("qqq", ["shard", "out"]) == "; known: shard, out"
