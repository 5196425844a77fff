"""The release that a plan was made of, read back from the plan."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rigging.settings import from_table

from ..errors import InputError
from .release import Release


def planned_release(text: str, path: Path) -> Release:
    """The release whose canonical JSON is `text`, from the plan at `path`. Raises InputError if it cannot be read."""
    release = from_table(Release, _without_none(json.loads(text)), str(path))
    if text not in (release.to_json(), release.to_json(paths=True)):
        raise InputError(f"{path}: planned by another version of this program")
    return release


def _without_none(value: Any) -> Any:
    """A table as TOML would have it, which knows no null: what is None is left to the default."""
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return value
