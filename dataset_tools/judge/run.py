"""What an outside detector makes of a folder of shards: table, page, plots, and what it found view by view."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rigging.files import write_atomic

from ..statistics.collect import Collected, collect
from ..store.layout import ReleaseFolder
from ..store.quoted import JUDGE, shards_hash, write_quoted
from .look import Seen, count_photographs, look
from .page import page
from .plots import plots_of
from .table import judge_table

PAGE, VIEWS = "judge.md", "views.npz"


@dataclass(frozen=True)
class Request:
    """What is asked for."""

    data: Path
    photographs: Path | None = None  # a folder
    workers: int = 1


def judge(request: Request, target: Path) -> dict[str, Any]:
    """Write all of it to the folder `target`, the table last, and return the table.

    Raises InputError, FileNotFoundError, ShardError, PassingError.
    """
    folder = ReleaseFolder(request.data)
    hashed = shards_hash(folder)
    photographs = count_photographs(request.photographs) if request.photographs else None
    seen, labels = look(request.data, request.workers), collect(request.data, 1)
    table = {"data_hash": hashed, **judge_table(seen, labels, photographs)}
    write_atomic(target / VIEWS, views_bytes(seen, labels))
    write_atomic(target / PAGE, page(table).encode())
    write_quoted(JUDGE, target / folder.judge_table.name, table, plots_of(request.data, table, seen, labels))
    return table


def views_bytes(seen: Seen, labels: Collected) -> bytes:
    """What was found, as npz: shard, row (S,); points, expected (S, V, 21, 2) px; score, side, box_px (S, V)."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer, shard=labels.index["shard"], row=labels.index["row"], points=seen.points.astype(np.float32),
        expected=seen.expected.astype(np.float32), score=seen.score.astype(np.float32), side=seen.side,
        box_px=labels.hand_size,
    )  # fmt: skip
    return buffer.getvalue()
