"""Whether a copy of a release is whole: every file there, of its size and sha256, and a manifest that agrees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rigging.errors import InputError

from ..load.index import read_index
from ..progress import Progress
from ..store.errors import ShardError
from ..store.layout import ReleaseFolder
from ..store.manifest import read_manifest
from ..store.names import shard_number
from ..store.release_manifest import data_hash, listed, manifest_hash, read_release_manifest
from .diff import counted
from .hashes import hash_files


@dataclass(frozen=True)
class Verified:
    """What was found; `problems` and `notes` are a line each."""

    manifest: dict[str, Any]
    files: int
    bytes: int
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def verify(path: Path) -> Verified:
    """Check a copy of a release, files in parallel. Raises InputError where there is no release to check."""
    folder = ReleaseFolder(path)
    if not path.is_dir():
        raise InputError(f"{path}: no such folder")
    if not folder.release_manifest.is_file():
        raise InputError(f"{folder.release_manifest}: missing; not a published release, or publishing was interrupted")
    manifest = read_release_manifest(folder.release_manifest)
    files = listed(manifest)
    problems = [*_itself(manifest), *_files(path, files)]
    if not problems:  # only whole files can disagree
        problems = [*_shards(folder, manifest), *_counts(folder, manifest)]
    total = sum(size for size, _ in files.values())
    return Verified(manifest, len(files), total, tuple(problems), tuple(_unlisted(path, files)))


def _itself(manifest: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the manifest alone."""
    if manifest_hash(manifest) != manifest["manifest_hash"]:
        yield "changed: manifest.json (its content is not that of its manifest_hash)"
    paths = [entry["path"] for entry in manifest["files"]]
    if twice := sorted({path for path in paths if paths.count(path) > 1}):
        yield f"manifest.json lists {twice[0]} twice"
    if data_hash(_shards_of(manifest)) != manifest["data_hash"]:
        yield "manifest.json: its data_hash is not that of the shards it lists"


def _shards_of(manifest: Mapping[str, Any]) -> dict[str, str]:
    return {path: sha256 for path, (_, sha256) in listed(manifest).items() if path.endswith(".h5")}


def _files(root: Path, files: Mapping[str, tuple[int, str]]) -> list[str]:
    """A line for each file that is missing, of another size, unreadable or changed, in the manifest's order."""
    problems = {path: problem for path, (size, _) in files.items() if (problem := _by_size(root / path, size))}
    rest = {root / path: path for path in files if path not in problems}
    with Progress("verify", sum(files[path][0] for path in rest.values()), "B") as progress:
        digests = hash_files(rest, progress.add)
    for at, digest in digests.items():
        path = rest[at]
        if isinstance(digest, OSError):
            problems[path] = f"unreadable ({digest.strerror or digest})"
        elif digest != files[path][1]:
            problems[path] = f"changed (sha256 {digest[:12]}.., published as {files[path][1][:12]}..)"
    return [f"{path}: {problems[path]}" for path in files if path in problems]


def _by_size(path: Path, size: int) -> str | None:
    try:
        found = path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    except OSError as error:
        return f"unreadable ({error.strerror or error})"
    if not path.is_file():
        return "not a file"
    if found == size:
        return None
    return f"truncated ({found} of {size} bytes)" if found < size else f"changed ({found} bytes, published with {size})"


def _shards(folder: ReleaseFolder, manifest: Mapping[str, Any]) -> Iterator[str]:
    """Where the manifests of shards say something else than the release's: one of them lies."""
    files, samples = listed(manifest), 0
    for path in _shards_of(manifest):
        try:
            of_shard = read_manifest(folder.path / path)
        except (ShardError, FileNotFoundError) as error:
            yield f"{path}: {error}"
            continue
        samples += of_shard["samples"]
        wanted = {"bytes": files[path][0], "sha256": files[path][1], "file": path, "shard": shard_number(path)}
        wanted |= {name: manifest[name] for name in ("configuration_hash", "schema_version")}
        for name, value in wanted.items():
            if of_shard.get(name) != value:
                told = f"{value} and {of_shard.get(name)}"
                yield f"{path}: manifest.json and the shard's own manifest disagree on {name}: {told}"
    if samples != manifest["samples"]:
        yield f"manifest.json says {manifest['samples']} samples, the shards' manifests {samples}"


def _counts(folder: ReleaseFolder, manifest: Mapping[str, Any]) -> Iterator[str]:
    """Where the index says something else than the manifest."""
    if folder.index.name not in listed(manifest):
        yield f"manifest.json does not list {folder.index.name}"
    elif (counts := counted(read_index(folder.index))) != manifest["splits"]:
        yield f"manifest.json and {folder.index.name} disagree on splits: {manifest['splits']} and {counts}"


def _unlisted(root: Path, files: Mapping[str, tuple[int, str]]) -> Iterator[str]:
    """Files that lie there and are not part of the release; hidden ones are nobody's, and a site is made of it."""
    folder = ReleaseFolder(root)
    known = {*files, folder.release_manifest.name}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        passed_over = name.parts[0] == folder.browse.name or any(part.startswith(".") for part in name.parts)
        if path.is_file() and name.as_posix() not in known and not passed_over:
            yield f"{name.as_posix()}: not listed in manifest.json, not part of the release"
