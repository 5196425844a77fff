"""What a format has to offer, and the two kinds of formats: a file per part, or pictures with one table per split."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from rigging.files import atomic_file

from .conventions import Convention
from .folder import PARTS
from .source import Part, Sample, Source

Record = dict[str, Any]
Convert = Callable[[Sample, Part, Convention], Iterator[tuple[str, bytes]]]
Write = Callable[[Iterable[Sample], Part, Convention, BinaryIO, Path], None]
PART_RECORDS = PARTS + "/{name}"  # the file of a part whose pictures are files of their own


@dataclass(frozen=True)
class Target:
    """A format: how a part becomes the file `place`, which is there once the part is whole, and what comes last."""

    fields: tuple[str, ...]  # of the loader
    place: str  # where the part's file is: {name} is the part's
    write: Write
    finish: Callable[[Source, Convention, Path], None]
    needs: tuple[str, ...] = ()  # libraries that are not installed with the loader
    lenses: bool = False  # whether it can say that cameras have lenses that distort, or has no cameras

    @property
    def scatters(self) -> bool:
        """Whether a part is many files, and the one at `place` only says that they are there."""
        return self.place == PART_RECORDS

    def file(self, part: Part, out: Path) -> Path:
        """The file of a part."""
        return out / self.place.format(name=part.name)


def nothing_more(source: Source, convention: Convention, out: Path) -> None:
    """The end of an export whose parts are all there is."""


def tar_writer(convert: Convert) -> Write:
    """Writes a part as a tar of the files (name, bytes) that `convert` makes of each sample."""
    return partial(_write_tar, convert=convert)


def _write_tar(
    samples: Iterable[Sample], part: Part, convention: Convention, file: BinaryIO, out: Path, convert: Convert
) -> None:
    with tarfile.open(fileobj=file, mode="w|", format=tarfile.USTAR_FORMAT) as tar:
        for sample in samples:
            for name, data in convert(sample, part, convention):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))


def write_records(records: Iterable[Record], file: BinaryIO) -> None:
    """Records of a part, one a line, to wait for their split's table."""
    for record in records:
        file.write(dumps(record).encode() + b"\n")


def records_of(source: Source, split: str, out: Path) -> Iterator[Record]:
    """The records of a split that its parts wrote, in order."""
    for part in source.parts:
        if part.split == split:
            with open(out / PARTS / part.name, encoding="utf-8") as lines:
                yield from map(json.loads, lines)


def put_text(path: Path, pieces: Iterable[str]) -> None:
    """Write a text piece by piece, so that a table need not fit into memory; whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as file:
        for piece in pieces:
            file.write(piece.encode())


def listed(items: Iterable[str]) -> Iterator[str]:
    """The JSON list of items that are JSON, in pieces."""
    before = "["
    for item in items:
        yield before + item
        before = ","
    yield "[]" if before == "[" else "]"


def keyed(items: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The JSON object of keys and values that are JSON, in pieces."""
    before = "{"
    for name, item in items:
        yield f"{before}{dumps(name)}:{item}"
        before = ","
    yield "{}" if before == "{" else "}"


def dumps(value: Any) -> str:
    """JSON without blanks."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
