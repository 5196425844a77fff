"""The folder of an export: one export at a time, resumed where it stopped, whole once `export.json` is there."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rigging.errors import InputError
from rigging.files import is_hidden, walk_files, write_atomic

BEGUN, WHOLE, PARTS = ".export-begun.json", "export.json", ".parts"
VERSION = 1  # of what exports look like; another one begins anew


def begin(folder: Path, request: Mapping[str, Any]) -> bool:
    """Make `folder` ready for an export of `request`; returns whether it is there already, whole.

    What an interrupted run of the same request left is kept. Raises InputError for a folder that holds anything else.
    """
    request = {"version": VERSION, **request}
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out {folder}: a file is there; a folder is wanted")
    for name in (WHOLE, BEGUN):
        if (folder / name).is_file():
            _require_same(folder, name, request)
            return name == WHOLE
    if folder.is_dir() and any(not is_hidden(Path(name)) for name in os.listdir(folder)):
        raise InputError(f"--out {folder}: holds something else; a new or empty folder is wanted")
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(folder / BEGUN, _json(request))
    return False


def seal(folder: Path, request: Mapping[str, Any], facts: Mapping[str, Any]) -> Path:
    """Write `export.json`, after which the export is whole: what was asked, `facts`, and every file's size."""
    shutil.rmtree(folder / PARTS, ignore_errors=True)
    files = {path.relative_to(folder).as_posix(): path.stat().st_size for path in walk_files(folder)}
    write_atomic(folder / WHOLE, _json({"version": VERSION, **request, **facts, "files": files}))
    (folder / BEGUN).unlink(missing_ok=True)
    return folder / WHOLE


def put(path: Path, data: bytes) -> None:
    """Write a file of an export, whole or not at all, in a folder that is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, data)


def _require_same(folder: Path, name: str, request: Mapping[str, Any]) -> None:
    try:
        there = json.loads((folder / name).read_bytes())
        same = {key: there[key] for key in request} == dict(request)
    except (ValueError, KeyError, TypeError):
        raise InputError(
            f"{folder / name}: damaged or from elsewhere; delete the folder, or choose another --out"
        ) from None
    if not same:
        told = ", ".join(key for key in request if there[key] != request[key])
        raise InputError(f"--out {folder}: holds an export that differs in {told}; delete it, or choose another --out")


def _json(values: Mapping[str, Any]) -> bytes:
    return (json.dumps(values, indent=1, ensure_ascii=False) + "\n").encode()
