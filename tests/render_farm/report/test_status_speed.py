"""How many images are done and left, how fast, and how long the rest takes."""

import pytest
from status_folder import NOW, SHARDS, SIZE, VIEWS, work

from render_farm.report.status import read_status


def test_images_add_up(night, release):
    images = read_status(night, release, now=NOW).images
    assert images.planned == SIZE * SHARDS * VIEWS
    assert images.done == (SIZE + 5 + 4 + 3 + 2 + 7) * VIEWS
    assert images.aside == 1 * VIEWS
    damaged = 2 * SIZE * VIEWS  # wait for a person
    assert images.left == images.planned - images.done - images.aside - damaged


def test_a_pause_counts_neither_as_work_nor_against_the_speed(folder, release):
    work(folder, 0, NOW - 50_000, 8, each=10)
    work(folder, 1, NOW - 200, 5, each=40)
    speed = read_status(folder, release, now=NOW).speed
    assert speed.rendered_seconds == 80 + 200
    assert speed.overall == pytest.approx(13 * VIEWS / 280)
    assert (speed.recent_seconds, speed.recent) == (200, 5 * VIEWS / 200)


def test_hosts_that_render_at_once_add_their_speed(folder, release):
    for shard in range(4):
        work(folder, shard, NOW - 600 + 5 * shard, 8, each=70)
    speed = read_status(folder, release, now=NOW).speed
    assert speed.rendered_seconds == 575
    assert speed.overall == pytest.approx(32 * VIEWS / 575)


def test_time_left_is_by_the_recent_speed_else_by_the_overall_one_else_not_known(folder, release):
    assert read_status(folder, release, now=NOW).speed.seconds_left is None
    work(folder, 0, NOW - 400, 8, each=50)
    planned = SIZE * SHARDS * VIEWS
    status = read_status(folder, release, now=NOW)
    assert status.speed.left_from == "recent"
    assert status.speed.recent == 6 * VIEWS / 300  # at 300 s ago, the second was done
    assert status.speed.seconds_left == pytest.approx((planned - 8 * VIEWS) / status.speed.recent)
    later = read_status(folder, release, now=NOW + 9000)
    assert (later.speed.left_from, later.speed.recent) == ("overall", 0)
    assert later.speed.seconds_left == pytest.approx((planned - 8 * VIEWS) / (8 * VIEWS / 400))
