"""Publishing: a folder of shards that is whole and validated becomes a versioned release; the manifest comes last."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from rigging.errors import InputError
from rigging.files import file_sha256, write_atomic

from ..check.report import Report
from ..load.index import SampleIndex, build_index, write_index
from ..progress import Progress
from ..store.layout import ReleaseFolder
from ..store.quoted import KINDS, Quoted, find_quoted
from ..store.release_manifest import data_hash, sealed
from .card import card
from .changelog import changelog
from .croissant import write_croissant
from .datasheet import datasheet
from .diff import compare, counted
from .diff_words import change_lines
from .facts import Facts, PublishedFile
from .gate import Gate, read_gate
from .hashes import hash_files
from .inventory import Inventory, take_stock
from .licences import licences
from .parquet import write_parquet
from .paths import last_components
from .preview import write_preview
from .previous import Previous, find_previous, forget, read_changelog, set_aside
from .refusals import check_own_texts, check_paths, check_words, passing_report
from .version import next_version

LIBRARIES = ("pyarrow", "mlcroissant")


@dataclass(frozen=True)
class Request:
    """What is to be published, and what only its maintainer knows."""

    path: Path
    version: str
    previous: Path | None = None  # folder of the version before, if it is another one
    gate: Path | None = None
    changes: str = ""  # Markdown
    homepage: str | None = None
    date: str | None = None  # YYYY-MM-DD
    licences: Mapping[str, str] = field(default_factory=dict)
    keep_paths: bool = False

    def __post_init__(self) -> None:
        if self.homepage is not None and not re.fullmatch(r"https?://[^\s]+", self.homepage):
            raise InputError(f"--homepage {self.homepage!r}: an address that begins with https:// is wanted")
        if self.date is not None:
            try:
                date.fromisoformat(self.date if re.fullmatch(r"\d{4}-\d\d-\d\d", self.date) else "")
            except ValueError:
                raise InputError(f"--date {self.date!r}: a date such as 2026-01-31 is wanted") from None


def publish(request: Request) -> Path:
    """Publish a folder and return its manifest; the same request on the same data writes the same bytes.

    Everything is checked before anything is written. Interrupted at any moment, the folder has no manifest.
    Raises InputError for what is not to be published, OSError for a folder that cannot be written.
    """
    need_libraries()
    stock = take_stock(request.path)
    folder, previous = stock.folder, find_previous(stock.folder, request.previous)
    for before in filter(None, (previous, find_previous(folder))):
        next_version(request.version, before.version)
    next_version(request.version, None)
    report = passing_report(stock)
    hashed_data = data_hash(stock.sha256s)
    gate = read_gate(request.gate, hashed_data) if request.gate else None
    quoted = tuple(filter(None, (find_quoted(kind, folder, hashed_data) for kind in KINDS)))
    check_own_texts(folder, request.gate)
    standing = standing_files(stock)
    check_paths(stock, [*standing, *filter(None, [request.gate])], request.keep_paths)
    index = with_verdicts(build_index(stock.paths), report)
    facts = _facts(request, stock, index, report, gate, quoted)
    hashed = _hashed(folder, standing, stock.sha256s)
    facts = dataclasses.replace(facts, shards=tuple(hashed[path] for path in stock.paths))
    facts = dataclasses.replace(facts, changes=_changes(request, facts, hashed.values(), previous))
    check_words({**manifest_values(facts, []), "changes": facts.changes})
    set_aside(folder)
    written = _write(folder, facts, previous.changelog if previous else read_changelog(folder))
    files = sorted((*hashed.values(), *written), key=lambda file: file.path)
    write_atomic(folder.release_manifest, sealed(manifest_values(facts, files)))
    forget(folder)
    return folder.release_manifest


def need_libraries() -> None:
    """Raise InputError where the extra `publish` is not installed, before anything is done."""
    missing = [name for name in LIBRARIES if find_spec(name) is None]
    if missing:
        raise InputError(f"publishing needs {', '.join(missing)}: pip install -c constraints.txt '.[publish]'")


def standing_files(stock: Inventory) -> list[Path]:
    """Files that are published as they lie there: shards, manifests, sheets, plan, rejects, reports."""
    folder, out = stock.folder, list(stock.paths)
    for shard in range(len(stock.manifests)):
        out += [folder.manifest(shard), folder.sheet(shard)]
    out += [folder.plan, folder.rejects]
    reports = [folder.validation, *(kind.table(folder).parent for kind in KINDS)]
    parts = [path for of in reports for path in of.rglob("*") if path.is_file()]
    hidden = [path for path in parts if any(part.startswith(".") for part in path.relative_to(folder.path).parts)]
    return [path for path in (*out, *sorted(set(parts) - set(hidden))) if path.is_file()]


def with_verdicts(index: SampleIndex, report: Report) -> SampleIndex:
    """The index with the validation's verdict on each sample. Raises InputError where the report has none."""
    keys = list(zip(index["shard"].tolist(), index["row"].tolist()))
    verdicts = [report.verdict_of(*key) for key in keys]
    if "" in verdicts:
        shard, row = keys[verdicts.index("")]
        raise InputError(f"the validation report has no verdict of row {row} of shard {shard}")
    return index.with_column("verdict", np.array(verdicts))


def _facts(
    request: Request, stock: Inventory, index: SampleIndex, report: Report, gate: Gate | None,
    quoted: tuple[Quoted, ...],
) -> Facts:  # fmt: skip
    header = stock.headers[0]
    terms = licences(stock.settings, stock.clips, stock.asset, index, request.licences)
    return Facts(
        version=request.version, date=request.date, homepage=request.homepage, name=header["release"],
        schema_version=header["schema_version"], configuration=last_components(stock.configuration),
        configuration_hash=header["configuration_hash"], device=header["device"],
        package_versions=stock.manifests[0]["package_versions"], sizes=header["sizes"], retarget=header["retarget"],
        index=index, licences=terms, report=report, gate=gate, quoted=quoted,
        shards=(), data_hash=data_hash(stock.sha256s), changes="",
    )  # fmt: skip


def _hashed(folder: ReleaseFolder, paths: list[Path], known: Mapping[str, str]) -> dict[Path, PublishedFile]:
    """Size and sha256 of files. Raises InputError where a shard is not what its manifest says, OSError."""
    with Progress("sha256", sum(path.stat().st_size for path in paths), "B") as progress:
        digests = hash_files(paths, progress.add)
    out = {}
    for path, sha256 in digests.items():
        if isinstance(sha256, OSError):
            raise sha256
        if known.get(path.name, sha256) != sha256:
            raise InputError(
                f"{path}: sha256 {sha256[:12]}.. is not its manifest's {known[path.name][:12]}..: it is damaged"
            )
        out[path] = PublishedFile(path.relative_to(folder.path).as_posix(), path.stat().st_size, sha256)
    return out


def _changes(request: Request, facts: Facts, files: Iterable[PublishedFile], previous: Previous | None) -> str:
    """The changelog's entry: the maintainer's words, then what a comparison with the version before says."""
    if previous is None:
        return request.changes.strip() or "First release."
    values = manifest_values(facts, list(files))
    lines = change_lines(compare(previous.manifest, values, previous.index, facts.index))
    found = "\n".join(f"- {line}" for line in lines) or "- the data is the same"
    return f"{request.changes.strip()}\n\nSince {previous.version}:\n\n{found}".strip()


def _write(folder: ReleaseFolder, facts: Facts, before: str) -> list[PublishedFile]:
    """Write everything but the manifest; `before` is the changelog so far."""
    write_index(folder.index, facts.index)
    write_parquet(folder.index_parquet, facts.index)
    write_preview(folder, facts.index)
    if facts.gate is not None:
        write_atomic(folder.gate, facts.gate.data)
    texts = {
        folder.card: card(facts, folder), folder.datasheet: datasheet(facts),
        folder.changelog: changelog(facts.name, facts.version, facts.date, facts.changes, before),
    }  # fmt: skip
    for path, text in texts.items():
        write_atomic(path, text.encode())
    write_croissant(folder.croissant, facts, _published(folder, folder.index_parquet))
    gate = [folder.gate] if facts.gate is not None else []
    paths = [folder.index, folder.index_parquet, folder.preview, *gate, *texts, folder.croissant]
    return [_published(folder, path) for path in paths]


def _published(folder: ReleaseFolder, path: Path) -> PublishedFile:
    return PublishedFile(path.relative_to(folder.path).as_posix(), path.stat().st_size, file_sha256(path))


def manifest_values(facts: Facts, files: list[PublishedFile]) -> dict[str, Any]:
    """What the manifest says of a release."""
    report, gate = facts.report, facts.gate
    quoted = {of.kind.command: {"summary": of.summary, "sha256": of.sha256} for of in facts.quoted}
    return {
        "name": facts.name, "version": facts.version, "date": facts.date, "homepage": facts.homepage,
        "schema_version": facts.schema_version, "configuration_hash": facts.configuration_hash,
        "configuration": facts.configuration, "seeds": {"release": facts.settings.get("seed")}, "device": facts.device,
        "package_versions": facts.package_versions, "sizes": facts.sizes, "samples": facts.samples,
        "images": facts.images, "splits": counted(facts.index),
        "licences": [dataclasses.asdict(licence) for licence in facts.licences],
        "validation": {
            "verdict": report.verdict, "samples": report.samples,
            "checks": [dataclasses.asdict(check) for check in report.checks],
        },
        "gate": gate and {"verdict": gate.verdict, "summary": gate.summary, "sha256": gate.sha256},
        **{kind.command: quoted.get(kind.command) for kind in KINDS},
        "data_hash": facts.data_hash, "files": [dataclasses.asdict(file) for file in files],
    }  # fmt: skip
