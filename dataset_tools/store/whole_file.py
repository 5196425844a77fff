"""Files of schema version 1, which have no checksums of their own: compared with their manifest as a whole."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from rigging.files import file_sha256

from .errors import ShardError
from .manifest import manifest_path, read_manifest

Stamp = tuple[str, int, int]  # of a file: path, bytes, time of its last change in ns


def require_whole(path: Path, known: set[Stamp]) -> None:
    """Compare the sha256 of a shard with its manifest's, unless its stamp is `known`; then it is.

    `known` is the caller's: it can go to another process. A file is hashed once in a process. Raises ShardError.
    """
    status = path.stat()
    stamp = (str(path.absolute()), status.st_size, status.st_mtime_ns)
    if stamp in known:
        return
    try:
        promised = read_manifest(path)["sha256"]
    except FileNotFoundError:
        raise ShardError(
            f"{path}: schema version 1 has no checksums, and its manifest is missing: fetch {manifest_path(path).name} "
            "beside it, or read it unchecked (verify=False)"
        ) from None
    if _sha256(*stamp) != promised:
        raise ShardError(f"{path}: damaged, its sha256 is not the manifest's; fetch it again")
    known.add(stamp)


@lru_cache(maxsize=4096)
def _sha256(path: str, size: int, changed: int) -> str:
    return file_sha256(path)
