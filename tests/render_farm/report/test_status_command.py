"""The command `status`: its table, its JSON, its options, and what it refuses."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from status_folder import NOW, SHARDS, SIZE, VIEWS, command, plan, work, write

from render_farm.lock import Lock
from render_farm.report.status import read_status
from render_farm.report.status_text import WIDTH, table
from rigging.command_line import main

ROOT = Path(__file__).parents[3]


def test_the_table_shows_all_of_it_and_fits_a_terminal(night, release):
    text = table(read_status(night, release, now=NOW))
    for words in (
        "1 of 10 done, 2 rendering, 1 incomplete, 2 interrupted, 2 not begun, 2 damaged", "58 of 160 done (36 %)",
        "images/s", "time left", "8 on 2 hosts", "memory at most 3,900 MB (n7, shard 5)", "1 replaced (memory 1)",
        "00001  5/8 ", "00002  4/8      n2", "disk full: no space", "ended without a word, at sample 27",
        "shard 00005 sample 47: crash, tried 3 times: SIGSEGV", "alone --sample 47", "1 x hang", "slowest samples",
        "has 10 bytes, its manifest says 11", "has no manifest",
    ):  # fmt: skip
        assert words in text
    assert all(len(line) <= WIDTH for line in text.splitlines())


def test_a_long_list_is_cut_and_says_so(folder, release):
    big = dataclasses.replace(release, samples=60 * SIZE)
    for shard in range(25):
        work(folder, shard, NOW - 1000, 1)
    lines = table(read_status(folder, big, now=NOW)).splitlines()
    assert sum("1/8" in line for line in lines) == 20
    assert "  ... and 5 more (--json tells all)" in lines


def test_json_is_the_status_with_numbers(night, release, toml, capsys):
    assert main(command(night.parent, toml, "--json")) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {field.name for field in dataclasses.fields(read_status(night, release))}
    assert told["images"]["planned"] == SIZE * SHARDS * VIEWS
    assert type(told["speed"]["overall"]) is float
    assert told["begun"][5]["aside"][0]["command"] == "alone --sample 47"


def test_only_the_shards_that_are_asked_for(night, toml, capsys):
    assert main(command(night.parent, toml, "--shards", "0-1,9", "--json")) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["shards"], told["states"]["waiting"], [s["shard"] for s in told["begun"]]) == (3, 1, [0, 1])
    assert told["images"]["planned"] == 3 * SIZE * VIEWS


def test_truncated_shards_need_fewer_images(folder, toml, capsys):
    work(folder, 0, time.time() - 50, 2, total=2)
    assert main(command(folder.parent, toml, "--samples", "2", "--json")) == 0
    assert json.loads(capsys.readouterr().out)["images"]["planned"] == 2 * SHARDS * VIEWS


def test_verify_reads_the_bytes(folder, toml, capsys):
    write(folder, 0)
    write(folder, 1)
    assert main(command(folder.parent, toml, "--verify")) == 0
    (folder / "shard-00001.h5").write_bytes(b"0123456780")
    assert main(command(folder.parent, toml)) == 0  # its size is right
    capsys.readouterr()
    assert main(command(folder.parent, toml, "--verify")) == 1
    out = capsys.readouterr().out
    assert "shard-00001.h5: damaged, its sha256" in out
    assert "1 of 10 done, 8 not begun, 1 damaged" in out


def test_nothing_rendered_yet_is_one_clear_line(folder, toml, capsys):
    assert main(command(folder.parent, toml)) == 0
    assert "nothing is rendered yet: 10 shards, 160 images to do" in capsys.readouterr().out


def test_the_plan_being_made_is_told(folder, toml, capsys):
    with Lock(folder / ".locks" / "plan.lock"):
        assert main(command(folder.parent, toml)) == 0
    assert f"process {os.getpid()} on" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--out", "/nowhere"), "--out /nowhere: there is no such folder"),
        (("--release", "fram"), "--release fram: no such release"),
        (("--shards", "4-99"), "--shards 4-99: the release has shards 0 to 9"),
        (("--shards", "4-"), "--shards 4-: must be"),
        (("--watch", "0"), "positive number"),
        (("--prometheus", "/nowhere/a.prom"), "/nowhere/a.prom: cannot be written"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(folder, toml, capsys, more, words):
    assert main(command(folder.parent, toml, *more)) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1
    assert words in error


def test_a_folder_whose_release_file_is_elsewhere_is_found_by_its_name(night, release, capsys):
    plan(night, release)
    assert main(command(night.parent, "farm")) == 0
    assert "1 of 10 done" in capsys.readouterr().out


def test_watch_goes_on_until_ctrl_c_and_loads_neither_blender_nor_ray(night, toml):
    code = "import sys; from rigging.command_line import main; code = main(sys.argv[1:]); "
    code += "print([m for m in ('bpy', 'ray', 'torch') if m in sys.modules]); sys.exit(code)"
    arguments = [sys.executable, "-c", code, *command(night.parent, toml, "--watch", "0.1")]
    process = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    seen = 0
    while seen < 2:
        seen += process.stdout.readline().startswith("release farm")
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=30)
    assert (process.returncode, error) == (130, "interrupted\n")
    assert out.splitlines()[-1] == "[]"
