"""The status of a release in Prometheus' text format (version 0.0.4), for node_exporter's textfile collector."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from rigging.files import write_atomic

from ..errors import InputError
from ..outcome import Cause
from ..planning.release import Release
from .figures import Trouble
from .status import Status, read_status


class Metric(NamedTuple):
    """A metric `mvhm_<name>`, with one value (None: not known, left out) or one per value of `label`."""

    name: str
    kind: str  # "gauge" or "counter"
    about: str
    values: Mapping[str, float | None]
    label: str = ""


def write_metrics(folder: Path, path: Path, release: Release | None = None) -> None:
    """Write the metrics of the release in `folder` to `path`, atomically; see `status.read_status` for `release`.

    Raises InputError if `path` cannot be written.
    """
    save_metrics(read_status(folder, release), path)


def save_metrics(status: Status, path: Path) -> None:
    """Write the metrics of `status` to `path`, atomically. Raises InputError if that cannot be."""
    try:
        write_atomic(path, metrics_text(status).encode())
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error


def metrics_text(status: Status) -> str:
    """All metrics, each with the label `release`."""
    return "".join(f"{line}\n" for metric in _metrics(status) for line in _lines(metric, status.release))


def _metrics(status: Status) -> Iterator[Metric]:
    images, speed, crew = status.images, status.speed, status.crew
    aside = Counter(aside.cause for shard in status.begun for aside in shard.aside)
    held = crew.memory.megabytes * 1e6 if crew.memory is not None else None
    seen = max((shard.seen for shard in status.begun if shard.seen is not None), default=None)
    yield Metric("shards", "gauge", "Shards by state.", status.states, "state")
    yield _one("images_planned", "Images of all shards.", images.planned)
    yield _one("images_done", "Images that are rendered.", images.done)
    yield _one("images_left", "Images still to be rendered.", images.left)
    rates = {"recent": speed.recent, "overall": speed.overall}
    yield Metric("images_per_second", "gauge", "Of the last minutes, and of all time spent rendering.", rates, "window")
    yield _one("seconds_left", "Time left at the present speed.", speed.seconds_left)
    yield _one("workers", "Workers at work.", crew.workers)
    yield _one("hosts", "Hosts at work.", crew.hosts)
    yield _one("worker_memory_max_bytes", "The most that a worker held.", held)
    yield _one("sample_seconds_max", "The slowest sample.", status.slowest[0].seconds if status.slowest else None)
    yield Metric("samples_set_aside", "gauge", "Samples given up for now, by cause.", _all_causes(aside), "cause")
    failures = _all_causes(_counts(status.failures))
    yield Metric("sample_failures_total", "counter", "Attempts at a sample that failed.", failures, "cause")
    stops = _all_causes(_counts(status.stops))
    yield Metric("stops_total", "counter", "Processes that ended before their shard was there.", stops, "cause")
    yield Metric("workers_replaced_total", "counter", "Workers replaced by fresh ones.", crew.replaced, "cause")
    yield _one("problems", "Files in the folder that need a look.", len(status.problems))
    yield _one("last_sign_of_life_timestamp_seconds", "The newest event or heartbeat.", seen)
    yield _one("status_timestamp_seconds", "When this was written.", status.time)


def _one(name: str, about: str, value: float | None) -> Metric:
    return Metric(name, "gauge", about, {"": value})


def _counts(troubles: Iterable[Trouble]) -> dict[str, int]:
    return {trouble.cause: trouble.count for trouble in troubles}


def _all_causes(counts: Mapping[str, int]) -> dict[str, float | None]:
    """Zero for causes that did not occur, so that a series does not begin with its first failure."""
    return dict.fromkeys(Cause, 0) | dict(counts)


def _lines(metric: Metric, release: str) -> Iterator[str]:
    yield f"# HELP mvhm_{metric.name} {metric.about}"
    yield f"# TYPE mvhm_{metric.name} {metric.kind}"
    for value, number in metric.values.items():
        if number is not None:
            label = f',{metric.label}="{_escaped(value)}"' if metric.label else ""
            yield f'mvhm_{metric.name}{{release="{_escaped(release)}"{label}}} {float(number)!r}'


def _escaped(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
