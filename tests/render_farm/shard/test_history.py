"""The memory of a shard: which samples are staged, under way, failing or quarantined, as its event log says."""

import event_lines as lines
from event_lines import at, begin, done, fault, quarantine, start
from hypothesis import given, settings
from hypothesis import strategies as st

from render_farm.shard.events import Done, Finish, Retry, Stop
from render_farm.shard.history import Busy, History


def test_a_shard_that_is_begun_anew_counts_what_was_staged_and_what_came_since():
    first = [start(100), *(done(110 + sample, sample) for sample in (0, 1, 2))]
    history = History.of([*first, start(500, staged=2), done(510, 2)])  # one of the three was damaged
    assert (history.start.samples, history.staged) == (8, 3)
    assert (history.host, history.pid, history.since, history.seen) == ("n1", lines.PID, 500, 510)


def test_a_shard_that_is_written_has_nothing_staged():
    history = History.of([start(100, staged=7), done(110, 7), at(120, Finish(10, "0"))])
    assert (history.finished, history.staged) == (True, 0)


def test_samples_stay_quarantined_until_they_are_retried_done_or_of_another_configuration():
    entries = [start(100), *(quarantine(110, sample) for sample in (3, 4, 5)), start(200)]
    assert sorted(History.of(entries).quarantined) == [3, 4, 5]
    entries += [at(205, Retry((3,))), done(210, 4)]
    assert History.of(entries).quarantined == {5: quarantine(110, 5).event}
    assert not History.of([*entries, start(300, configuration="b")]).quarantined


def test_failed_attempts_and_sudden_ends_are_counted_by_sample_over_all_processes_of_the_configuration():
    entries = [start(100), fault(110, 3, "crash"), fault(120, 3, "lost"), start(200), fault(210, 3, "hang")]
    history = History.of(entries)
    assert (history.tries[3], history.losses[3]) == (2, 1)
    for forgotten in (at(220, Retry((3,))), start(220, configuration="b")):
        history = History.of([*entries, forgotten])
        assert not (history.tries or history.losses)


def test_samples_under_way_are_those_that_began_and_did_not_end():
    entries = [start(100), *(begin(100 + sample, sample, sample) for sample in (1, 2, 3, 4, 5)), done(110, 2)]
    history = History.of([*entries, fault(111, 4, "crash"), quarantine(112, 5)])
    assert list(history.busy.values()) == [Busy(1, 1, 101), Busy(3, 3, 103)]


def test_they_are_abandoned_unless_the_process_said_that_it_ends():
    entries = [start(100), begin(101, 1)]
    assert History.of(entries).abandoned == {1}
    history = History.of([*entries, at(102, Stop("disk full", "no space"))])
    assert (history.abandoned, list(history.busy), history.stopped.cause) == (set(), [1], "disk full")
    again = History.of([*entries, at(102, Stop("disk full", "no space")), start(200)])
    assert (again.abandoned, again.busy, again.stopped) == (set(), {}, None)


@given(lines.entries, st.integers(0, 40))
@settings(deadline=None, max_examples=60)
def test_any_part_of_a_log_counts_each_staged_sample_once(entries, length):
    part = entries[:length]
    last = max((k for k, entry in enumerate(part) if isinstance(entry.event, Finish)), default=-1)
    staged = {entry.event.sample for entry in part[last + 1 :] if isinstance(entry.event, Done)}
    assert History.of(part).staged == len(staged)
