"""The status of a release as metrics of Prometheus, for node_exporter's textfile collector."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from rigging.files import write_atomic

from ..errors import InputError
from ..outcome import Cause
from .status import Status

Values = Mapping[str, float | None] | float | None  # by label, or one; None is not known, and left out


def save_metrics(status: Status, path: Path) -> None:
    """Write the metrics `mvhm_<name>` of `status`, all with the label `release`, to `path`, atomically.

    Raises InputError if that cannot be.
    """
    families = [_family(status.release, *told) for told in _metrics(status)]
    try:
        write_atomic(path, generate_latest(SimpleNamespace(collect=lambda: families)))
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error


def _family(release: str, kind: type[Metric], name: str, about: str, values: Values, *label: str) -> Metric:
    metric = kind(f"mvhm_{name}", about, labels=["release", *label])
    for key, value in (values if label else {None: values}).items():
        if value is not None:
            metric.add_metric([release, key] if label else [release], value)
    return metric


def _metrics(status: Status) -> Iterator[tuple]:
    """Type, name, help, value or values, and the label of several."""
    images, crew, gauge, counter = status.images, status.crew, GaugeMetricFamily, CounterMetricFamily
    signs = [shard.seen for shard in status.begun if shard.seen is not None]
    rates = {"recent": status.speed.recent, "overall": status.speed.overall}
    aside = _all_causes(Counter(sample.cause for shard in status.begun for sample in shard.aside))
    failures, stops = (_all_causes({each.cause: each.count for each in t}) for t in (status.failures, status.stops))
    yield gauge, "images_planned", "Images of all shards.", images.planned
    yield gauge, "images_done", "Images that are rendered.", images.done
    yield gauge, "images_left", "Images still to be rendered.", images.left
    yield gauge, "seconds_left", "Time left at the present speed.", status.speed.seconds_left
    yield gauge, "workers", "Workers at work.", crew.workers
    yield gauge, "hosts", "Hosts at work.", crew.hosts
    yield gauge, "worker_memory_max_bytes", "The most that a worker held.", crew.memory and crew.memory.megabytes * 1e6
    yield gauge, "sample_seconds_max", "The slowest sample.", status.slowest[0].seconds if status.slowest else None
    yield gauge, "problems", "Files in the folder that need a look.", len(status.problems)
    yield gauge, "last_sign_of_life_timestamp_seconds", "The newest event or heartbeat.", max(signs, default=None)
    yield gauge, "status_timestamp_seconds", "When this was written.", status.time
    yield gauge, "shards", "Shards by state.", status.states, "state"
    yield gauge, "images_per_second", "Of the last minutes, and of all time spent rendering.", rates, "window"
    yield gauge, "samples_set_aside", "Samples given up for now, by cause.", aside, "cause"
    yield counter, "sample_failures", "Attempts at a sample that failed.", failures, "cause"
    yield counter, "stops", "Processes that ended before their shard was there.", stops, "cause"
    yield counter, "workers_replaced", "Workers replaced by fresh ones.", status.crew.replaced, "cause"


def _all_causes(counts: Mapping[str, int]) -> Mapping[str, int]:
    """Zero for causes that did not occur, so that a series does not begin with its first failure."""
    return dict.fromkeys(Cause, 0) | counts
