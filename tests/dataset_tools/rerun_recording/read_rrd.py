"""Run by the Python of Rerun's environment: a recording as arrays, `read_rrd.py FILE.rrd FILE.npz`.

Keys are `TIMELINE=NUMBER|PATH|COMPONENT`, or `static|PATH|COMPONENT`; values are as Arrow holds them, lists unrolled.
"""

from __future__ import annotations

import sys

import numpy as np
import pyarrow as pa
from rerun.chunk import Chunk, RrdReader

TIMELINES = ("frame", "sample", "clip")


def value_of(value: pa.Scalar) -> np.ndarray:
    """One row of a component (...): its innermost numbers in a row, or its texts."""
    array = value.values
    while pa.types.is_list(array.type) or pa.types.is_fixed_size_list(array.type) or pa.types.is_large_list(array.type):
        array = array.flatten()
    if pa.types.is_struct(array.type) or pa.types.is_union(array.type):
        return np.array(repr(array.to_pylist()))
    return np.asarray(array.to_pylist() if pa.types.is_string(array.type) else array.to_numpy(zero_copy_only=False))


def rows(chunk: Chunk) -> dict[str, np.ndarray]:
    """Everything in a chunk."""
    batch, found = chunk.to_record_batch(), {}
    times = {name: batch.column(name).to_pylist() for name in TIMELINES if name in batch.schema.names}
    for name in batch.schema.names:
        if ":" not in name:
            continue
        for row in range(batch.num_rows):
            if not batch.column(name)[row].is_valid:
                continue
            value = value_of(batch.column(name)[row])
            for key in [f"{line}={numbers[row]}" for line, numbers in times.items()] or ["static"]:
                found[f"{key}|{chunk.entity_path}|{name}"] = value
    return found


def main(recording: str, out: str) -> None:
    reader = RrdReader(recording)
    found = {"blueprints": np.array(len(reader.blueprints())), "recordings": np.array(len(reader.recordings()))}
    for chunk in reader.stream().to_chunks():
        found |= rows(chunk)
    np.savez(out, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
