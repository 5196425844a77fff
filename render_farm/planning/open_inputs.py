"""A release's panoramas and photographs for those who render: the planned ones, which must still be what they were."""

from __future__ import annotations

from pathlib import Path

from blender_scripts.looks.backgrounds import PhotoFolder
from blender_scripts.looks.hdri import HdriLibrary, hdri_files
from dataset_tools.store.layout import ReleaseFolder

from ..errors import InputError
from .catalogue import PANORAMAS, PHOTOGRAPHS, Catalogue
from .keep_inputs import kept_inputs
from .plan import Plan
from .release import Release


def open_panoramas(path: Path, plan: Plan, release: Release) -> HdriLibrary | None:
    """The panoramas of the plan at `path`; None for Blender's own. Raises InputError."""
    if (found := _planned(path, plan, PANORAMAS, release.files.hdris)) is None:
        return HdriLibrary(hdri_files(release.files.hdris)) if release.files.hdris else None
    files = {name.stem: name for name in found.paths}
    return HdriLibrary(files, {path.stem: sha256 for path, sha256 in zip(found.paths, found.sha256s)})


def open_photographs(path: Path, plan: Plan, release: Release) -> PhotoFolder | None:
    """The photographs of the plan at `path`; None if it has none. Raises InputError."""
    if (found := _planned(path, plan, PHOTOGRAPHS, release.files.photos)) is None:
        return PhotoFolder.open(release.files.photos) if release.files.photos else None
    return PhotoFolder(found.paths, found.sha256s)


def _planned(path: Path, plan: Plan, kind: str, folder: str) -> Catalogue | None:
    """None where the plan does not tell: it has no such files, or is of an earlier version."""
    if kind in plan.files and not folder:
        raise InputError(f"{path}: it is not known where its {kind} lie: name the release's file, --release FILE.toml")
    return kept_inputs(ReleaseFolder(path.parent), plan, kind, folder)
