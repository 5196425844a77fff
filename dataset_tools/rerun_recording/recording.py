"""Writing a recording of chosen samples of a release."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import psutil
import rerun as rr

from rigging.files import write_atomic

from ..load.dataset import HandDataset
from ..progress import Progress
from ..store.shard_file import ShardFile
from .chosen import choose, place_of, require_memory
from .entities import lasting_entities, sample_entities
from .layout import first_look
from .span import Span
from .views import blueprint

log = logging.getLogger(__name__)

APPLICATION = "mvhm"
CHUNK_SAMPLES = 8  # that are kept together; chunks are never cut by time, so that a recording is the same every time


def write_recording(data: Path, out: Path | None = None, samples: Span | None = None, split: str | None = None) -> Path:
    """Write the samples first to last (of a split) of a shard or folder of shards `data`; returns the file's path.

    The timelines are `frame` (0, 1, 2, ... in the order of the release: poses of a pair or clip follow each other),
    `sample` (its number in the release) and `clip`. All of the recording is in memory before it is written, as it is in
    the viewer. Raises FileNotFoundError, ShardError, InputError without such samples or for a bad `out`, OSError.
    """
    path = place_of(data, out)
    dataset, chosen = choose(data, samples, split)
    if len(chosen) < len(dataset):
        log.info("%d of %d samples", len(chosen), len(dataset))
    require_memory(len(chosen), dataset.sizes, psutil.virtual_memory().available)
    write_atomic(path, recorded(dataset, chosen))
    return path


def recorded(dataset: HandDataset, chosen: Sequence[int]) -> bytes:
    """The recording of the samples at positions `chosen` of `dataset`, as `choose` gives them."""
    rr.set_strict_mode(True)  # or rerun makes warnings of exceptions, and of what signals raise
    stream = new_stream(dataset, chosen)
    buffer = stream.binary_stream()
    stream.set_log_time_enabled(False)
    with Progress("rerun", len(chosen), "sample") as progress:
        for path, entity in lasting_entities(dataset.sizes["V"]):
            stream.log(path, entity, static=True)
        for frame, (sample, pictures) in enumerate(_read(dataset, chosen)):
            if frame == 0:
                stream.send_blueprint(_opened_on(sample))
            for timeline, number in times(frame, sample["meta"]).items():
                stream.set_time(timeline, sequence=number)
            for path, entity in sample_entities(sample, pictures, dataset):
                stream.log(path, entity)
            if frame % CHUNK_SAMPLES == CHUNK_SAMPLES - 1:
                stream.flush()
            progress.add(1)
    return buffer.read() or b""


def new_stream(dataset: HandDataset, chosen: Sequence[int]) -> rr.RecordingStream:
    """An empty recording, named after the release; its id is one of these samples."""
    attrs = dataset.attrs
    what = [attrs["release"], attrs["configuration_hash"], *dataset.index["sample"][list(chosen)].tolist()]
    batches = rr.ChunkBatcherConfig.NEVER()
    name = hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32]
    return rr.RecordingStream(APPLICATION, recording_id=name, send_properties=False, batcher_config=batches)


def times(frame: int, meta: dict[str, Any]) -> dict[str, int]:
    """Where a sample is on each timeline."""
    return {"frame": frame, "sample": meta["sample"], "clip": meta["pair"]}


def _read(dataset: HandDataset, chosen: Sequence[int]) -> Iterator[tuple[dict[str, Any], tuple[bytes, ...]]]:
    """Samples, each with its JPEG streams."""
    places = [(position, *dataset.locate(position)) for position in chosen]
    for path, group in groupby(places, key=itemgetter(1)):
        with ShardFile(path) as shard:
            for position, _, row in group:
                yield dataset[position], shard.streams(row)
    dataset.close()


def _opened_on(sample: dict[str, Any]) -> Any:
    """The layout, opened before the hand of a sample."""
    return blueprint(*first_look(sample["world_to_cam"], sample["vertices_world"].mean(0)), len(sample["K"]))
