"""The manifest of a published release: what it consists of, with a hash over its own content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from rigging.errors import InputError

FORMAT = "mvhm-release"
FORMAT_VERSION = 1
KEYS = {
    "version": str, "name": str, "schema_version": int, "configuration_hash": str, "configuration": dict,
    "data_hash": str, "samples": int, "splits": dict, "files": list, "validation": dict, "manifest_hash": str,
}  # fmt: skip


def manifest_hash(manifest: Mapping[str, Any]) -> str:
    """sha256 over everything in the manifest but `manifest_hash`."""
    rest = {key: value for key, value in manifest.items() if key != "manifest_hash"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def data_hash(sha256s: Mapping[str, str]) -> str:
    """The hash that names the data of a release: sha256 over `NAME SHA256` lines of all shards, sorted by name."""
    lines = "".join(f"{name} {sha256}\n" for name, sha256 in sorted(sha256s.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def sealed(values: Mapping[str, Any]) -> bytes:
    """The manifest's file: `values` with format and hash."""
    manifest = {"format": FORMAT, "format_version": FORMAT_VERSION, **values}
    manifest["manifest_hash"] = manifest_hash(manifest)
    return (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode()


def read_release_manifest(path: Path) -> dict[str, Any]:
    """The manifest at `path`, its form checked but not whether it tells the truth.

    Raises FileNotFoundError, or InputError where it is not a manifest of a release, or is a newer one.
    """
    try:
        manifest = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise InputError(
            f"{path}: not JSON, so not the manifest of a release; publish again or fetch it again"
        ) from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise InputError(f"{path}: not the manifest of a release (format {FORMAT!r} is wanted)")
    version = manifest.get("format_version")
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise InputError(
            f"{path}: manifest of format version {version!r}, this mvhm reads up to {FORMAT_VERSION}; upgrade mvhm"
        )
    if bad := [key for key, kind in KEYS.items() if not isinstance(manifest.get(key), kind)]:
        raise InputError(f"{path}: not a whole manifest of a release: {', '.join(bad)} missing or of a wrong type")
    if problem := next(filter(None, map(_file_problem, manifest["files"])), None):
        raise InputError(f"{path}: files: {problem}")
    return manifest


def read_sealed_manifest(path: Path) -> dict[str, Any]:
    """The manifest at `path`, as it was published. Raises FileNotFoundError, InputError, also for one edited since."""
    manifest = read_release_manifest(path)
    if manifest_hash(manifest) != manifest["manifest_hash"]:
        raise InputError(
            f"{path}: edited or damaged since it was published (manifest_hash does not fit); fetch it again"
        )
    return manifest


def _file_problem(entry: Any) -> str | None:
    """Why an entry of `files` is none: a path inside the folder, a size and a sha256 are wanted."""
    kinds = {"path": str, "bytes": int, "sha256": str}
    if not isinstance(entry, dict) or any(not isinstance(entry.get(key), kind) for key, kind in kinds.items()):
        return f"path, bytes and sha256 are wanted, got {str(entry)[:80]}"
    path = PurePosixPath(entry["path"])
    if path.is_absolute() or ".." in path.parts or "\\" in entry["path"] or not path.parts:
        return f"{entry['path']!r} is not a path inside the folder"
    return None


def listed(manifest: Mapping[str, Any]) -> dict[str, tuple[int, str]]:
    """path -> (bytes, sha256) of every file of the release."""
    return {entry["path"]: (entry["bytes"], entry["sha256"]) for entry in manifest["files"]}
