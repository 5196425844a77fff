"""Samples that are set aside, and the report of a shard that lacks them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rigging.files import write_atomic


@dataclass(frozen=True)
class Quarantined:
    """A sample that is set aside: it failed too often; `command` renders it alone."""

    sample: int
    shard: int
    cause: str
    reason: str
    seed: int | None = None
    attempts: int | None = None
    command: str = ""


@dataclass(frozen=True)
class Incomplete:
    """What a shard lacks; None is not known."""

    samples: int | None = None  # that it is to have
    lacks: int | None = None  # of these
    quarantined: tuple[Quarantined, ...] = ()

    def __str__(self) -> str:
        return "its report cannot be read" if self.samples is None else f"lacks {self.lacks} of {self.samples} samples"


def quarantined_of(line: Mapping[str, Any], shard: int) -> Quarantined:
    """A sample set aside, from an event or a report. Raises KeyError, TypeError, ValueError, OverflowError."""
    seed, attempts = line.get("seed"), line.get("attempts")
    return Quarantined(
        sample=whole_number(line["sample"]),
        shard=shard,
        cause=str(line["cause"]),
        reason=" ".join(str(line["reason"]).split()),
        seed=None if seed is None else whole_number(seed),
        attempts=None if attempts is None else whole_number(attempts),
        command=str(line.get("command", "")),
    )


def write_incomplete(path: Path, release: str, shard: int, samples: int, lacking: Sequence[Quarantined]) -> None:
    """Write what a shard of `samples` samples lacks, atomically."""
    told = {
        "release": release,
        "shard": shard,
        "samples": samples,
        "lacks": len(lacking),
        "causes": dict(sorted(Counter(one.cause for one in lacking).items())),
        "lacking": [asdict(one) for one in lacking],
    }
    write_atomic(path, (json.dumps(told, indent=2) + "\n").encode())


def read_incomplete(path: Path, shard: int) -> Incomplete | None:
    """What a report says; None if there is none, and of one that makes no sense only that it is there."""
    try:
        told = json.loads(path.read_bytes())
        lacking = tuple(quarantined_of(line, shard) for line in told.get("lacking", ()))
        samples = told.get("samples")
        lacks = whole_number(told.get("lacks", len(lacking)))
        return Incomplete(None if samples is None else whole_number(samples), lacks, lacking)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return Incomplete()


def whole_number(value: Any) -> int:
    """A whole number. Raises TypeError, ValueError, OverflowError."""
    if isinstance(value, str) or value != int(value):
        raise ValueError(f"{value!r} is not a whole number")
    return int(value)
