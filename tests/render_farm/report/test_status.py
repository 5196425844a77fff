"""`status` says from the folder alone in which state each shard is, who is at it with what, and what failed."""

import dataclasses
import json
import os
import shutil
import time

from status_folder import NOW, SHARDS, SIZE, set_aside, shard_of, work, write

from render_farm.lock import STALE_SECONDS
from render_farm.planning.release import load_release
from render_farm.report.status import read_status
from render_farm.shard.events import EventLog
from rigging.command_line import main


def test_every_shard_is_in_one_state(night, release):
    status = read_status(night, release, now=NOW)
    found = {shard.shard: shard.state for shard in status.begun}
    assert found == {
        0: "done", 1: "rendering", 2: "rendering", 3: "interrupted", 4: "interrupted", 5: "incomplete",
        6: "damaged", 7: "damaged",
    }  # fmt: skip
    assert status.states == {
        "done": 1, "rendering": 2, "incomplete": 1, "interrupted": 2, "waiting": 2, "damaged": 2
    }  # fmt: skip
    assert status.shards == SHARDS == sum(status.states.values())


def test_who_is_at_work_with_what_since_when(night, release):
    status = read_status(night, release, now=NOW)
    ours, theirs = shard_of(status, 1), shard_of(status, 2)
    assert (ours.pid, ours.rendered, ours.samples, ours.since, ours.seen) == (os.getpid(), 5, SIZE, NOW - 60, NOW - 8)
    assert [(busy.sample, busy.since) for busy in ours.busy] == [(13, NOW - 8)]
    assert (theirs.host, theirs.pid, theirs.workers, theirs.seen) == ("n2", 22, 4, NOW - 20)
    assert (status.crew.workers, status.crew.hosts) == (8, 2)


def test_why_nobody_is_at_a_shard(night, release):
    status = read_status(night, release, now=NOW)
    assert (shard_of(status, 3).reason, [busy.sample for busy in shard_of(status, 3).busy]) == (
        "ended without a word",
        [27],
    )
    assert (shard_of(status, 4).reason[:19], shard_of(status, 4).rendered) == ("disk full: no space", 2)
    assert [(stop.cause, stop.count, stop.shard) for stop in status.stops] == [("disk full", 1, 4)]


def test_failures_and_what_is_set_aside(night, release):
    status = read_status(night, release, now=NOW)
    assert [(t.cause, t.count, t.sample) for t in status.failures] == [("crash", 1, 47), ("hang", 1, 47)]
    (aside,) = shard_of(status, 5).aside
    assert (aside.sample, aside.cause, aside.attempts, aside.command) == (47, "crash", 3, "alone --sample 47")
    assert status.crew.replaced == {"memory": 1}
    assert (status.crew.memory.megabytes, status.crew.memory.host, status.crew.memory.shard) == (3900, "n7", 5)


def test_staged_samples_on_another_disk_and_of_another_folder_are_counted_by_the_log(folder, release):
    work(folder, 0, NOW - 1000, 3, scratch="/local")
    log = work(folder, 1, NOW - 100, 7)
    set_aside(log, NOW - 10, 15)
    lacking = [{"sample": 15, "cause": "crash", "reason": "SIGSEGV", "seed": 5, "attempts": 3, "command": "c"}]
    (folder / "shard-00001.incomplete.json").write_text(json.dumps({"samples": SIZE, "lacking": lacking}))
    work(folder, 2, NOW - 1000, 3)
    shutil.rmtree(folder / ".staging")
    status = read_status(folder, release, now=NOW)
    assert [(s.state, s.rendered) for s in status.begun] == [("interrupted", 3), ("incomplete", 7), ("interrupted", 0)]
    EventLog.of(folder, 1).path.unlink()  # the record is enough
    status = read_status(folder, release, now=NOW)
    assert (shard_of(status, 1).state, shard_of(status, 1).aside[0].sample) == ("incomplete", 15)


def test_a_shard_on_a_nodes_own_disk_is_known_by_its_log_while_that_goes_on(folder, release):
    work(folder, 5, NOW - 100, 3)
    shutil.rmtree(folder / ".staging")
    status = read_status(folder, release, now=NOW)
    assert status.states["rendering"] == 1
    assert shard_of(status, 5).rendered == 3
    assert shard_of(status, 5).host == "n1"
    later = read_status(folder, release, now=NOW + STALE_SECONDS)
    assert later.states["interrupted"] == 1


def test_shards_beyond_99999_are_told_of_by_number(folder, release):
    vast = dataclasses.replace(release, samples=SIZE * 100_002)
    write(folder, 99_999)
    write(folder, 100_000)
    work(folder, 100_001, NOW - 900, 3)
    work(folder, 99_998, NOW - 900, 3)
    write(folder, 100_002)
    status = read_status(folder, vast, now=NOW)
    assert [(shard.shard, shard.state) for shard in status.begun] == [
        (99_998, "interrupted"), (99_999, "done"), (100_000, "done"), (100_001, "interrupted")
    ]  # fmt: skip
    assert [problem.file for problem in status.problems] == ["shard-100002"]
    assert (status.other_files, status.states["waiting"]) == ((), 100_002 - 4)


def test_a_shard_that_was_really_rendered(real_shard, capsys):
    out = real_shard.parent.parent
    assert main(["status", "--release", "demo", "--out", str(out), "--json", "--verify"]) == 0
    told = json.loads(capsys.readouterr().out)
    release = load_release("demo")
    (shard,) = told["begun"]
    assert (shard["shard"], shard["state"], shard["rendered"]) == (0, "done", 4)
    assert told["states"]["waiting"] == release.shards - 1
    assert told["images"]["done"] == 4 * release.cameras.views
    assert told["speed"]["overall"] > 0 and told["speed"]["seconds_left"] > 0
    assert len(told["slowest"]) == 4 and told["slowest"][0]["seconds"] > 0
    assert 100 < told["crew"]["memory"]["megabytes"] < 800
    assert (told["problems"], told["other_files"], told["failures"]) == ([], [], [])


def test_a_large_release_is_read_quickly(tmp_path, measured):
    shards, size, views = 250, 160, 8
    line = '{"time": %.2f, "host": "n%d", "pid": 7, "event": "%s", "sample": %d, "worker": %d%s}\n'
    (tmp_path / ".events").mkdir()
    for shard in range(shards):
        start = {"time": NOW, "host": "n0", "pid": 7, "event": "start", "samples": size, "views": views, "staged": 0}
        lines = [json.dumps(start | {"workers": 8, "device": "cpu", "scratch": "/local"}) + "\n"]
        for k in range(size):
            at, sample = NOW + 3 * k, shard * size + k
            lines.append(line % (at, shard % 8, "begin", sample, k % 8, ""))
            lines.append(line % (at + 3, shard % 8, "done", sample, k % 8, ', "seconds": 24.512, "megabytes": 640'))
        EventLog.of(tmp_path, shard).path.write_text("".join(lines))
    before = time.process_time()
    status = read_status(tmp_path, load_release("mvhm"), now=NOW + 3 * size)
    seconds = time.process_time() - before
    measured(f"status of {shards} shards, {2 * shards * size:,} events: {seconds:.2f} s of one core")
    assert status.images.done == shards * size * views
