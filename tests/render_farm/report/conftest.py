"""A release of ten shards and folders of it: an empty one, and one in which a farm has spent a night."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for the helper module beside the tests

from status_folder import NOW, SIZE, TOML, add, elsewhere, lock, set_aside, work, write

from render_farm.lock import STALE_SECONDS
from render_farm.planning.release import load_release
from render_farm.shard.events import Begin, Fault, Finish, Recycle, Stop


@pytest.fixture(scope="session")
def toml(tmp_path_factory):
    path = tmp_path_factory.mktemp("release") / "farm.toml"
    path.write_text(TOML)
    return path


@pytest.fixture
def release(toml):
    return load_release(str(toml))


@pytest.fixture
def folder(tmp_path):
    """The release's folder in OUT."""
    path = tmp_path / "out" / "farm"
    (path / ".locks").mkdir(parents=True)
    return path


@pytest.fixture
def night(folder):
    """A farm at time NOW: something of every kind."""
    add(work(folder, 0, NOW - 40_000, SIZE), NOW - 39_919, Finish(10, "0"))
    write(folder, 0)
    log = work(folder, 1, NOW - 60, 5)
    add(log, NOW - 8, Begin(13, 0))
    lock(folder, 1, NOW - 9000)  # by this process, which is alive, however long it is silent
    work(folder, 2, NOW - 100, 4, host="n2")
    elsewhere(folder, 2, NOW - 20)
    log = work(folder, 3, NOW - 1000, 3, host="n2")
    add(log, NOW - 960, Begin(27, 0), "n2")
    elsewhere(folder, 3, NOW - STALE_SECONDS - 20)
    add(work(folder, 4, NOW - 50_000, 2), NOW - 49_000, Stop("disk full", "no space " * 20))
    lock(folder, 4, NOW - 49_000, started="1")  # a later process has its number
    log = work(folder, 5, NOW - 30_000, 7)
    add(log, NOW - 29_950, Fault(47, 0, "hang", "no answer", 1))
    set_aside(log, NOW - 29_900, 47)
    add(log, NOW - 29_890, Recycle(0, "memory", 3900), "n7")
    write(folder, 6, told=11)
    write(folder, 7)
    (folder / "shard-00007.json").unlink()
    return folder
