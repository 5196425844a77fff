"""Why a whole folder is not published: its validation, paths of somebody's machine, files that are not ours."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from rigging.errors import InputError

from ..check.report import Report, read_report
from ..store.layout import ReleaseFolder
from .card import MADE_BY
from .inventory import Inventory
from .paths import in_home, paths_in_settings, paths_in_words

log = logging.getLogger(__name__)
TEXTS = (".json", ".html", ".csv", ".txt", ".md", ".svg", ".js", ".css")


def passing_report(stock: Inventory) -> Report:
    """The report of the validation, if it is of exactly these bytes and passes. Raises InputError."""
    path = stock.folder.report
    if not path.is_file():
        raise InputError(f"{path}: no validation report; run mvhm validate {stock.folder.path} first")
    report = read_report(path)
    again = f"run mvhm validate {stock.folder.path} again"
    checked = report.shards.sha256
    for name in sorted(set(checked) ^ set(stock.sha256s)):
        side = "the report does not know it" if name in stock.sha256s else "it is only in the report"
        raise InputError(f"{path}: not of these shards: {name}: {side}; {again}")
    for name, sha256 in stock.sha256s.items():
        if checked[name] != sha256:
            raise InputError(f"{path}: not of these bytes: {name} was another when it was validated; {again}")
    if report.configuration_hash != stock.headers[0]["configuration_hash"]:
        raise InputError(f"{path}: of another configuration ({report.configuration_hash[:12]}..); {again}")
    if report.verdict != "pass":
        raise InputError(f"{path}: the verdict is {report.verdict!r}, only 'pass' is published{_why(report)}")
    if len(report.results) != sum(manifest["samples"] for manifest in stock.manifests):
        raise InputError(f"{path}: has verdicts of {len(report.results)} samples only; {again}")
    return report


def _why(report: Report) -> str:
    failed = [check.name for check in report.checks if check.failed]
    reasons = [*report.problems[:1], *([f"failed: {', '.join(failed[:3])}"] if failed else [])]
    return f" ({'; '.join(reasons)})" if reasons else ""


def check_own_texts(folder: ReleaseFolder, gate: Path | None) -> None:
    """Raise InputError where a file that would be written over, or contradict the release, is not of a release."""
    if folder.card.exists() and MADE_BY.encode() not in folder.card.read_bytes():
        raise InputError(f"{folder.card}: not written by mvhm release; move it away, the card takes its place")
    if gate is None and folder.gate.exists():
        raise InputError(
            f"{folder.gate}: lies there, but --gate was not given: add --gate {folder.gate}, or move it away"
        )


def check_paths(stock: Inventory, published: Iterable[Path], keep: bool) -> None:
    """Refuse what tells a home folder, unless `keep`; warn of other absolute paths. Raises InputError.

    Looked at are the attributes of all shards, the plan and every text that is published. They cannot be changed
    without changing what was validated, so it is the maintainer who decides.
    """
    for where, paths in _named(stock, published):
        homes = [path for path in paths if in_home(path)]
        if homes and not keep:
            raise InputError(
                f"{where}: names a home folder ({homes[0]!r}), which would be published: render with paths that name "
                "nobody, or publish it as it is with --keep-paths"
            )
        if paths:
            log.warning("%s names a path of this machine (%r), which is published", where, paths[0])


def check_words(values: dict) -> None:
    """Raise InputError where what is written would hold an absolute path, in words of the maintainer or a report."""
    if paths := paths_in_words(values):
        raise InputError(
            f"{paths[0]!r} would be published, a path of this machine: leave it out of --changes, --licence, the "
            "gate's summary or the validation's report, whichever says it"
        )


def _named(stock: Inventory, published: Iterable[Path]) -> Iterable[tuple[Path, list[str]]]:
    seen: set[str] = set()
    for manifest, header in zip(stock.manifests, stock.headers):
        paths = _of_header(header)
        yield stock.folder.path / manifest["file"], [path for path in paths if path not in seen]
        seen |= set(paths)  # all shards say the same: once is enough
    yield stock.folder.plan, paths_in_plan(stock.folder.plan)
    for path in published:
        if path.suffix in TEXTS:
            yield path, paths_in_words(_parsed(path.read_text(encoding="utf-8", errors="replace")))


def _of_header(header: dict) -> list[str]:
    found: list[str] = []
    for value in header.values():
        if isinstance(value, str):
            found += paths_in_settings(_parsed(value))
    return list(dict.fromkeys(found))


def paths_in_plan(path: Path) -> list[str]:
    """Absolute paths among the texts of a plan."""
    found: list[str] = []
    with np.load(path, allow_pickle=False) as plan:
        for name in plan.files:
            array = plan[name]
            if array.dtype.kind == "U":
                found += paths_in_settings([_parsed(text) for text in np.unique(array).tolist()])
    return list(dict.fromkeys(found))


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text
