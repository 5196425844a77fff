"""Two shards of one sample each, rendered by the loop of the starters: its tests and those of `collect` share them."""

import contextlib
from types import SimpleNamespace

import pytest
from starter_scripts import start, wait_until

from render_farm.lock import Lock


@pytest.fixture(scope="session")
def looped(tiny, cache, tmp_path_factory):
    """What the loop did about shards 0 and 1, of which this process held the first until the second was done."""
    out = tmp_path_factory.mktemp("looped")
    shards = [out / "tiny" / f"shard-0000{n}.h5" for n in (0, 1)]
    lock = out / "tiny" / ".locks" / "shard-00000.lock"
    lock.parent.mkdir(parents=True)
    options = ("--release", tiny, "--out", out, "--cache", cache, "--samples", 1)
    with contextlib.ExitStack() as stack:
        held = stack.enter_context(Lock(lock))
        process = stack.enter_context(start("loop.sh", "0-1", *options))
        wait_until(lambda: shards[1].with_suffix(".png").exists(), process)
        waited = not shards[0].exists()
        held.release()
        output = process.communicate(timeout=120)[0]
    return SimpleNamespace(out=out, shards=shards, waited=waited, returncode=process.returncode, output=output)
