"""The files of a folder of recordings: which are read, which are passed over, and who recorded them."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from ...errors import MACHINE
from ...files import file_sha256, walk_files
from ..clip import PoseClip, PoseError
from ..rejects import Reject

log = logging.getLogger(__name__)

NAMED = 10  # files that are no recordings are named one by one up to here, then counted
NO_RECORDING = "no recording (file)"  # the reason of a file's Reject, which has no frame


class OptionNeeded(PoseError):
    """A recording that cannot be read before a person decides something; the message names the option."""


def find_files(path: Path, suffixes: Sequence[str], sequences: Sequence[str] = ()) -> dict[str, Path]:
    """Name to file: `path` itself, or the files with these suffixes in that folder and below, by name.

    A name is the path below the folder, without the suffix where that is enough. Hidden files are passed over.
    `sequences` are names or patterns (`session1/*`); all if none.

    Raises:
        FileNotFoundError: there is no such file or folder, or none with these suffixes in it.
        PoseError: a pattern fits no file.
    """
    path = Path(path)
    if not path.is_dir():
        return {path.stem: path}
    files = sorted(file for file in walk_files(path) if file.suffix.lower() in suffixes)
    if not files:
        raise FileNotFoundError(f"{path}: no {' or '.join(suffixes)} in this folder")
    stems = [file.relative_to(path).with_suffix("").as_posix() for file in files]
    once = {stem for stem in stems if stems.count(stem) == 1} if len(set(stems)) < len(stems) else set(stems)
    named = {stem if stem in once else file.relative_to(path).as_posix(): file for stem, file in zip(stems, files)}
    return matching(named, sequences, str(path))


def matching(named: Mapping[str, Path], sequences: Sequence[str], where: str) -> dict[str, Path]:
    """Those whose name fits one of the patterns `sequences`, or all. Raises PoseError if a pattern fits none."""
    for pattern in sequences:
        if not any(fnmatchcase(name, pattern) for name in named):
            some = ", ".join(list(named)[:3])
            raise PoseError(f"{where}: sequences {pattern!r} fits none of {len(named)} recordings, such as {some}")
    return {
        name: file
        for name, file in named.items()
        if not sequences or any(fnmatchcase(name, pattern) for pattern in sequences)
    }


def read_each(
    source: str, files: Mapping[str, Path], read: Callable[[str, Path], Iterable[PoseClip]], rejects: list[Reject]
) -> Iterator[PoseClip]:
    """The clips that `read` makes of each file; of several, those that are no recordings are named and passed over.

    Such a file gets a Reject without a frame.

    Raises:
        OptionNeeded: from `read`.
        PoseError, OSError: from `read`, for a single file, where none of them is a recording, or where the machine is
            at fault and not the file.
    """
    faults: list[Exception] = []
    for name, file in files.items():
        try:
            clips = list(read(name, file))
        except OptionNeeded:
            raise
        except (PoseError, OSError) as fault:
            if isinstance(fault, OSError) and fault.errno in MACHINE:
                raise
            faults.append(fault)
            if len(files) == 1:
                raise
            if len(faults) <= NAMED:
                log.warning("passed over, no recording: %s", _told(fault))
            rejects.append(Reject(source, name, "", NO_RECORDING, without_folder(_told(fault), file)))
            continue
        yield from clips
    if len(faults) > NAMED:
        log.warning("passed over, no recordings: %d files", len(faults))
    if faults and len(faults) == len(files):
        raise PoseError(f"{_told(faults[0])}; none of {len(files)} files is a recording")


def _told(fault: Exception) -> str:
    """What a fault says; of the system's, which file and why."""
    return f"{fault.filename}: {fault.strerror}" if isinstance(fault, OSError) and fault.filename else str(fault)


def without_folder(fault: Exception | str, file: Path) -> str:
    """What a fault says, with the file's name for its path: folders are nobody's business where it is published."""
    return str(fault).replace(str(file), file.name)


def files_sha256(files: Iterable[Path]) -> str:
    """sha256 of the files' own hashes, in their order."""
    return hashlib.sha256("".join(map(file_sha256, files)).encode()).hexdigest()


def person_of(name: str, rule: str) -> str:
    """Who recorded the file `name`: `rule` is "file" (each its own person), "folder" (its folder), or who it was."""
    if rule == "file":
        return name
    return Path(name).parent.as_posix() if rule == "folder" else rule
