"""Lists of files by what they hold: of a release's pose files, panoramas or photographs; as `sha256sum` writes them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..files import digest

POSES, PANORAMAS, PHOTOGRAPHS = "pose files", "panoramas", "photographs"
NAMED = 3  # of many files, so many are named in a message


@dataclass(frozen=True)
class Catalogue:
    """The files of one kind that count, in the order of their names; equal `digest`s give equal bytes."""

    kind: str  # POSES, PANORAMAS or PHOTOGRAPHS
    root: Path  # the folder that `names` are seen from, here
    names: tuple[str, ...]
    sha256s: tuple[str, ...]  # hexadecimal, one for each name

    @property
    def digest(self) -> str:
        """sha256 over all files. Photographs are drawn by place, so that their names say nothing."""
        names = [""] * len(self.names) if self.kind == PHOTOGRAPHS else self.names
        return digest(*(f"{sha256} ".encode() + os.fsencode(name) for sha256, name in zip(self.sha256s, names)))

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where the files lie here."""
        return tuple(self.root / name for name in self.names)

    def to_bytes(self) -> bytes:
        """The list as `sha256sum` writes it, for `sha256sum --check` in `root`."""
        return b"".join(_line(name, sha256) for name, sha256 in zip(self.names, self.sha256s))

    @classmethod
    def from_bytes(cls, kind: str, root: Path, data: bytes) -> Catalogue:
        """The list that `to_bytes` wrote. Raises ValueError."""
        pairs = [_parse(line) for line in data.splitlines()]
        return cls(kind, root, tuple(name for name, _ in pairs), tuple(sha256 for _, sha256 in pairs))


def _line(name: str, sha256: str) -> bytes:
    data = os.fsencode(name)
    escaped = data.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    return (b"\\" if escaped != data else b"") + sha256.encode() + b"  " + escaped + b"\n"


def _parse(line: bytes) -> tuple[str, str]:
    sha256, gap, name = line.lstrip(b"\\").partition(b"  ")
    if len(sha256) != 64 or not gap:
        raise ValueError(f"not a line of sha256sum: {line[:80]!r}")
    if line.startswith(b"\\"):
        name = name.replace(b"\\\\", b"\0").replace(b"\\n", b"\n").replace(b"\\r", b"\r").replace(b"\0", b"\\")
    return os.fsdecode(name), sha256.decode()


def changes(before: Catalogue, now: Catalogue) -> str:
    """Which files are missing, new or changed, in words; "" if none is."""
    old, new = dict(zip(before.names, before.sha256s)), dict(zip(now.names, now.sha256s))
    changed = [name for name in old if name in new and old[name] != new[name]]
    parts = ((old.keys() - new.keys(), "missing"), (new.keys() - old.keys(), "new"), (changed, "changed"))
    return ", ".join(f"{named(sorted(names))} {what}" for names, what in parts if names)


def named(names: Iterable[str]) -> str:
    """A few of the names, and how many more there are."""
    names = [name.encode(errors="backslashreplace").decode() for name in names]
    rest = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + rest
