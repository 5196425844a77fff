"""What all tests share: measured figures printed at the end of a run, and one real shard rendered once per session."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent
_FIGURES = pytest.StashKey[list]()


@pytest.hookimpl(tryfirst=True)  # before --hypothesis-profile is heeded
def pytest_configure(config: pytest.Config) -> None:
    """What a run says of a commit the next one says, too: Hypothesis takes the same examples; `search`, others."""
    config.stash[_FIGURES] = []
    hypothesis.settings.register_profile("search")
    hypothesis.settings.register_profile("same", derandomize=True, database=None)
    hypothesis.settings.load_profile("same")


@pytest.hookimpl(tryfirst=True)  # before fixtures of any scope
def pytest_runtest_setup() -> None:
    """PyTorch begins with another seed in every process, unless it is told one."""
    if torch := sys.modules.get("torch"):
        torch.manual_seed(0)


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    if config.stash[_FIGURES]:
        terminalreporter.section("measured")
        for line in config.stash[_FIGURES]:
            terminalreporter.write_line(line)


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Call it with a line to have it printed in the section `measured` at the end of the run."""
    return request.config.stash[_FIGURES].append


def render_command(*arguments: str | Path, python: str | Path = sys.executable) -> list[str]:
    """The command line behind `make render`, with more arguments."""
    return [str(python), "-m", "render_farm", "render", *map(str, arguments)]


@pytest.fixture(scope="session")
def real_shard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shard 0 of the demo release with its real settings, cut to four samples (two pairs)."""
    return rendered_demo(tmp_path_factory.mktemp("release"), sys.executable)


@pytest.fixture(scope="session")
def other_python() -> Path:
    """The Python 3.13 with Blender 5.2 that `make test` sets up where there is one."""
    python = ROOT / os.environ.get("MVHM_OTHER", ".venv-5.2") / "bin" / "python"
    if not python.exists():
        pytest.skip("no Python 3.13 is here: Blender 5.2 is not tested")
    return python


@pytest.fixture(scope="session")
def other_shard(tmp_path_factory: pytest.TempPathFactory, other_python: Path) -> Path:
    """The same as `real_shard`, rendered with Blender 5.2."""
    return rendered_demo(tmp_path_factory.mktemp("release-5.2"), other_python)


def rendered_demo(out: Path, python: str | Path) -> Path:
    """Four samples of the demo release, rendered into `out` by that Python."""
    command = render_command("--release", "demo", "--shard", "0", "--out", out, "--samples", "4", python=python)
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert result.returncode == 0, result.stderr[-3000:]
    return out / "demo" / "shard-00000.h5"
