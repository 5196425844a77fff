"""Releases that mvhm 0.2 began when it knew files by their paths: they can be finished where the bytes are the same."""

from __future__ import annotations

import json
import os
from pathlib import Path

from blender_scripts.looks.backgrounds import PHOTO_SUFFIXES
from rigging.files import file_sha256, is_hidden
from rigging.hand.asset import DEFAULT_ASSET

from ..files import digest
from .plan import Plan
from .release import Release, pathless

POSE_SUFFIXES = (".json", ".mat", ".npz", ".npy")
MOST = 2000  # files of a folder that were looked at


def is_earlier(plan: Plan) -> bool:
    """Whether a plan names files by their paths."""
    values = json.loads(plan.release)
    return values != pathless(values)


def agrees(plan: Plan, release: Release) -> bool:
    """Whether `plan` is such a plan, of these very files at these paths, and rendering from it gives the same bytes."""
    if not is_earlier(plan) or plan.release != release.to_json(paths=True):
        return False
    folders = [Path(folder) for folder in (release.files.hdris, release.files.photos) if folder]
    return all(map(_all_seen, folders)) and plan.inputs == _key(release, folders)


def _key(release: Release, folders: list[Path]) -> str:
    path = release.poses.source.partition("?")[0].partition(":")[2]
    return digest(
        "plan 2 schema 1",
        release.to_json(paths=True),
        _fingerprint(Path(path), POSE_SUFFIXES) if path else "no pose files",
        file_sha256(DEFAULT_ASSET),
        *map(_fingerprint, folders),
    )


def _fingerprint(path: Path, suffixes: tuple[str, ...] = ()) -> str:
    """sha256 of a file, or of the first files (with these suffixes) of a folder in order of name."""
    if path.is_file():
        return file_sha256(path)
    files = [item for item in _walk(path) if not suffixes or item.suffix in suffixes][:MOST]
    return digest(*(f"{item.relative_to(path).as_posix()} {file_sha256(item)}" for item in files))


def _all_seen(folder: Path) -> bool:
    """Whether all files were looked at, and none of them was taken for a picture that is not any more."""
    files = _walk(folder)
    pictures = (file for file in files if file.suffix.lower() in (*PHOTO_SUFFIXES, ".exr", ".hdr"))
    return len(files) <= MOST and not any(is_hidden(file.relative_to(folder)) for file in pictures)


def _walk(folder: Path) -> list[Path]:
    found = []
    for name, folders, files in os.walk(folder):
        folders.sort()
        found += [Path(name, file) for file in sorted(files)]
    return found
