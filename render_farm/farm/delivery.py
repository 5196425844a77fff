"""A finished shard on its way into another folder: in chunks, checked against its manifest, whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataset_tools.store.manifest import manifest_path, read_manifest
from dataset_tools.store.shard_file import ShardError
from rigging.files import atomic_file, file_sha256, write_atomic

from ..errors import DiskFullError, InputError, MvhmError
from ..files import is_disk_full
from ..lock import Lock
from ..rendering.events import EventLog

CHUNK = 8 << 20  # bytes


class DamagedError(MvhmError):
    """Bytes that are not what their manifest says."""


@dataclass(frozen=True)
class Parcel:
    """All of a finished shard but its bytes."""

    manifest: dict[str, Any]
    sheet: bytes | None  # its contact sheet
    events: bytes  # its log

    @property
    def shard(self) -> int:
        """Number of the shard."""
        return int(self.manifest["shard"])

    @property
    def name(self) -> str:
        """Name of the shard's file."""
        return f"shard-{self.shard:05d}.h5"


def pack(path: Path) -> Parcel:
    """The parcel of the finished shard at `path`. Raises DamagedError if it has no manifest or another size."""
    try:
        manifest, size = read_manifest(path), path.stat().st_size
        if manifest["file"] != path.name or manifest["bytes"] != size:
            raise DamagedError(
                f"{path}: its manifest is of {manifest['file']} with {manifest['bytes']} bytes, not {size}"
            )
        events = EventLog.of(path.parent, int(manifest["shard"])).path
        return Parcel(manifest, _bytes(path.with_suffix(".png")) or None, _bytes(events))
    except FileNotFoundError as error:
        raise DamagedError(f"{path}: no manifest beside it") from error
    except OSError as error:
        raise DamagedError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ShardError, KeyError, ValueError, TypeError) as error:
        raise DamagedError(f"{manifest_path(path)}: not a manifest of a shard") from error


def chunks(path: Path) -> Iterator[bytes]:
    """The bytes of a file, some megabytes at a time. Raises DamagedError if it cannot be read."""
    try:
        with open(path, "rb") as file:
            while data := file.read(CHUNK):
                yield data
    except OSError as error:
        raise DamagedError(f"cannot be read: {error.strerror or error}") from error


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Say in one line why `folder` cannot be written to: DiskFullError for a full disk, else InputError."""
    try:
        yield
    except OSError as error:
        if is_disk_full(error):
            raise DiskFullError(f"{folder}: the disk is full; nothing is half written, run again") from error
        raise InputError(f"{folder}: cannot be written to: {error.strerror or error}") from error


def is_stored(parcel: Parcel, folder: Path) -> bool:
    """Whether the shard is in `folder`, whole by its manifest and size.

    Raises InputError if there is another file of its name; one without manifest is read.
    """
    path = folder / parcel.name
    if not path.exists():
        return False
    try:
        there, has_manifest = str(read_manifest(path)["sha256"]), True
    except (FileNotFoundError, ShardError):
        there, has_manifest = file_sha256(path), False
    if there == parcel.manifest["sha256"] and path.stat().st_size == parcel.manifest["bytes"]:
        return has_manifest
    raise InputError(
        f"{path}: is there with other bytes (sha256 {there[:12]}, the new one's is {parcel.manifest['sha256'][:12]}): "
        "move one of them away"
    )


def store(parcel: Parcel, data: Iterable[bytes], folder: Path) -> bool:
    """Put a shard into the release's `folder`, from the chunks `data` of its bytes; False if it was there already.

    The manifest comes last; whatever happens before, nothing is half there. Raises DamagedError (the bytes are not
    the manifest's), InputError (other bytes are there), LockedError (it is being rendered there), DiskFullError.
    """
    path = folder / parcel.name
    with writing(folder):
        (folder / ".locks").mkdir(parents=True, exist_ok=True)
        with Lock(folder / ".locks" / f"{path.stem}.lock"):
            if is_stored(parcel, folder):
                return False
            for leftover in folder.glob(f".{path.stem}.*.tmp"):  # of a process that was killed
                leftover.unlink()
            _write_checked(path, data, parcel.manifest["sha256"])
            if parcel.sheet is not None:
                write_atomic(path.with_suffix(".png"), parcel.sheet)
            add_events(folder, parcel.shard, parcel.events)
            manifest = json.dumps(parcel.manifest, indent=2, sort_keys=True) + "\n"
            write_atomic(manifest_path(path), manifest.encode())
    return True


def add_events(folder: Path, shard: int, events: bytes) -> None:
    """Append those whole lines of another log of the shard that are not in the log of `folder` yet."""
    log = EventLog.of(folder, shard).path
    there = set(_bytes(log).splitlines(keepends=True))
    new = [line for line in events.splitlines(keepends=True) if line.endswith(b"\n") and line not in there]
    if new:
        log.parent.mkdir(exist_ok=True)
        with open(log, "ab") as file:
            file.write(b"".join(new))


def _write_checked(path: Path, data: Iterable[bytes], sha256: str) -> None:
    total = hashlib.sha256()
    with atomic_file(path) as file:
        for chunk in data:
            total.update(chunk)
            file.write(chunk)
        if total.hexdigest() != sha256:
            raise DamagedError(f"sha256 {total.hexdigest()[:12]} is not its manifest's {sha256[:12]}")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
