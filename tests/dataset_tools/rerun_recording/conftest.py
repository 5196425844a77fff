"""Recordings made by `mvhm rerun` in Rerun's own environment, read back there as arrays."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]
READER = Path(__file__).with_name("read_rrd.py")
Recording = dict[str, np.ndarray]


@pytest.fixture(scope="session")
def rerun_python() -> Path:
    """The Python of the environment that `make test` makes for Rerun."""
    python = ROOT / os.environ.get("MVHM_RERUN", ".venv-rerun") / "bin" / "python"
    if not python.exists():
        pytest.skip("no environment for Rerun here: `make rerun` makes it")
    return python


@pytest.fixture(scope="session")
def mvhm_rerun(rerun_python) -> Callable[..., subprocess.CompletedProcess]:
    """Run `mvhm rerun` with words, in Rerun's environment, with the code of this tree."""

    def run(*words: str | Path, limits: str = "") -> subprocess.CompletedProcess:
        command = [rerun_python, "-m", "rigging.command_line", "rerun", *map(str, words)]
        shell = ["bash", "-c", f'{limits}; exec "$@"', "bash"] if limits else []
        given = os.environ | {"PYTHONPATH": str(ROOT)}
        return subprocess.run([*shell, *command], env=given, capture_output=True, text=True, check=False)

    return run


@pytest.fixture(scope="session")
def recorded(rerun_python, mvhm_rerun, tmp_path_factory) -> Callable[..., tuple[Path, Recording]]:
    """Record data with words, and read the recording back: its path, and what `read_rrd.py` says."""

    def record(data: Path, *words: str) -> tuple[Path, Recording]:
        folder = tmp_path_factory.mktemp("recording")
        done = mvhm_rerun(data, "--out", folder / "hands.rrd", *words)
        assert (done.returncode, done.stdout) == (0, f"{folder / 'hands.rrd'}\n"), done.stderr
        subprocess.run([rerun_python, READER, folder / "hands.rrd", folder / "hands.npz"], check=True)
        with np.load(folder / "hands.npz") as arrays:
            return folder / "hands.rrd", dict(arrays)

    return record


@pytest.fixture(scope="session")
def hands(release, recorded) -> tuple[Path, Recording]:
    """The recording of the four samples of the small release."""
    return recorded(release)
