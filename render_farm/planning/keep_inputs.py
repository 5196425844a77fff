"""What a release's files held when it was planned, kept in its folder: to render from, and to name what changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from dataset_tools.store.layout import ReleaseFolder
from rigging.files import write_atomic

from ..errors import InputError
from .catalogue import Catalogue
from .plan import Plan
from .release import FileSettings, Release


def keep_inputs(files: ReleaseFolder, plan: Plan, release: Release, inputs: Mapping[str, Catalogue]) -> None:
    """Write the catalogues that `plan` was made from, and where the files lie here, unless they are there."""
    if not inputs or not plan.files:
        return
    files.places.parent.mkdir(parents=True, exist_ok=True)
    for kind, catalogue in inputs.items():
        _write(files.inputs(kind), catalogue.to_bytes())
    places = {name: str(Path(path).absolute()) for name, path in vars(release.files).items() if path}
    _write(files.places, json.dumps(places, sort_keys=True).encode())


def _write(path: Path, data: bytes) -> None:
    if not path.exists() or path.read_bytes() != data:
        write_atomic(path, data)


def kept_places(files: ReleaseFolder) -> FileSettings:
    """Where the release's folders lay when a shard was last begun; "" where that is not known."""
    try:
        return FileSettings(**json.loads(files.places.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return FileSettings()


def kept_inputs(files: ReleaseFolder, plan: Plan, kind: str, root: str) -> Catalogue | None:
    """The files of a kind that `plan` was made from, as they lie in `root`; None if the plan does not tell.

    Raises InputError if the list is lost or not that of the plan.
    """
    if kind not in plan.files:
        return None
    path = files.inputs(kind)
    try:
        catalogue = Catalogue.from_bytes(kind, Path(root), path.read_bytes())
    except (FileNotFoundError, ValueError):
        catalogue = None
    if catalogue is None or catalogue.digest != plan.files[kind]["sha256"]:
        raise InputError(f"{path}: not there, or not of {files.plan.name}: render a shard again, which writes it")
    return catalogue
