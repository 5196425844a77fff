"""What ends `mvhm rerun` early is told in one line, and leaves nothing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def test_a_full_disk_leaves_nothing(mvhm_rerun, release, tmp_path):
    done = mvhm_rerun(release, "--out", tmp_path / "a.rrd", limits="ulimit -f 64")
    assert done.returncode != 0 and done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith(f"error: {tmp_path / 'a.rrd'}: File too large")
    assert list(tmp_path.iterdir()) == []


ENDED = """
import os, signal, sys
from dataset_tools.rerun_recording import chosen
from rigging.command_line import main
choose = chosen.choose

def and_patch_rerun(*words):
    import rerun
    rerun.Mesh3D.as_component_batches = lambda mesh: os.kill(os.getpid(), getattr(signal, sys.argv[1])) or []
    return choose(*words)

chosen.choose = and_patch_rerun
sys.exit(main(["rerun", *sys.argv[2:]]))
"""


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("SIGTERM", 75, "error: told to end (SIGTERM): nothing is written\n"),
        ("SIGINT", 130, "interrupted: nothing is written\n"),
    ],
)
def test_signals_get_through_rerun(rerun_python, release, tmp_path, name, code, message):
    words = [rerun_python, "-c", ENDED, name, release, "--out", tmp_path / "a.rrd"]
    given = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, env=given, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", message)
    assert list(tmp_path.iterdir()) == []


def test_wrong_input_is_one_line(mvhm_rerun, release):
    done = mvhm_rerun(release, "--split", "trian")
    told = "error: split: no sample has 'trian'; there are: train\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", told)
    assert not release.with_name(f"{release.name}.rrd").exists()
