"""What a release's files held when it was planned, kept in its folder: to render from, and to name what changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from blender_scripts.looks.backgrounds import PhotoFolder
from blender_scripts.looks.hdri import HdriLibrary, hdri_files
from dataset_tools.store.layout import ReleaseFolder
from rigging.files import write_atomic

from ..errors import InputError
from .catalogue import PANORAMAS, PHOTOGRAPHS, Catalogue
from .plan import Plan
from .release import Release
from .release_tables import FileSettings


def keep_inputs(files: ReleaseFolder, plan: Plan, release: Release, inputs: Mapping[str, Catalogue]) -> None:
    """Write the catalogues that `plan` was made from, and where the files lie here, unless they are there."""
    if not inputs or not plan.files:
        return
    places = {name: str(Path(path).absolute()) for name, path in vars(release.files).items() if path}
    contents = {files.inputs(kind): catalogue.to_bytes() for kind, catalogue in inputs.items()}
    contents[files.places] = json.dumps(places, sort_keys=True).encode()
    files.places.parent.mkdir(parents=True, exist_ok=True)
    for path, data in contents.items():
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

    It has no such files then, or is of an earlier version. Raises InputError if the list is lost or not that of the
    plan, or without a `root`.
    """
    if kind not in plan.files:
        return None
    if not root:
        raise InputError(
            f"{files.plan}: it is not known where its {kind} lie: name the release's file, --release FILE.toml"
        )
    path = files.inputs(kind)
    try:
        catalogue = Catalogue.from_bytes(kind, Path(root), path.read_bytes())
    except (FileNotFoundError, ValueError):
        catalogue = None
    if catalogue is None or catalogue.digest != plan.files[kind]["sha256"]:
        raise InputError(f"{path}: not there, or not of {files.plan.name}: render a shard again, which writes it")
    return catalogue


def open_panoramas(files: ReleaseFolder, plan: Plan, folder: str) -> HdriLibrary | None:
    """The panoramas of `plan`, which lie in `folder`; None for Blender's own. Raises InputError."""
    if (kept := kept_inputs(files, plan, PANORAMAS, folder)) is None:
        return HdriLibrary(hdri_files(folder)) if folder else None
    sha256s = dict(zip(kept.paths, kept.sha256s))
    return HdriLibrary({path.stem: path for path in sha256s}, {path.stem: sha256s[path] for path in sha256s})


def open_photographs(files: ReleaseFolder, plan: Plan, folder: str) -> PhotoFolder | None:
    """The photographs of `plan`, which lie in `folder`; None if it has none. Raises InputError."""
    if (kept := kept_inputs(files, plan, PHOTOGRAPHS, folder)) is None:
        return PhotoFolder.open(folder) if folder else None
    return PhotoFolder(kept.paths, kept.sha256s)
