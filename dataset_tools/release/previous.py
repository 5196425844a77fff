"""The version that was published in a folder before, and how it is set out of the way."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rigging.errors import InputError
from rigging.files import file_sha256, sync_folder

from ..load.index import SampleIndex, read_index
from ..store.layout import ReleaseFolder
from ..store.release_manifest import listed, read_sealed_manifest


@dataclass(frozen=True)
class Previous:
    """The manifest of the version before, its index where that is still at hand, and the changelog so far."""

    manifest: dict[str, Any]
    index: SampleIndex | None
    changelog: str

    @property
    def version(self) -> str:
        return self.manifest["version"]


def find_previous(folder: ReleaseFolder, elsewhere: Path | None = None) -> Previous | None:
    """The version before: that in the folder `elsewhere`, else the one published there; None if there is none.

    A run that was interrupted has set its manifest aside. Raises InputError where `elsewhere` is no release.
    """
    if elsewhere is not None:
        folder = ReleaseFolder(elsewhere)
        if not folder.release_manifest.is_file():
            raise InputError(f"--previous {elsewhere}: no manifest.json there, so it is no published release")
    waiting = ReleaseFolder(folder.previous)
    paths = [path for path in (folder.release_manifest, waiting.release_manifest) if path.exists()]
    if not paths:
        return None
    manifest = read_sealed_manifest(paths[0])
    wanted = listed(manifest).get(folder.index.name, (0, ""))[1]
    indices = [path for path in (folder.index, waiting.index) if path.is_file() and file_sha256(path) == wanted]
    return Previous(manifest, read_index(indices[0]) if indices else None, read_changelog(folder))


def read_changelog(folder: ReleaseFolder) -> str:
    """The changelog so far, "" for none. Raises InputError where it is no text."""
    try:
        return folder.changelog.read_text(encoding="utf-8") if folder.changelog.exists() else ""
    except UnicodeDecodeError:
        raise InputError(f"{folder.changelog}: not a text in UTF-8; move it away") from None


def set_aside(folder: ReleaseFolder) -> None:
    """Move the manifest away first, so that from now on nothing looks finished, then the index it is compared by."""
    if folder.release_manifest.exists():
        shutil.rmtree(folder.previous, ignore_errors=True)
        folder.previous.mkdir()
        _move(folder.release_manifest, folder.previous)
        if folder.index.exists():
            _move(folder.index, folder.previous)


def _move(path: Path, folder: Path) -> None:
    os.replace(path, folder / path.name)
    sync_folder(folder)
    sync_folder(path.parent)


def forget(folder: ReleaseFolder) -> None:
    """The next version is there: what was set aside goes."""
    shutil.rmtree(folder.previous, ignore_errors=True)
