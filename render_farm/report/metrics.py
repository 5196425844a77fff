"""The status of a release as metrics of Prometheus, for node_exporter's textfile collector."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from rigging.files import write_atomic

from ..errors import InputError
from ..outcome import Cause
from .status import Status

Values = Mapping[str, float | None]  # None is not known, and left out


def save_metrics(status: Status, path: Path) -> None:
    """Write the metrics `mvhm_<name>` of `status`, all with the label `release`, to `path`, atomically.

    Raises InputError if that cannot be.
    """
    try:
        write_atomic(path, generate_latest(_Metrics(status)))
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error


@dataclass(frozen=True)
class _Metrics(Collector):
    status: Status

    def collect(self) -> Iterator[Metric]:
        """All metrics."""
        release = self.status.release
        for name, about, value in _single(self.status):
            yield _filled(GaugeMetricFamily(f"mvhm_{name}", about, labels=["release"]), {(release,): value})
        for kind, name, label, about, values in _by_label(self.status):
            labelled = {(release, key): value for key, value in values.items()}
            yield _filled(kind(f"mvhm_{name}", about, labels=["release", label]), labelled)


def _filled(metric: Metric, values: Mapping[tuple[str, ...], float | None]) -> Metric:
    for labels, value in values.items():
        if value is not None:
            metric.add_metric(labels, value)
    return metric


def _single(status: Status) -> Iterator[tuple[str, str, float | None]]:
    """Name, help and value."""
    images, crew = status.images, status.crew
    signs = [shard.seen for shard in status.begun if shard.seen is not None]
    yield "images_planned", "Images of all shards.", images.planned
    yield "images_done", "Images that are rendered.", images.done
    yield "images_left", "Images still to be rendered.", images.left
    yield "seconds_left", "Time left at the present speed.", status.speed.seconds_left
    yield "workers", "Workers at work.", crew.workers
    yield "hosts", "Hosts at work.", crew.hosts
    yield "worker_memory_max_bytes", "The most that a worker held.", crew.memory and crew.memory.megabytes * 1e6
    yield "sample_seconds_max", "The slowest sample.", status.slowest[0].seconds if status.slowest else None
    yield "problems", "Files in the folder that need a look.", len(status.problems)
    yield "last_sign_of_life_timestamp_seconds", "The newest event or heartbeat.", max(signs, default=None)
    yield "status_timestamp_seconds", "When this was written.", status.time


def _by_label(status: Status) -> Iterator[tuple[type[GaugeMetricFamily | CounterMetricFamily], str, str, str, Values]]:
    """Type, name, label, help, and the values by that label."""
    gauge, counter = GaugeMetricFamily, CounterMetricFamily
    rates = {"recent": status.speed.recent, "overall": status.speed.overall}
    aside = _all_causes(Counter(sample.cause for shard in status.begun for sample in shard.aside))
    failures, stops = (_all_causes({each.cause: each.count for each in t}) for t in (status.failures, status.stops))
    yield gauge, "shards", "state", "Shards by state.", status.states
    yield gauge, "images_per_second", "window", "Of the last minutes, and of all time spent rendering.", rates
    yield gauge, "samples_set_aside", "cause", "Samples given up for now, by cause.", aside
    yield counter, "sample_failures", "cause", "Attempts at a sample that failed.", failures
    yield counter, "stops", "cause", "Processes that ended before their shard was there.", stops
    yield counter, "workers_replaced", "cause", "Workers replaced by fresh ones.", status.crew.replaced


def _all_causes(counts: Mapping[str, int]) -> Values:
    """Zero for causes that did not occur, so that a series does not begin with its first failure."""
    return dict.fromkeys(Cause, 0) | dict(counts)
