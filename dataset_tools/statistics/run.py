"""All statistics of a folder of shards: the table and the plots."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..store.layout import ReleaseFolder
from ..store.quoted import shards_hash
from .collect import collect
from .photographs import measure_photographs
from .plots import plot_angles, plot_cameras, plot_poses
from .plots_of_views import plot_looks, plot_people, plot_pictures, plot_views
from .poses import USUAL_REFERENCE, read_reference
from .table import statistics_table


@dataclass(frozen=True)
class Request:
    """What is asked for."""

    data: Path
    photographs: Path | None = None  # a folder
    poses: str = USUAL_REFERENCE
    pictures: int = 4000  # of the release that are measured, about, at most


def statistics(request: Request) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The table, and the plots by name as PNG. Raises InputError, PoseError, FileNotFoundError, ShardError.

    References are read first: what is wrong with them shows before the long pass.
    """
    reference = read_reference(request.poses)
    photographs = measure_photographs(request.photographs) if request.photographs else None
    hashed = shards_hash(ReleaseFolder(request.data))
    found = collect(request.data, request.pictures)
    table = {"data_hash": hashed, **statistics_table(found, reference, photographs)}
    return table, {
        "angles": plot_angles(table), "poses": plot_poses(found, reference), "cameras": plot_cameras(found),
        "people": plot_people(table), "looks": plot_looks(table), "views": plot_views(table),
        "pictures": plot_pictures(found.pictures, photographs, "pictures of the release"),
    }  # fmt: skip
