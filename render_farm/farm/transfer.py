"""A finished shard on its way into another folder: in chunks, checked against its manifest, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.shard_file import ShardError, ShardFile
from dataset_tools.store.shard_state import State, file_state
from rigging.files import file_sha256, write_atomic

from ..errors import DamagedError, InputError, writing
from ..files import chunks, read_chunk, write_checked
from ..lock import Lock
from ..outcome import Result


@dataclass(frozen=True)
class Package:
    """All of a finished shard but its bytes, which are at `path`."""

    path: Path
    shard: int
    configuration: str  # JSON, as in the file
    manifest: dict[str, Any]
    sheet: bytes | None  # its contact sheet
    events: bytes  # its log


def pack(path: Path) -> Package:
    """The package of the finished shard at `path`. Raises DamagedError if it is none at first sight."""
    files, shard = ReleaseFolder(path.parent), file_state(path)
    if shard.state is not State.WHOLE:
        raise DamagedError(f"{path}: {shard.reason or shard.state}")
    try:
        with ShardFile(path) as opened:
            configuration = str(opened.attrs["configuration"])
        sheet, events = bytes_of(files.sheet(shard.shard)), bytes_of(files.events(shard.shard))
    except (ShardError, KeyError) as error:
        raise DamagedError(str(error)) from error
    except OSError as error:
        raise DamagedError(f"{error.filename}: cannot be read: {error.strerror or error}") from error
    return Package(path, shard.shard, configuration, shard.manifest, sheet or None, events)


def is_stored(package: Package, folder: Path) -> bool:
    """Whether the shard is in `folder`, whole by its manifest and size.

    Raises InputError if there is another file of its name; one without manifest is read.
    """
    path = ReleaseFolder(folder).shard(package.shard)
    stored = file_state(path)
    if stored.size is None:
        return False
    sha256 = file_sha256(path) if stored.manifest is None else stored.manifest["sha256"]
    if sha256 == package.manifest["sha256"] and stored.size == package.manifest["bytes"]:
        return stored.state is State.WHOLE
    raise InputError(
        f"{path}: is there with other bytes (sha256 {sha256[:12]}, the new one's is "
        f"{package.manifest['sha256'][:12]}): move one of them away"
    )


def store(package: Package, data: Iterable[bytes], folder: Path) -> bool:
    """Put a shard into the release's `folder`, from the chunks `data` of its bytes; False if it was there already.

    The manifest comes last; whatever happens before, nothing is half there. Raises DamagedError (the bytes are not
    the manifest's), InputError (other bytes are there), LockedError (it is being rendered there), DiskFullError.
    """
    files, shard = ReleaseFolder(folder), package.shard
    with writing(folder):
        files.locks.mkdir(parents=True, exist_ok=True)
        with Lock(files.lock(shard)):
            if is_stored(package, folder):
                return False
            write_checked(files.shard(shard), data, package.manifest["sha256"])
            if package.sheet is not None:
                write_atomic(files.sheet(shard), package.sheet)
            add_events(folder, shard, package.events)
            manifest = json.dumps(package.manifest, indent=2, sort_keys=True) + "\n"
            write_atomic(files.manifest(shard), manifest.encode())
    return True


def remove(files: ReleaseFolder, shard: int) -> None:
    """Delete a shard that is stored elsewhere, with what belongs to it."""
    for path in (files.manifest(shard), files.shard(shard), files.sheet(shard), files.events(shard)):
        path.unlink(missing_ok=True)


def fetch(ask: Callable[..., Any], source: ReleaseFolder, target: ReleaseFolder, shard: int, result: Result) -> Result:
    """Store in `target` what a node left in its own `source`: the shard, which is then removed there; or, of an
    incomplete one, its report and log. `ask(function, *arguments)` calls a function there. Returns `result`.
    """
    if result.cause is None:
        package: Package = ask(pack, source.shard(shard))
        store(package, chunks(source.shard(shard), partial(ask, read_chunk)), target.path)
        ask(remove, source, shard)
    else:
        write_atomic(target.incomplete(shard), ask(read_chunk, source.incomplete(shard), 0))
        add_events(target.path, shard, ask(bytes_of, source.events(shard)))
    return result


def logs(files: ReleaseFolder, shards: Sequence[int]) -> dict[int, bytes]:
    """The event logs of some shards."""
    return {shard: bytes_of(files.events(shard)) for shard in shards}


def add_events(folder: Path, shard: int, events: bytes) -> None:
    """Append those whole lines of another log of the shard that are not in the log of `folder` yet."""
    log = ReleaseFolder(folder).events(shard)
    known = set(bytes_of(log).splitlines(keepends=True))
    new = [line for line in events.splitlines(keepends=True) if line.endswith(b"\n") and line not in known]
    if new:
        log.parent.mkdir(exist_ok=True)
        with open(log, "ab") as file:
            file.write(b"".join(new))


def read_plan(folder: Path) -> dict[str, bytes]:
    """The files of the plan in a release's folder, by name; those that are there."""
    return {path.name: path.read_bytes() for path in ReleaseFolder(folder).plan_files if path.exists()}


def put_plan(folder: Path, files: Mapping[str, bytes]) -> None:
    """Store the files of a plan that was made elsewhere."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        if not (folder / name).exists() or (folder / name).read_bytes() != data:
            write_atomic(folder / name, data)


def bytes_of(path: Path) -> bytes:
    """What is in a file; nothing if there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
