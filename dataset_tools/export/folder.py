"""The folder of an export: one export at a time, resumed where it stopped, whole once `export.json` is there."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rigging.errors import InputError
from rigging.files import atomic_file, is_hidden, walk_files, write_atomic

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
            there = _require_same(folder, name, request)
            if name == WHOLE:
                _require_files(folder, there["files"])
            _remove_leftovers(folder)
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
    """Write one of many files of a part, whole or not at all; they are flushed together, before their part counts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path, flush=False) as file:
        file.write(data)


def _require_same(folder: Path, name: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """What is told of the export in `folder`, which has to be of the same request."""
    try:
        there = json.loads((folder / name).read_bytes())
        differs = [key for key in request if there[key] != request[key]]
        whole = name != WHOLE or isinstance(there["files"], dict)
    except (ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise InputError(f"{folder / name}: damaged or from elsewhere; delete the folder, or choose another --out")
    if differs:
        told = ", ".join(differs)
        raise InputError(f"--out {folder}: holds an export that differs in {told}; delete it, or choose another --out")
    return there


def _remove_leftovers(folder: Path) -> None:
    """Remove what a killed run was writing."""
    for path in folder.rglob(".*.tmp"):
        path.unlink(missing_ok=True)


def _require_files(folder: Path, files: Mapping[str, int]) -> None:
    """Raise InputError where a file of a whole export is missing, or of another size."""
    for name, size in files.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != size:
            raise InputError(f"{path}: missing or changed since it was exported; delete the folder, and export again")


def _json(values: Mapping[str, Any]) -> bytes:
    return (json.dumps(values, indent=1, ensure_ascii=False) + "\n").encode()
