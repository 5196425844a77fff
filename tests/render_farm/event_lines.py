"""Entries of event logs at times that a test chooses, and hypothesis' strategies for logs."""

from __future__ import annotations

from hypothesis import strategies as st

from dataset_tools.store.incomplete import Quarantined
from render_farm.shard.events import Begin, Done, Entry, Event, EventLog, Fault, Finish, Recycle, Retry, Start, Stop

SHARD, PID = 7, 11


def log_in(folder) -> EventLog:
    """The log of shard 7."""
    return EventLog.of(folder, SHARD)


def at(time: float, event: Event, host: str = "n1") -> Entry:
    return Entry(time, host, PID, event)


def start(time: float, staged: int = 0, samples: int = 8, configuration: str = "a") -> Entry:
    return at(time, Start(samples, 2, staged, 2, 2, "cpu", "", configuration))


def begin(time: float, sample: int, worker: int = 0) -> Entry:
    return at(time, Begin(sample, worker))


def done(time: float, sample: int, seconds: float = 10.0, megabytes: float = 500, host: str = "n1") -> Entry:
    return at(time, Done(sample, 0, seconds, megabytes), host)


def fault(time: float, sample: int, cause: str, reason: str = "", attempt: int = 1) -> Entry:
    return at(time, Fault(sample, 0, cause, reason, attempt))


def quarantine(time: float, sample: int, cause: str = "crash", reason: str = "SIGSEGV", attempts: int = 3) -> Entry:
    return at(time, Quarantined(sample, SHARD, cause, reason, 5, attempts, f"render {sample}"))


samples = st.integers(0, 7)
events = st.one_of(
    st.builds(Done, samples, st.just(0), st.floats(0, 100), st.just(1.0)),
    st.builds(Begin, samples, st.just(0)),
    st.builds(Fault, samples, st.just(0), st.sampled_from(["crash", "lost"]), st.just("r"), st.just(1)),
    samples.map(lambda sample: quarantine(0, sample).event),
    st.builds(Retry, st.lists(samples).map(tuple)),
    st.sampled_from([Finish(1, "0"), Stop("error", "r"), Recycle(0, "memory", 3.0)]),
)
entries = st.lists(events, max_size=40).map(lambda told: [at(100.0 + k, event) for k, event in enumerate(told)])
