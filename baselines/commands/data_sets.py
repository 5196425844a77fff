"""Data sets as commands name them: a path, or NAME:PATH for a real one in the layout it is published in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..config import Augment
    from ..data.source import Source
    from ..estimator import Estimator

SCORED = ("mask",)  # fields that only scores need
HELP = "folder of shards, a shard, a pack, or your own stb:PATH or mhp:PATH"


def open_data(
    spec: str, split: str, estimator: type[Estimator], augment: Augment | None = None, more: tuple[str, ...] = ()
) -> Source:
    """The samples of a split ("" for all), with what the estimator and the augmentation need, and `more` fields.

    Raises InputError.
    """
    from ..adapters import ADAPTERS, open_real
    from ..data import opening
    from ..data.source import wanted_fields

    if spec.partition(":")[0] in ADAPTERS:
        return open_real(spec, split)
    return opening.open_source(spec, split, wanted_fields((*estimator.fields, *more), augment))
