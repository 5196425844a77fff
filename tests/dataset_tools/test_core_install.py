"""The core install on Python 3.13 with numpy 2: no Blender, no Ray, no torch, and a shard opens."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
READ = """
import importlib.util, json, sys
import numpy as np
from dataset_tools import HandDataset
from dataset_tools.load.sampler import ShardSampler
from dataset_tools.load.transforms import crop, mirror, rotate
dataset = HandDataset(sys.argv[1])
sample = dataset[0]
moved = rotate(mirror(crop(sample, (4, 4, 60, 60), 32)), 0.2)
views = dataset.select(split="train").views_as_items()
present = [name for name in ("bpy", "ray", "torch", "numba") if importlib.util.find_spec(name)]
print(json.dumps({
    "python": sys.version_info[:2], "numpy": np.__version__, "present": present, "samples": len(dataset),
    "fields": len(sample), "rgb": int(sample["rgb"].astype(int).sum()),
    "depth": float(sample["depth"].astype(float).sum()),
    "flow": float(np.abs(sample["flow_forward"]).astype(float).sum()),
    "moved": [list(moved["rgb"].shape), moved["meta"]["hand"], int(moved["parts"].astype(int).sum())],
    "amodal": int(HandDataset(sys.argv[1], fields=["amodal_mask"])[0]["amodal_mask"].sum()),
    "order": list(ShardSampler(views, seed=2))[:5],
    "names": [dataset.joint_names[8], sample["meta"]["light"]],
}))
"""


def python313() -> str | None:
    """A Python 3.13 that runs: on the path, or among pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = [shutil.which("python3.13"), *map(str, sorted(pyenv.glob("versions/3.13*/bin/python3.13")))]
    for candidate in filter(None, candidates):
        if subprocess.run([candidate, "-c", "import venv"], capture_output=True, check=False).returncode == 0:
            return candidate
    return None


@pytest.fixture(scope="module")
def core(tmp_path_factory) -> Path:
    """The Python of a new environment with the project and its core dependencies only."""
    python = python313()
    if python is None:
        pytest.skip("no Python 3.13 on this machine")
    folder = tmp_path_factory.mktemp("core")
    source = folder / "source"  # a copy: building must not write into the tree
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".*", "out", "tests", "docs", "*.egg-info"))
    subprocess.run([python, "-m", "venv", folder / "env"], check=True)
    new = folder / "env" / "bin" / "python"
    install = [new, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", source]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode and "No matching distribution" in done.stderr + done.stdout:
        pytest.skip("packages for Python 3.13 cannot be fetched here")
    assert done.returncode == 0, done.stderr[-2000:]
    return new


def command(python: Path, *arguments: str | Path) -> subprocess.CompletedProcess:
    """`mvhm` with arguments, away from the source tree."""
    line = [python.with_name("mvhm"), *arguments]
    return subprocess.run(line, capture_output=True, text=True, check=False, cwd=python.parent)


def test_the_core_install_checks_a_shard(core, shard):
    done = command(core, "check", shard)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_command_that_needs_more_says_so_in_one_line(core):
    done = command(core, "render", "--shard", "0")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("error: the package ") and "is not installed" in done.stderr


def test_the_core_install_reads_a_shard_on_python_3_13_with_numpy_2(core, shard, measured):
    done = subprocess.run([core, "-c", READ, shard], capture_output=True, text=True, check=False, cwd=core.parent)
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout)
    assert said["python"] == [3, 13]
    assert said["numpy"].startswith("2.")
    assert said["present"] == []
    from dataset_tools import HandDataset
    from dataset_tools.load.sampler import ShardSampler
    from dataset_tools.load.transforms import crop, mirror, rotate

    sample = HandDataset(shard)[0]
    assert said["samples"] == 3
    assert said["moved"][:2] == [[8, 32, 32, 3], "left"]
    moved = rotate(mirror(crop(sample, (4, 4, 60, 60), 32)), 0.2)
    assert said["moved"][2] == int(moved["parts"].astype(int).sum())
    assert said["amodal"] == int(HandDataset(shard, fields=["amodal_mask"])[0]["amodal_mask"].sum())
    assert said["order"] == list(ShardSampler(HandDataset(shard, items="view"), seed=2))[:5]
    assert said["fields"] == len(sample)
    assert said["rgb"] == int(sample["rgb"].astype(int).sum())
    assert said["depth"] == pytest.approx(float(sample["depth"].astype(float).sum()), rel=1e-6)
    assert said["flow"] == pytest.approx(float(abs(sample["flow_forward"]).astype(float).sum()), rel=1e-6)
    assert said["names"] == ["index_tip", '{"lamps": 1}']
    picture = command(core, "sheet", shard)
    assert picture.returncode == 2
    assert picture.stderr == "error: pictures need Pillow: pip install pillow\n"
    measured(f"core install: Python 3.13, numpy {said['numpy']}, without bpy, ray, torch, numba, reads a shard")
