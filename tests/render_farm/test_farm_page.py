"""Settings and figures of docs/farm.md are those of the program."""

import re
from pathlib import Path

from dataset_tools.progress import LINE_SECONDS
from render_farm.commands import farm, render
from render_farm.shard.pool import PoolSettings
from rigging.command_line import Parser

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "farm.md").read_text(encoding="utf-8")
LIMITS = ("memory", "recycle", "sample_seconds", "attempts")


def defaults(command):
    parser = Parser()
    command.add_arguments(parser)
    return {action.dest: action.default for action in parser._actions if action.dest != "help"}


def test_every_option_of_render_is_a_setting_of_the_page_with_its_default():
    rows = re.findall(r"^\| `([A-Z]+)(?:=1)?` \| .* \| *(.*?) *\|$", PAGE, re.MULTILINE)
    told = {name.lower(): default.strip().strip("`") for name, default in rows}
    options = {name: default for name, default in defaults(render).items() if name not in (*LIMITS, "cache")}
    assert set(told) == set(options)
    assert (told["release"], told["out"], told["workers"]) == (options["release"], str(options["out"]), "auto")
    assert options["workers"] == 0  # auto
    unset = {name for name, default in options.items() if default is None or default is False}
    assert unset == {"shard", "samples", "poses", "scratch", "retry"}


def test_limits_are_options_of_render_and_farm():
    assert set(LIMITS) <= set(defaults(render)) & set(defaults(farm))
    told = ", ".join(f"`{name.upper()}`" for name in LIMITS)
    assert told in PAGE


def test_figures_of_the_page_are_the_programs():
    assert f"after `RECYCLE` samples ({PoolSettings.recycle})" in PAGE
    assert f"for every `CPUS` cores ({defaults(farm)['cpus']:g})" in PAGE
    assert LINE_SECONDS == 10 and "a line every ten seconds" in PAGE
