"""Sums over event logs: images and the time they took, failures by cause, slowest samples, memory."""

import itertools

import event_lines as lines
from event_lines import at, done, fault, quarantine, start
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_tools.store.incomplete import Quarantined
from render_farm.report.figures import Figures, merged
from render_farm.shard.events import Done, Fault, Recycle, Stop

ALWAYS = (0.0, 1e12)


def figures(*entries, recent=ALWAYS):
    sums = Figures(recent)
    sums.add(lines.SHARD, entries)
    return sums


def test_failed_attempts_are_counted_by_cause_with_the_newest_reason():
    crashes = [fault(120, 4, "crash", "SIGBUS\nin two lines"), fault(110, 3, "crash", "SIGSEGV")]
    memory = [fault(130, 3, "memory", "4100 MB"), quarantine(140, 3, "memory", "4200 MB")]
    sums = figures(start(100), *crashes, *memory)
    crash, memory = sums.faults["crash"], sums.faults["memory"]
    assert (crash.cause, crash.count, crash.sample, crash.reason) == ("crash", 2, 4, "SIGBUS in two lines")
    assert (memory.cause, memory.count, memory.time, memory.reason) == ("memory", 2, 140, "4200 MB")


def test_processes_that_ended_early_are_counted_by_cause():
    sums = figures(start(100), at(101, Stop("disk full", "no space")), start(200), at(201, Stop("disk full", "again")))
    (stop,) = sums.stops.values()
    assert (stop.cause, stop.count, stop.sample, stop.reason) == ("disk full", 2, None, "again")


def test_slowest_samples_memory_and_replaced_workers():
    samples = [done(200 + k, k, seconds=float((5 * k) % 8), megabytes=500 + (3 * k) % 8) for k in range(8)]
    sums = figures(start(100), *samples, at(300, Recycle(0, "memory", 600), "n9"))
    assert [slow.seconds for slow in sums.slowest] == [7, 6, 5, 4, 3]
    assert (sums.slowest[0].sample, sums.slowest[0].shard) == (3, lines.SHARD)
    assert (sums.memory.megabytes, sums.memory.host) == (600, "n9")
    assert sums.replaced == {"memory": 1}


def test_time_counts_while_something_is_rendered_and_not_while_nobody_is_there():
    morning = [start(1000), done(1100, 0, seconds=90), done(1400, 1, seconds=290)]  # one worker, slow: no pause
    entries = [*morning, start(30_000), done(30_050, 2, seconds=40)]
    assert figures(*entries).spans == [(1000, 1400), (30_000, 30_050)]
    sums = figures(*entries, recent=(1200, 30_040))
    assert (sums.images, sums.recent_images) == (6, 2)  # two views each


def test_logs_of_several_shards_add_up():
    sums = Figures(ALWAYS)
    for shard in range(3):
        sums.add(shard, [start(100), done(110 + shard, 8 * shard, seconds=shard), fault(115 + shard, 1, "hang")])
    assert (sums.images, sums.spans) == (6, [(100, 117)])
    assert (sums.faults["hang"].count, sums.faults["hang"].shard) == (3, 2)
    assert [slow.shard for slow in sums.slowest] == [2, 1, 0]


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)).map(lambda s: (s[0], s[0] + s[1])), max_size=12)


@given(spans)
@settings(deadline=None, max_examples=60)
def test_merged_spans_cover_the_same_seconds(spans):
    out = merged(spans, pause=0)
    covered = {second for start, end in spans for second in range(start, end)}
    assert {second for start, end in out for second in range(start, end)} == covered
    assert all(one[1] < other[0] for one, other in itertools.pairwise(out))


@given(lines.entries)
@settings(deadline=None, max_examples=60)
def test_every_rendered_sample_and_every_failed_attempt_counts_once(entries):
    sums = figures(start(99), *entries)
    assert sums.images == 2 * sum(isinstance(entry.event, Done) for entry in entries)
    failures = sum(isinstance(entry.event, Fault | Quarantined) for entry in entries)
    assert sum(trouble.count for trouble in sums.faults.values()) == failures
