"""The event log of a shard: appended whole lines, and typed entries read back whatever happened to the file."""

import itertools
import json
import os
import socket
import threading
import time

import event_lines as lines
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_tools.store.incomplete import Quarantined
from render_farm.shard.events import EVENTS, Done, Entry, Finish, Recycle, Start, Stop


def test_a_line_says_when_where_and_what(tmp_path):
    log, before = lines.log_in(tmp_path), time.time()
    entry = log.add(Done(3, worker=1, seconds=0.5, megabytes=600))
    (line,) = (tmp_path / ".events" / "shard-00007.jsonl").read_text().splitlines()
    told = json.loads(line)
    assert list(told) == ["time", "host", "pid", "event", "sample", "worker", "seconds", "megabytes"]
    assert (told["host"], told["pid"], told["event"]) == (socket.gethostname(), os.getpid(), "done")
    assert before - 0.01 <= told["time"] <= time.time() + 0.01
    assert list(log.read()) == [entry]


@given(lines.entries)
@settings(deadline=None, max_examples=30)
def test_what_is_appended_is_read_back(tmp_path_factory, entries):
    log = lines.log_in(tmp_path_factory.mktemp("log"))
    for entry in entries:
        log.append(entry)
    assert list(log.read()) == entries


OLD_LINES = """\
{"time": 5.0, "host": "n1", "pid": 7, "event": "start", "samples": 8, "views": 2, "staged": 3, "workers": 4}
{"time": 6, "host": "n1", "pid": 7, "event": "aside", "sample": 3, "cause": "crash", "reason": "SIGSEGV"}
{"time": 7.0, "host": "n1", "pid": 7, "event": "recycle", "worker": 1, "cause": "memory", "megabytes": 3000, "new": 1}
{"time": 8.0, "host": "n1", "pid": 7, "event": "stop", "cause": "disk full", "reason": ""}
{"time": 9.0, "host": "n1", "pid": 7, "event": "finish", "bytes": 10, "sha256": "ab"}
"""


def test_lines_of_older_and_newer_versions_are_read(tmp_path):
    log = lines.log_in(tmp_path)
    log.path.parent.mkdir()
    log.path.write_text(OLD_LINES)
    assert list(log.read()) == [
        Entry(5.0, "n1", 7, Start(samples=8, views=2, staged=3, workers=4)),
        Entry(6.0, "n1", 7, Quarantined(3, lines.SHARD, "crash", "SIGSEGV")),
        Entry(7.0, "n1", 7, Recycle(1, "memory", 3000.0)),
        Entry(8.0, "n1", 7, Stop("disk full", "")),
        Entry(9.0, "n1", 7, Finish(10, "ab")),
    ]


def test_writers_at_once_do_not_mix_their_lines(tmp_path):
    log = lines.log_in(tmp_path)
    writers = [
        threading.Thread(target=lambda w=w: [log.add(Stop(str(w), f"{k} {'p' * 500}")) for k in range(50)])
        for w in range(4)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    read = {(entry.event.cause, int(entry.event.reason.split()[0])) for entry in log.read()}
    assert read == {(str(w), k) for w in range(4) for k in range(50)}


def test_a_place_that_cannot_be_written_or_read_stops_nobody(tmp_path):
    (tmp_path / ".events").write_text("a file where the folder should be")
    lines.log_in(tmp_path).add(Finish(1, "0"))
    assert list(lines.log_in(tmp_path).read()) == []


def test_half_lines_and_foreign_ones_are_left_out_and_the_line_after_half_a_one_is_not(tmp_path):
    log = lines.log_in(tmp_path)
    log.append(lines.begin(1, 1))
    with open(log.path, "ab") as file:
        file.write(b'\xff\x00\nnull\n[1]\n{"no": "event"}\n' + b"[" * 100_000 + b"\n")
        file.write(b'{"time": 12.5, "host": "n1", "ev')  # its process died here
    log.append(lines.begin(2, 2))
    assert [entry.event.sample for entry in log.read()] == [1, 2]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
names = st.sampled_from([*EVENTS, "new"])
fields = st.sampled_from(
    ["time", "host", "pid", "samples", "views", "staged", "workers", "cores", "device", "sample", "worker", "seconds",
     "megabytes", "cause", "reason", "attempt", "seed", "attempts", "command", "lacking", "bytes", "sha256"]
)  # fmt: skip


@given(st.lists(st.tuples(names, st.dictionaries(fields, json_values, max_size=12)), max_size=20))
@settings(deadline=None, max_examples=100)
def test_whatever_is_read_is_of_its_type_and_nonsense_costs_no_other_line(tmp_path_factory, nonsense):
    log = lines.log_in(tmp_path_factory.mktemp("log"))
    log.path.parent.mkdir()
    log.path.write_text("".join(json.dumps({"event": name} | values) + "\n" for name, values in nonsense))
    log.append(lines.done(5.0, 3))
    *others, last = log.read()
    assert last == lines.done(5.0, 3)
    assert all(isinstance(entry.event, tuple(EVENTS.values())) and 0 <= abs(entry.time) < 1e309 for entry in others)
    assert all(type(entry.pid) is int and type(entry.host) is str for entry in others)


@given(st.data())
@settings(deadline=None, max_examples=30)
def test_torn_lines_cost_no_other_line(tmp_path_factory, data):
    log = lines.log_in(tmp_path_factory.mktemp("log"))
    entries = [lines.done(110 + sample, sample) for sample in range(8)]
    for entry in entries:
        log.append(entry)
    torn = b""
    for line in log.path.read_bytes().splitlines(keepends=True):
        torn += data.draw(st.sampled_from([b"", line[: data.draw(st.integers(1, len(line) - 1))]])) + line
    log.path.write_bytes(torn)
    assert list(log.read()) == entries


@given(st.lists(st.integers(1, 80), max_size=30))
@settings(deadline=None, max_examples=30)
def test_a_log_that_is_followed_tells_each_event_once(tmp_path_factory, steps):
    whole, log = lines.log_in(tmp_path_factory.mktemp("whole")), lines.log_in(tmp_path_factory.mktemp("followed"))
    for sample in range(8):
        whole.append(lines.done(110 + sample, sample))
    data, at, told = whole.path.read_bytes(), 0, []
    assert log.since(0) == ([], 0)
    log.path.parent.mkdir()
    for length in (*itertools.accumulate(steps), len(data)):  # the file grows by any number of bytes
        log.path.write_bytes(data[:length])
        entries, at = log.since(at)
        told += entries
    assert told == list(whole.read())
    assert at == len(data)
