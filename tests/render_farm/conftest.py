"""A tiny release: two views of 64 x 64 pixels with one path per pixel; everything else is the real thing."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for the helper modules beside the tests

import shard_commands

TINY = """
name = "tiny"
seed = 5
samples = 16
shard_size = 8
hand = "both"
[poses]
candidates = 200
[subjects]
count = 2
run = 2
skin_resolution = 256
[cameras]
views = 2
image_size = 64
[render]
samples_per_pixel = 1
denoiser_quality = "NONE"
crosscheck = 1.0
"""


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    path = tmp_path_factory.mktemp("tiny") / "tiny.toml"
    path.write_text(TINY)
    return path


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def undisturbed(tiny, cache, tmp_path_factory):
    """OUT with shard 0, rendered without interruption by one worker."""
    out = tmp_path_factory.mktemp("undisturbed")
    result = shard_commands.render(tiny, cache, out, "--workers", "1")
    assert result.returncode == 0, result.stderr
    return out


@pytest.fixture(scope="session")
def raced(tiny, cache, tmp_path_factory):
    """OUT with the first two samples of shard 0, exit codes and errors of the two who rendered them at once."""
    out = tmp_path_factory.mktemp("raced")
    words = shard_commands.command(tiny, cache, out, "--samples", "2", "--workers", "1")
    both = [subprocess.Popen(words, cwd=shard_commands.ROOT, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    errors = [process.communicate()[1] for process in both]
    return SimpleNamespace(out=out, codes=[process.returncode for process in both], errors=errors)
