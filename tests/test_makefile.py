"""What make hands to `mvhm`: settings become options, whatever characters they have."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
from pathlib import Path

import pytest

from rigging.command_line import Parser, command_tables

ROOT = Path(__file__).resolve().parent.parent
# elsewhere than in DATA; OUT is the folder of releases
NOT_IN_MAKE = {("validate", "--out"), ("statistics", "--out"), ("judge", "--out"), ("browse", "--out")}
PACKAGE = {name: package for package, table in command_tables().items() for name in table}


@pytest.fixture
def make(tmp_path):
    """Run a target with settings, in an environment whose `mvhm` prints MVHM_MAKE and its words, one a line."""
    venv = tmp_path / "an environment"
    (venv / "bin").mkdir(parents=True)
    for name in ("python", "mvhm"):
        (venv / "bin" / name).write_text('#!/bin/sh\nprintf \'%s\\n\' "$MVHM_MAKE" "$@"\n')
        (venv / "bin" / name).chmod(0o755)
    link = tmp_path / "venv"
    link.symlink_to(venv)
    for stage in ("render", "farm", "publish", "train", "gate", "dev"):
        (venv / f".ready-{stage}").touch()
    (tmp_path / "venv-judge").symlink_to(venv)  # an environment of its own
    (venv / ".ready").touch()

    def run(target: str, *settings: str, **environment: str) -> list[str]:
        clean = {"PATH": os.environ["PATH"], **environment}
        words = ["make", "-s", "-C", str(ROOT), target, f"VENV={link}", *settings]
        done = subprocess.run(words, env=clean, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        in_make, *told = done.stdout.splitlines()
        assert in_make == "1"
        return told

    return run


@pytest.mark.parametrize("text", ["it's here", 'say "x"', "a b  c", "`id`;&|<>", "back\\slash", "*", "~"])
def test_no_character_of_a_setting_breaks_the_line(make, text):
    told = make("render", f"OUT={text}", f"POSES=nyu:{text}", f"RELEASE={text}.toml")
    assert told == ["render", "--shard", "0", "--release", f"{text}.toml", "--out", text, "--poses", f"nyu:{text}"]
    assert make("check", f"DATA={text}") == ["check", "--", text]
    assert make("poses", f"POSES={text}") == ["poses", "--", text]


def test_settings_are_options_and_flags(make):
    assert make("render") == ["render", "--shard", "0", "--release", "demo", "--out", "out"]
    told = make("render", "SHARD=3", "SAMPLES=2", "SAMPLE_SECONDS=60", "RETRY=1", "WORKERS=auto")
    assert told[:3] == ["render", "--shard", "3"]
    assert told[7:] == ["--samples", "2", "--workers", "auto", "--sample-seconds", "60", "--retry"]
    assert make("farm", "SHARDS=0-3", "GPUS=0.5")[:3] == ["farm", "--shards", "0-3"]
    assert make("status", "JSON=1", "WATCH=5")[7:] == ["--watch", "5", "--json"]
    assert make("collect", "FROM=/a /b", "MOVE=1")[5:] == ["--move", "--", "/a", "/b"]
    assert make("plan", "MACHINES=1,10") == ["plan", "--release", "demo", "--out", "out", "--machines", "1,10"]
    assert make("poses") == ["poses", "--", "procedural"]
    assert make("check") == ["check", "--", "out/demo"]
    assert make("check", "RELEASE=/x/mine-1.2.toml", "OUT=/data") == ["check", "--", "/data/mine-1.2"]
    assert make("doctor") == ["doctor"]
    counted = make("statistics", "DATA=/d", "REFERENCE=/my photos", "PICTURES=100")
    assert counted == ["statistics", "--reference", "/my photos", "--pictures", "100", "--", "/d"]
    assert make("judge", "DATA=/d", "PHOTOGRAPHS=/my photos")[1:] == ["--photographs", "/my photos", "--", "/d"]
    assert make("train", "MODEL=mvhm_sv", "SET=train.seed=1 data.batch=8") == [
        "train", "--model", "mvhm_sv", "--set", "train.seed=1 data.batch=8", "--", "out/demo"
    ]  # fmt: skip
    assert make("train", "DATA=/a b", "OUT=/c d", "RESUME=1") == ["train", "--out", "/c d", "--resume", "--", "/a b"]
    told = make("label", "DATA=/d", "NOISE=1", "OUT=/n.npz", "TRUE_VIEW=0")
    assert told == ["label", "--out", "/n.npz", "--true-view", "0", "--noise", "--", "/d"]
    assert make("export-data", "FORMAT=coco", "DATA=/d", "OUT=/e f") == [
        "export-data",
        "--out",
        "/e f",
        "--",
        "coco",
        "/d",
    ]
    judged = make("gate", "DATA=/d", "PRESET=gate", "STB=/s b", "DEXTER=/o")
    assert judged == ["gate", "--preset", "gate", "--stb", "/s b", "--dexter", "/o", "--", "/d"]
    assert make("evaluate", "CHECKPOINT=/run", "DATA=/d") == ["evaluate", "--", "/run", "/d"]
    predicted = make("predict", "CHECKPOINT=/run", "IMAGES=/a /b", "K=1,1,2,2", "LEFT=1")
    assert predicted == ["predict", "--checkpoint", "/run", "--k", "1,1,2,2", "--left", "--", "/a", "/b"]


def test_settings_come_from_the_environment_too(make):
    assert make("render", SHARD="5", POSES="npz:it's")[1:] == [
        "--shard", "5", "--release", "demo", "--out", "out", "--poses", "npz:it's"
    ]  # fmt: skip


def targets() -> dict[str, str]:
    """Recipe of every target that calls mvhm, by the command it calls."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    return {match[1]: match[0] for match in re.finditer(r"^\t@\$\(MVHM\) ([a-z-]+).*$", text, re.MULTILINE)}


@pytest.mark.parametrize("name", targets())
def test_every_option_of_a_command_is_a_setting_of_its_target(name):
    parser = Parser(prog=name)
    importlib.import_module(f"{PACKAGE[name]}.commands.{name.replace('-', '_')}").add_arguments(parser)
    recipe = targets()[name].replace("$(RELEASED)", "RELEASE OUT")
    recipe = recipe.replace("$(GIVEN_OUT)", "OUT").replace("$(LIMITS)", "MEMORY RECYCLE SAMPLE_SECONDS ATTEMPTS")
    for action in parser._actions:
        for option in set(action.option_strings) - {"-h", "--help"}:
            if (name, option) in NOT_IN_MAKE:
                continue
            setting = option[2:].replace("-", "_").upper()
            kind = "flags" if action.nargs == 0 else "options"
            given = " ".join(re.findall(rf"\$\(call {kind},([^)]*)\)", recipe))
            assert setting in given.split(), f"{option} of {name} cannot be set as {setting}="


def test_settings_that_recipes_use_are_exported():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    exported = set(" ".join(re.findall(r"^export (.*)$", text, re.MULTILINE)).split()) | {"RELEASE", "OUT"}
    exported |= {"MEMORY", "RECYCLE", "SAMPLE_SECONDS", "ATTEMPTS"}
    for recipe in targets().values():
        for names in re.findall(r"\$\(call options,([^)]*)", recipe):
            assert {name for name in names.split() if "$" not in name} <= exported


@pytest.mark.parametrize("code", [1, 2, 75, 130])
def test_make_turns_every_failure_into_its_own_exit_code(code):
    words = ["make", "-s", "-f", "-"]
    done = subprocess.run(words, input=f"all:\n\t@exit {code}\n", text=True, capture_output=True, check=False)
    assert done.returncode == 2
