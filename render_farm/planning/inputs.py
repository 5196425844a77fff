"""The files that a release is made from: found, read and judged before anything is planned or rendered."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from blender_scripts.looks.backgrounds import decode_photo, photo_files
from blender_scripts.looks.hdri import hdri_files
from blender_scripts.looks.panorama_check import panorama_faults
from rigging.errors import input_errors
from rigging.files import file_sha256, walk_files
from rigging.poses.registry import open_source

from ..errors import InputError
from ..files import digest
from .catalogue import PANORAMAS, PHOTOGRAPHS, POSES, Catalogue, named
from .configuration import package_versions
from .known_files import Judge, read_once
from .release import Release

# Of a folder of poses; recordings come with pictures, films and texts that decide nothing.
POSE_SUFFIXES = (".json", ".mat", ".npz", ".npy", ".pkl", ".csv", ".yml", ".yaml")
MOST_NAMED = 20  # bad files
KEYS = {POSES: "--poses", PANORAMAS: "[files] hdris", PHOTOGRAPHS: "[files] photos"}


def read_inputs(release: Release, cache: Path) -> dict[str, Catalogue]:
    """Catalogues of the files of `release`, by kind, of those kinds that it has; every picture has been decoded.

    What was read once is remembered in `cache`, by size and times. Raises InputError for a file or folder that is not
    there or cannot be listed, and in one line that names all files that cannot be used, of all kinds.
    """
    with input_errors(f"--poses {release.poses.source}"):
        open_source(release.poses.source, **release.poses.options)  # a slip in the name costs no walk through a disk
    paths = {POSES: pose_path(release.poses.source), PANORAMAS: release.files.hdris, PHOTOGRAPHS: release.files.photos}
    listings = {kind: (Path(path), _files(kind, Path(path))) for kind, path in paths.items() if path}
    catalogues, complaints = {}, []
    for kind, (path, files) in listings.items():
        root = path if path.is_dir() else path.parent
        by_name = {file.relative_to(root).as_posix(): file for file in files}
        sha256s, faults = read_once(_memory(cache, kind, root), by_name, *READ[kind])
        if faults:
            complaints.append(f"{KEYS[kind]} {root}: {len(faults)} of {len(files)} {kind} {_told(faults)}")
        catalogues[kind] = Catalogue(kind, root, tuple(sha256s), tuple(sha256s.values()))
    if complaints:
        raise InputError(f"{'; '.join(complaints)}: replace or remove them")
    return catalogues


def _files(kind: str, path: Path) -> list[Path]:
    """The files of a kind at `path`, sorted. Raises InputError for a file or folder that cannot be listed."""
    try:
        return FIND[kind](path)
    except FileNotFoundError as error:
        raise InputError(
            f"{KEYS[kind]}: {f'{error.filename}: {error.strerror}' if error.strerror else error}"
        ) from None
    except OSError as error:
        where = f"{KEYS[kind]} {path}: {error.filename or path}"
        raise InputError(f"{where} cannot be read ({error.strerror or error})") from None


def _pose_files(path: Path) -> list[Path]:
    """A file itself, or those in a folder that may hold poses."""
    return [file for file in walk_files(path) if file.suffix.lower() in POSE_SUFFIXES] if path.is_dir() else [path]


def pose_path(spec: str) -> Path | None:
    """The file or folder that a pose source spec names, or None. Raises InputError if it is not there."""
    path = spec.partition("?")[0].partition(":")[2]
    if path and not Path(path).exists():
        raise InputError(f"--poses {spec}: {path}: there is no such file or folder")
    return Path(path) if path else None


def _read_photo(path: Path) -> str:
    """sha256 of a photograph that can be decoded. Raises OSError, ValueError."""
    data = path.read_bytes()
    decode_photo(data)
    return hashlib.sha256(data).hexdigest()


FIND: dict[str, Callable[[Path], list[Path]]] = {
    POSES: _pose_files,
    PANORAMAS: lambda folder: sorted(hdri_files(folder).values()),
    PHOTOGRAPHS: lambda folder: list(photo_files(folder)),
}
READ: dict[str, tuple[Callable[[Path], str], Judge | None]] = {
    POSES: (file_sha256, None),  # planning reads them, and says what is wrong with them
    PANORAMAS: (file_sha256, panorama_faults),
    PHOTOGRAPHS: (_read_photo, None),
}


def _memory(cache: Path, kind: str, root: Path) -> Path:
    """Where it is remembered what these programs have read in a folder."""
    key = digest(kind, os.fsencode(root.resolve()), *package_versions().values())
    return cache / "inputs" / f"{key[:32]}.json"


def _told(faults: Mapping[str, str]) -> str:
    some = ", ".join(f"{named([name])} ({fault})" for name, fault in sorted(faults.items())[:MOST_NAMED])
    return f"cannot be used: {some}" + (f" and {len(faults) - MOST_NAMED} more" if len(faults) > MOST_NAMED else "")
