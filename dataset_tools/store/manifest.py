"""The manifest beside a shard: what a release says of the file without opening it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rigging.files import write_atomic

from .errors import ShardError, system_fault
from .layout import manifest_path

TEXTS, COUNTS = ("sha256", "configuration_hash"), ("bytes", "samples")  # what every manifest has


def write_manifest(shard: Path, sha256: str) -> Path:
    """Write the manifest of a finished shard: what a release says of the file without opening it."""
    from .shard_file import ShardFile  # not before: manifests are read without HDF5

    with ShardFile(shard) as opened:
        manifest = {
            "file": Path(shard).name, "sha256": sha256, "bytes": Path(shard).stat().st_size,
            "samples": len(opened), "schema_version": int(opened.attrs["schema_version"]),
            "release": opened.attrs["release"],
            "shard": int(opened.attrs["shard"]), "configuration_hash": opened.attrs["configuration_hash"],
            "device": opened.attrs["device"], "package_versions": json.loads(opened.attrs["package_versions"]),
        }  # fmt: skip
    write_atomic(manifest_path(shard), (json.dumps(manifest, indent=2, sort_keys=True) + "\n").encode())
    return manifest_path(shard)


def read_manifest(shard: Path) -> dict[str, Any]:
    """The manifest of a shard. Raises FileNotFoundError, UnreadableError, or ShardError where it is no manifest."""
    path = manifest_path(shard)
    try:
        manifest = json.loads(path.read_bytes())
        texts, counts = ([manifest[name] for name in names] for names in (TEXTS, COUNTS))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise system_fault(path, error) or error from None
    except (ValueError, KeyError, TypeError, RecursionError):
        texts, counts = [], []
    if not texts or not all(isinstance(text, str) for text in texts) or not all(map(_is_count, counts)):
        raise ShardError(f"{path}: not a manifest of a shard")
    return manifest


def _is_count(value: Any) -> bool:
    return type(value) is int and value > 0
