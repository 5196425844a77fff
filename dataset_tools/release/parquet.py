"""The index as Parquet, for those who do not use this package. Needs pyarrow (extra `publish`)."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rigging.files import write_atomic

from ..load.index import SampleIndex

if TYPE_CHECKING:
    from pyarrow import DataType


def write_parquet(path: Path, index: SampleIndex) -> None:
    """Write the index's columns, one row a sample; the same index gives the same bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({name: pa.array(column.tolist(), _type(column)) for name, column in index.columns.items()})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    write_atomic(path, buffer.getvalue())


def _type(column: np.ndarray) -> DataType:
    import pyarrow as pa

    return pa.string() if column.dtype.kind == "U" else pa.from_numpy_dtype(column.dtype)
