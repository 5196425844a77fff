"""The files that a release is made from: found, read and judged before anything is planned or rendered."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from blender_scripts.looks.backgrounds import decode_photo, photo_files
from blender_scripts.looks.hdri import hdri_files
from blender_scripts.looks.panorama_check import panorama_faults
from rigging.files import file_sha256, walk_files

from ..errors import InputError
from ..files import digest
from .catalogue import PANORAMAS, PHOTOGRAPHS, POSES, Catalogue, named
from .configuration import package_versions
from .known_files import Judge, KnownFiles
from .release import Release

log = logging.getLogger(__name__)

# Of a folder of poses; recordings come with pictures, films and texts that decide nothing.
POSE_SUFFIXES = (".json", ".mat", ".npz", ".npy", ".pkl", ".csv", ".yml", ".yaml")
MOST_NAMED = 20  # bad files


@dataclass(frozen=True)
class Listing:
    """Files of one kind, not yet read."""

    kind: str
    key: str  # of the release file
    root: Path
    files: dict[str, Path]  # by name as seen from `root`


def read_inputs(release: Release, cache: Path) -> dict[str, Catalogue]:
    """Catalogues of the files of `release`, by kind, of those kinds that it has; every picture has been decoded.

    What was read once is remembered in `cache`, by size and times. Raises InputError in one line that names all files
    that cannot be used, of all kinds.
    """
    catalogues, complaints = {}, []
    for listing in _listings(release):
        known = KnownFiles.open(_memory(cache, listing))
        if len(listing.files) > len(known.known) + 1000:
            log.info("%s: %d files are read once, to know them by what they hold", listing.kind, len(listing.files))
        sha256s, faults = known.sha256s(listing.files, *READ[listing.kind])
        known.save()
        if faults:
            complaints.append(_complaint(listing, faults))
        catalogues[listing.kind] = Catalogue(listing.kind, listing.root, tuple(sha256s), tuple(sha256s.values()))
    if complaints:
        raise InputError(f"{'; '.join(complaints)}: replace or remove them")
    return catalogues


def _listings(release: Release) -> list[Listing]:
    """What is to be read. Raises InputError for a file or folder that is not there or cannot be listed."""
    listings = []
    if (path := pose_path(release.poses.source)) is not None:
        with _told("--poses", path):
            listings.append(_listing(POSES, "--poses", path, _pose_files(path)))
    for kind, key, folder, find in (
        (PANORAMAS, "[files] hdris", release.files.hdris, lambda folder: sorted(hdri_files(folder).values())),
        (PHOTOGRAPHS, "[files] photos", release.files.photos, photo_files),
    ):
        if folder:
            with _told(key, Path(folder)):
                listings.append(_listing(kind, key, Path(folder), find(folder)))
    return listings


def _listing(kind: str, key: str, path: Path, files: Sequence[Path]) -> Listing:
    root = path if path.is_dir() else path.parent
    return Listing(kind, key, root, {file.relative_to(root).as_posix(): file for file in files})


@contextmanager
def _told(key: str, path: Path) -> Iterator[None]:
    """Raise InputError for an OSError of a folder that is listed."""
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(f"{key}: {(error.strerror and f'{error.filename}: {error.strerror}') or error}") from None
    except OSError as error:
        raise InputError(f"{key} {path}: {error.filename or path} cannot be read ({error.strerror or error})") from None


def _pose_files(path: Path) -> list[Path]:
    """A file itself, or those in a folder that may hold poses."""
    return [file for file in walk_files(path) if file.suffix.lower() in POSE_SUFFIXES] if path.is_dir() else [path]


def pose_path(spec: str) -> Path | None:
    """The file or folder that a pose source spec names, or None. Raises InputError if it is not there."""
    path = spec.partition("?")[0].partition(":")[2]
    if not path:
        return None
    if not Path(path).exists():
        raise InputError(f"--poses {spec}: {path}: there is no such file or folder")
    return Path(path)


def _read_photo(path: Path) -> str:
    """sha256 of a photograph that can be decoded. Raises OSError, ValueError."""
    data = path.read_bytes()
    decode_photo(data)
    return hashlib.sha256(data).hexdigest()


def _judge_panoramas(files: Mapping[str, Path]) -> dict[str, str]:
    """Why panoramas cannot be used, by name."""
    faults = panorama_faults(list(files.values()))
    return {name: faults[path] for name, path in files.items() if path in faults}


READ: dict[str, tuple[Callable[[Path], str], Judge | None]] = {
    POSES: (file_sha256, None),  # planning reads them, and says what is wrong with them
    PANORAMAS: (file_sha256, _judge_panoramas),
    PHOTOGRAPHS: (_read_photo, None),
}


def _memory(cache: Path, listing: Listing) -> Path:
    """Where it is remembered what these programs have read in a folder."""
    key = digest(listing.kind, os.fsencode(listing.root.resolve()), *package_versions().values())
    return cache / "inputs" / f"{key[:32]}.json"


def _complaint(listing: Listing, faults: Mapping[str, str]) -> str:
    told = ", ".join(f"{named([name])} ({fault})" for name, fault in sorted(faults.items())[:MOST_NAMED])
    rest = f" and {len(faults) - MOST_NAMED} more" if len(faults) > MOST_NAMED else ""
    total = f"{len(faults)} of {len(listing.files)} {listing.kind}"
    return f"{listing.key} {listing.root}: {total} cannot be used: {told}{rest}"
