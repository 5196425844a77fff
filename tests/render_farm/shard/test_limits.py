"""The figures of docs/farm_failures.md are those of the program."""

import re
from pathlib import Path

from render_farm.lock import STALE_SECONDS
from render_farm.shard.missing import HOPELESS, LOST_ATTEMPTS, SUSPECT
from render_farm.shard.pool import WORN_SHARE, PoolSettings

DEFAULT = PoolSettings()
PAGE = (Path(__file__).parents[3] / "docs" / "farm_failures.md").read_text(encoding="utf-8")


def test_the_page_tells_the_limits_as_they_are():
    told = {name: float(number) for name, number in re.findall(r"`--([a-z-]+)`(?: times)? \((\d+)", PAGE)}
    assert told == {"memory": DEFAULT.memory, "sample-seconds": DEFAULT.sample_seconds, "attempts": DEFAULT.attempts}
    assert (WORN_SHARE, HOPELESS, SUSPECT, LOST_ATTEMPTS, STALE_SECONDS) == (0.75, 5, 2, 5, 3 * 60)
    words = ("three quarters", "first five samples", "under way twice", "after five times", "three minutes")
    assert all(word in PAGE for word in words)
