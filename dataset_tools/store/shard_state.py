"""What state a shard is in, told once: for rendering, farm, status, collecting, checks and the loader."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from rigging.files import file_sha256

from .errors import ShardError, UnreadableError
from .incomplete import Quarantined, read_incomplete
from .layout import ReleaseFolder, shard_number, staged_samples
from .manifest import read_manifest


class State(StrEnum):
    """States of a shard."""

    MISSING = "missing"
    PARTIAL = "partial"  # samples of it are staged; or its file is there and its manifest, which comes last, is not
    INCOMPLETE = "incomplete"  # rendered but for samples that are set aside
    WHOLE = "whole"
    OTHER = "other configuration"
    UNREADABLE = "unreadable"  # the system does not let us look at it
    DAMAGED = "damaged"  # its file is not what its manifest says, or not a shard


FAULTY = (State.UNREADABLE, State.DAMAGED)


@dataclass(frozen=True)
class ShardState:
    """A shard's state, why it is not whole (one line, without a path), and what is known of it; None is not known."""

    shard: int | None  # None for a file of another name
    state: State
    reason: str = ""
    samples: int | None = None  # that it is to have
    quarantined: tuple[Quarantined, ...] = ()  # of these, set aside
    manifest: dict[str, Any] | None = None  # if it is there, and one of a shard
    size: int | None = None  # bytes of its file; None if there is none

    def __str__(self) -> str:
        return f"{self.state}: {self.reason}" if self.reason else str(self.state)


def shard_state(
    folder: ReleaseFolder, shard: int, configuration_hash: str | None = None, deep: bool = False
) -> ShardState:
    """The state of a shard of a release; of another configuration than `configuration_hash`, if that is given.

    Cheap: of the shard's file only the size is looked at, and its manifest read. With `deep`, all its bytes are
    compared with the manifest's sha256, and with a configuration (or without a manifest) the file's own is read, too.
    """
    found = file_state(folder.shard(shard), configuration_hash, deep)
    if found.state is not State.MISSING:
        return found
    if (report := read_incomplete(folder.incomplete(shard), shard)) is not None:
        return ShardState(shard, State.INCOMPLETE, str(report), report.samples, report.quarantined)
    if staged := staged_samples(folder.staging(shard)):
        return ShardState(shard, State.PARTIAL, f"{staged} samples are staged")
    return ShardState(shard, State.MISSING, "was written, and is gone" if folder.manifest(shard).exists() else "")


def file_state(path: Path, configuration_hash: str | None = None, deep: bool = False) -> ShardState:
    """What `shard_state` says of the file at `path`, whatever its name: only file and manifest are looked at.

    It is missing, partial (without a manifest), whole, of another configuration, unreadable or damaged.
    """
    shard, size, manifest = shard_number(path), None, None
    try:
        size = path.stat().st_size
        manifest = _manifest(path)
        state, reason = _judged(path, size, manifest, configuration_hash, deep)
    except FileNotFoundError:
        return ShardState(shard, State.MISSING)
    except UnreadableError as error:
        state, reason = State.UNREADABLE, str(error).removeprefix(f"{path}: ")
    except ShardError as error:
        state, reason = State.DAMAGED, str(error).removeprefix(f"{path}: ")
    except OSError as error:
        state, reason = State.UNREADABLE, f"cannot be read ({error.strerror or error})"
    return ShardState(shard, state, reason, manifest and manifest["samples"], (), manifest, size)


def unfinished(path: Path) -> list[str]:
    """A line for each shard of which there is a trace in the folder `path`, and that is not whole, by number."""
    folder = ReleaseFolder(Path(path))
    found = (shard_state(folder, shard) for shard in folder.traces())
    return [f"shard {one.shard}: {one}" for one in found if one.state is not State.WHOLE]


def readable_shards(folder: ReleaseFolder) -> tuple[Path, ...]:
    """The shards' files in a folder, by number; one without manifest will do. Raises ShardError for a faulty one."""
    paths = tuple(folder.shard(shard) for shard in folder.shards())
    for path in paths:
        if (found := file_state(path)).state in FAULTY:
            raise ShardError(f"{path}: {found.reason}")
    return paths


def _manifest(path: Path) -> dict[str, Any] | None:
    """The manifest beside a file; None if there is none. Raises ShardError."""
    try:
        return read_manifest(path)
    except FileNotFoundError:
        return None
    except UnreadableError:
        raise
    except ShardError:
        raise ShardError(f"{path}: its manifest is not one of a shard") from None


def _judged(
    path: Path, size: int, manifest: dict[str, Any] | None, configuration_hash: str | None, deep: bool
) -> tuple[State, str]:
    """State and reason of a file. Raises ShardError for a damaged one."""
    if not path.is_file():
        raise ShardError(f"{path}: is not a file")
    if manifest is not None:
        require_fit(path, size, manifest)
        if configuration_hash not in (None, manifest["configuration_hash"]):
            return State.OTHER, "made with another configuration"
    if deep and (manifest is None or configuration_hash is not None):
        own = _own_configuration(path)
        if configuration_hash not in (None, own):
            return State.OTHER, "made with another configuration"
    if manifest is None:
        return State.PARTIAL, "has no manifest"
    if deep and file_sha256(path) != manifest["sha256"]:
        raise ShardError(f"{path}: damaged, its sha256 is not the manifest's")
    return State.WHOLE, ""


def require_fit(path: Path, size: int, manifest: dict[str, Any]) -> None:
    """Raise ShardError if the manifest is of another file than that at `path`, of `size` bytes."""
    if (file := manifest.get("file", path.name)) != path.name:
        raise ShardError(f"{path}: is not the manifest's {file}")
    if manifest["bytes"] != size:
        raise ShardError(f"{path}: has {size:,} bytes, its manifest says {manifest['bytes']:,}")


def _own_configuration(path: Path) -> str:
    """The hash in the file itself. Raises ShardError."""
    from .shard_file import ShardFile  # not before: all else goes without HDF5

    try:
        with ShardFile(path) as opened:
            return str(opened.attrs["configuration_hash"])
    except KeyError as error:
        raise ShardError(f"{path}: has no attribute {error}") from None
