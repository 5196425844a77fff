"""The release that a plan was made of, read back from the plan."""

from __future__ import annotations

import json
from pathlib import Path

from rigging.settings import from_table

from ..errors import InputError
from .release import Release


def planned_release(text: str, path: Path) -> Release:
    """The release whose canonical JSON is `text`, from the plan at `path`. Raises InputError if it cannot be read."""
    release = from_table(Release, json.loads(text, object_hook=_without_none), str(path))
    if text not in (release.to_json(), release.to_json(paths=True)):
        raise InputError(f"{path}: planned by another version of this program")
    return release


def _without_none(table: dict[str, object]) -> dict[str, object]:
    """A table as TOML would have it, which knows no null: what is None is left to the default."""
    return {key: value for key, value in table.items() if value is not None}
