"""The event log of a shard: appended whole lines, read whatever happened to the file, folded to sums."""

import itertools
import json
import threading

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from render_farm.report.history import fold, merged
from render_farm.shard.events import EventLog

ALWAYS = (0.0, 1e12)


def log_in(folder):
    return EventLog.of(folder, 7)


def start(log, time, staged=0, samples=8, **more):
    facts = {"samples": samples, "views": 2, "workers": 2, "device": "cpu", "scratch": "", "configuration": "a"}
    log.add("start", time=time, host="n1", pid=11, staged=staged, **(facts | more))


def done(log, time, sample, seconds=10.0, host="n1", megabytes=500):
    log.add("done", time=time, host=host, sample=sample, worker=0, seconds=seconds, megabytes=megabytes)


def fault(log, time, sample, cause, reason, attempt=1):
    log.add("fault", time=time, host="n1", sample=sample, worker=0, cause=cause, reason=reason, attempt=attempt)


def aside(log, time, sample, cause="crash", reason="SIGSEGV", attempts=3):
    told = {"cause": cause, "reason": reason, "seed": 5, "attempts": attempts, "command": f"render {sample}"}
    log.add("aside", time=time, host="n1", sample=sample, **told)


def history(log, recent=ALWAYS):
    return fold(7, log.read(), recent)


def test_a_line_says_when_where_and_what(tmp_path):
    log = log_in(tmp_path)
    log.add("done", sample=np.int64(3), seconds=np.float32(0.5), path=tmp_path)
    (line,) = (tmp_path / ".events" / "shard-00007.jsonl").read_text().splitlines()
    found = json.loads(line)
    assert {"time", "host", "pid", "event"} <= set(found)
    assert (found["sample"], found["seconds"], found["path"]) == (3, 0.5, str(tmp_path))
    assert list(log.read()) == [found]


def test_writers_at_once_do_not_mix_their_lines(tmp_path):
    log = log_in(tmp_path)
    writers = [
        threading.Thread(target=lambda w=w: [log.add("x", writer=w, number=k, pad="p" * 500) for k in range(50)])
        for w in range(4)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = {(line["writer"], line["number"]) for line in log.read()}
    assert found == {(w, k) for w in range(4) for k in range(50)}


def test_a_place_that_cannot_be_written_or_read_stops_nobody(tmp_path):
    (tmp_path / ".events").write_text("a file where the folder should be")
    log_in(tmp_path).add("done", sample=1)
    assert list(log_in(tmp_path).read()) == []


def test_half_lines_and_foreign_ones_are_left_out_and_the_line_after_half_a_one_is_not(tmp_path):
    log = log_in(tmp_path)
    log.add("one")
    with open(log.path, "ab") as file:
        file.write(b'\xff\x00\nnull\n[1]\n{"no": "event"}\n' + b"[" * 100_000 + b"\n")
        file.write(b'{"time": 12.5, "host": "n1", "ev')  # its process died here
    log.add("two")
    assert [line["event"] for line in log.read()] == ["one", "two"]


def test_a_shard_that_is_begun_anew_counts_what_was_staged_and_what_came_since(tmp_path):
    log = log_in(tmp_path)
    start(log, 100)
    for sample in (0, 1, 2):
        done(log, 110 + sample, sample)
    start(log, 500, staged=2)  # one of the three was damaged
    done(log, 510, 2)
    found = history(log)
    assert (found.samples, found.staged, found.rendered) == (8, 3, 4)
    assert (found.host, found.pid, found.since, found.seen) == ("n1", 11, 500, 510)


def test_failed_attempts_are_counted_by_cause_with_the_newest_reason(tmp_path):
    log = log_in(tmp_path)
    start(log, 100)
    fault(log, 110, 3, "crash", "SIGSEGV")
    fault(log, 120, 4, "crash", "SIGBUS\nin two lines")
    fault(log, 130, 3, "memory", "4100 MB")
    aside(log, 140, 3, cause="memory", reason="4200 MB")
    crash, memory = history(log).faults
    assert (crash.cause, crash.count, crash.sample, crash.reason) == ("crash", 2, 4, "SIGBUS in two lines")
    assert (memory.cause, memory.count, memory.time, memory.reason) == ("memory", 2, 140, "4200 MB")


def test_samples_stay_set_aside_until_they_are_retried_done_or_of_another_configuration(tmp_path):
    log = log_in(tmp_path)
    start(log, 100)
    for sample in (3, 4, 5):
        aside(log, 110, sample)
    start(log, 200)
    assert [one.sample for one in history(log).aside] == [3, 4, 5]
    log.add("retry", samples=[3])
    done(log, 210, 4)
    (left,) = history(log).aside
    assert (left.sample, left.cause, left.seed, left.attempts, left.command) == (5, "crash", 5, 3, "render 5")
    start(log, 300, configuration="b")
    assert history(log).aside == ()


def test_samples_that_a_process_was_at_are_those_that_began_and_did_not_end(tmp_path):
    log = log_in(tmp_path)
    start(log, 100)
    for sample in (1, 2, 3):
        log.add("begin", time=100 + sample, sample=sample, worker=sample)
    done(log, 110, 2)
    assert [(busy.sample, busy.since) for busy in history(log).busy] == [(1, 101), (3, 103)]
    log.add("stop", time=111, cause="disk full", reason="no space")
    assert history(log).stopped == "disk full: no space"
    start(log, 200)
    assert (history(log).busy, history(log).stopped) == ((), "")
    assert [(stop.cause, stop.count) for stop in history(log).stops] == [("disk full", 1)]


def test_slowest_samples_memory_and_replaced_workers(tmp_path):
    log = log_in(tmp_path)
    start(log, 100)
    for sample in range(8):
        done(log, 200 + sample, sample, seconds=float((5 * sample) % 8), megabytes=500 + (3 * sample) % 8)
    log.add("recycle", worker=0, cause="memory", megabytes=600, host="n9")
    found = history(log)
    assert [slow.seconds for slow in found.slowest] == [7, 6, 5, 4, 3]
    assert found.slowest[0].sample == 3
    assert (found.memory.megabytes, found.memory.host) == (600, "n9")
    assert found.recycled == (("memory", 1),)


def test_time_counts_while_something_is_rendered_and_not_while_nobody_is_there(tmp_path):
    log = log_in(tmp_path)
    start(log, 1000)
    done(log, 1100, 0, seconds=90)
    done(log, 1400, 1, seconds=290)  # one worker, slow: no pause
    start(log, 30_000)
    done(log, 30_050, 2, seconds=40)
    assert history(log).spans == ((1000, 1400), (30_000, 30_050))
    assert history(log, recent=(1200, 30_040)).recent == 1


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)).map(lambda s: (s[0], s[0] + s[1])), max_size=12)


@given(spans)
@settings(deadline=None, max_examples=60)
def test_merged_spans_cover_the_same_seconds(spans):
    out = merged(spans, pause=0)
    covered = {second for start, end in spans for second in range(start, end)}
    assert {second for start, end in out for second in range(start, end)} == covered
    assert all(one[1] < other[0] for one, other in itertools.pairwise(out))


events = st.one_of(
    st.builds(lambda k, s: {"event": "done", "sample": k, "worker": 0, "seconds": s, "megabytes": 1.0},
              st.integers(0, 7), st.floats(0, 100)),
    st.builds(lambda k: {"event": "begin", "sample": k, "worker": 0}, st.integers(0, 7)),
    st.builds(lambda k: {"event": "fault", "sample": k, "worker": 0, "cause": "crash", "reason": "r", "attempt": 1},
              st.integers(0, 7)),
    st.builds(lambda k: {"event": "aside", "sample": k, "cause": "crash", "reason": "r", "seed": 1, "attempts": 3,
                         "command": "c"}, st.integers(0, 7)),
    st.builds(lambda k: {"event": "retry", "samples": k}, st.lists(st.integers(0, 7))),
    st.sampled_from([{"event": "finish", "bytes": 1, "sha256": "0"}, {"event": "stop", "cause": "error", "reason": "r"},
                     {"event": "recycle", "worker": 0, "cause": "memory", "megabytes": 3.0}]),
)  # fmt: skip
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
names = st.sampled_from(["start", "begin", "done", "fault", "aside", "recycle", "retry", "stop", "finish", "new"])
fields = st.sampled_from(
    ["time", "host", "pid", "samples", "views", "staged", "workers", "device", "sample", "worker", "seconds",
     "megabytes", "cause", "reason", "attempt", "seed", "attempts", "command"]
)  # fmt: skip


@given(st.lists(events, max_size=40), st.data())
@settings(deadline=None, max_examples=60)
def test_any_part_of_a_log_folds_and_counts_each_staged_sample_once(lines, data):
    told = [{"time": 100.0 + k, "host": "n1", "pid": 1} | line for k, line in enumerate(lines)]
    text = "".join(json.dumps(line) + "\n" for line in told).encode()
    text = text[: data.draw(st.integers(0, len(text)))]
    whole = [json.loads(line) for line in text.split(b"\n")[:-1]]
    found = fold(7, list(whole), ALWAYS)
    last = max((k for k, line in enumerate(whole) if line["event"] == "finish"), default=-1)
    assert found.staged == len({line["sample"] for line in whole[last + 1 :] if line["event"] == "done"})
    assert found.rendered == sum(line["event"] == "done" for line in whole)
    assert sum(t.count for t in found.faults) == sum(line["event"] in ("fault", "aside") for line in whole)


@given(st.lists(st.tuples(names, st.dictionaries(fields, json_values, max_size=12)), max_size=20))
@settings(deadline=None, max_examples=100)
def test_lines_that_make_no_sense_are_passed_over(lines):
    whole = {"event": "done", "time": 5.0, "host": "n1", "sample": 3, "worker": 0, "seconds": 1.0, "megabytes": 2.0}
    found = fold(7, [{"event": name} | values for name, values in lines] + [whole], ALWAYS)
    assert found.rendered >= 1
    assert all(slow.seconds < float("inf") for slow in found.slowest)


@given(st.data())
@settings(deadline=None, max_examples=30)
def test_torn_lines_cost_no_other_line(tmp_path_factory, data):
    log = log_in(tmp_path_factory.mktemp("log"))
    start(log, 100)
    lines = log.path.read_bytes()
    for sample in range(8):
        done(log, 110 + sample, sample)
    for line in log.path.read_bytes().removeprefix(lines).splitlines(keepends=True):
        lines += data.draw(st.sampled_from([b"", line[: data.draw(st.integers(1, len(line) - 1))]])) + line
    log.path.write_bytes(lines)
    assert history(log).staged == 8


@given(st.lists(st.integers(1, 80), max_size=30))
@settings(deadline=None, max_examples=30)
def test_a_log_that_is_followed_tells_each_event_once(tmp_path_factory, steps):
    whole, log = log_in(tmp_path_factory.mktemp("whole")), log_in(tmp_path_factory.mktemp("followed"))
    for sample in range(8):
        done(whole, 110 + sample, sample)
    data, at, told = whole.path.read_bytes(), 0, []
    assert log.since(0) == ([], 0)
    log.path.parent.mkdir()
    for length in (*itertools.accumulate(steps), len(data)):  # the file grows by any number of bytes
        log.path.write_bytes(data[:length])
        events, at = log.since(at)
        told += events
    assert told == list(whole.read())
    assert at == len(data)
