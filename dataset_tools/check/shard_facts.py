"""What a shard says of itself before its samples are looked at: its bytes, its schema, its place in the release."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rigging.files import file_sha256

from ..store.layout import shard_number
from ..store.shard_file import ShardError, ShardFile
from .shard import against_manifest, against_schema, against_words


@dataclass(frozen=True)
class ShardFacts:
    """A shard that can be opened."""

    path: Path
    number: int
    sha256: str
    samples: int
    release: str
    configuration_hash: str
    truncated: int | None  # the number of samples that each shard was cut to, if it was
    poses: int  # of a pair or clip
    problems: tuple[str, ...]


def shard_facts(path: Path) -> ShardFacts | str:
    """Facts of a shard, or in one line why it cannot be read."""
    try:
        lines, sha256 = against_manifest(path)
        with ShardFile(path) as shard:
            lines += [*against_words(shard), *against_schema(shard)]
            attrs, samples = shard.attrs, len(shard)
        number, configuration = shard_number(path), json.loads(attrs["configuration"])
        poses = int(configuration.get("release", {}).get("pairs", {}).get("length", 2))
        if number != int(attrs["shard"]):
            lines.append(f"says that it is shard {attrs['shard']}")
        return ShardFacts(
            path, int(attrs["shard"]) if number is None else number, sha256 or file_sha256(path), samples,
            str(attrs["release"]), str(attrs["configuration_hash"]), configuration.get("samples"), poses,
            tuple(f"{path.name}: {line}" for line in lines),
        )  # fmt: skip
    except (ShardError, OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        return f"{path.name}: {str(error).removeprefix(f'{path}: ')}"


def odd_ones_out(facts: Sequence[ShardFacts]) -> list[str]:
    """A line for each shard of another release or configuration than most are."""
    lines = []
    for what, values in (
        ("release", [fact.release for fact in facts]),
        ("configuration", [fact.configuration_hash for fact in facts]),
    ):
        common = Counter(values).most_common(1)[0][0] if values else ""
        lines += [
            f"{fact.path.name}: is of {what} {value[:12]}, the others of {common[:12]}"
            for fact, value in zip(facts, values)
            if value != common
        ]
    return lines
