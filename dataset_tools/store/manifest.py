"""The manifest beside a shard: what a release says of the file without opening it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .errors import ShardError, system_fault
from .names import manifest_path

TEXTS, COUNTS = ("sha256", "configuration_hash"), ("bytes", "samples")  # what every manifest has


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
