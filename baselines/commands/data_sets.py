"""Data sets as commands name them: a path, or NAME:PATH for a real one in the layout it is published in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..config import Augment
    from ..data.source import Source
    from ..estimator import Estimator

SCORED = ("mask",)  # fields that only scores need
HELP = "folder of shards, a shard, a pack, or your own NAME:PATH, such as stb:/data/STB (docs/real_data.md)"


def open_data(
    spec: str, split: str, estimator: type[Estimator], augment: Augment | None = None, more: tuple[str, ...] = ()
) -> Source:
    """The samples of a split ("" for all), with what the estimator and the augmentation need, and `more` fields.

    Raises InputError.
    """
    from ..data.source import wanted_fields

    return open_fields(spec, split, wanted_fields((*estimator.fields, *more), augment))


def open_fields(spec: str, split: str, fields: Sequence[str]) -> Source:
    """The same with those fields of a release; real data sets give what they have. Raises InputError."""
    from ..adapters import ADAPTERS, open_real
    from ..data import opening

    name, colon, _ = spec.partition(":")
    if name in ADAPTERS or (colon and name.isalpha() and not Path(spec).exists()):  # what is no adapter is told so
        return open_real(spec, split)
    return opening.open_source(spec, split, fields)


def with_labels(source: Source, path: Path) -> Source:
    """The source with the pseudo labels of a file, and none of its own. Raises InputError, FileNotFoundError."""
    from ..data.label_file import load_labels
    from ..data.labels import PseudoLabelled

    return PseudoLabelled(source, load_labels(path))
