"""The report as a page that opens from a folder: verdict, table of the checks, the worst samples with pictures."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

import numpy as np

from rigging.errors import InputError
from rigging.files import write_atomic

from ..store.layout import ReleaseFolder
from ..store.quoted import KINDS, Kind, Quoted, find_quoted
from ..store.release_manifest import data_hash
from ..store.shard_file import ShardError
from .figures import Check
from .page_pictures import write_pictures
from .report import CheckResult, Report, SampleResult, write_report
from .verdicts import CHECKS

log = logging.getLogger(__name__)

BINS = 24  # of a bar chart: from far within the limit to beyond it
PICTURES = "pictures"
WORDS = {"pass": "passed", "fail": "failed", "incomplete": "incomplete"}
LISTED = 200  # failed samples listed in the table below the pictures


def write_all(target: Path, folder: ReleaseFolder, report: Report, pictures: int) -> None:
    """Write pictures, page and report to the folder `target`; up to `pictures` samples are drawn, worst first."""
    worst = sorted(report.results, key=lambda one: (one.verdict != "fail", -one.score))[:pictures]
    (target / PICTURES).mkdir(parents=True)
    drawn = {}
    for one in worst:
        try:
            drawn[one.shard, one.row] = write_pictures(folder.shard(one.shard), one, target / PICTURES)
        except (ShardError, OSError, ValueError):
            continue  # its verdict says that it cannot be read
    quoted = [found for found in (_found(kind, folder, report) for kind in KINDS) if found]
    for name, plot in (pair for found in quoted for pair in found.plots.items()):
        write_atomic(target / PICTURES / f"{name}.png", plot.read_bytes())
    write_atomic(target / "index.html", page(report, worst, drawn, quoted).encode())
    write_report(target / folder.report.name, report)


def _found(kind: Kind, folder: ReleaseFolder, report: Report) -> Quoted | None:
    """The report of a kind that lies in the folder, if it is of what was validated."""
    try:
        return find_quoted(kind, folder, data_hash(report.shards.sha256))
    except InputError as error:  # the validation says nothing of it
        log.warning("%s", error)
        return None


def page(
    report: Report,
    worst: Sequence[SampleResult],
    drawn: Mapping[tuple[int, int], str],
    quoted: Sequence[Quoted] = (),
) -> str:
    """The page's HTML; `drawn` names the picture of (shard, row)."""
    title = f"{report.release or 'release'}: {WORDS[report.verdict]}"
    parts = [_head(report), _problems(report), _table(report), _samples(worst, drawn), _failed(report)]
    parts += [*map(_quoted, quoted), _shards(report)]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>{_style()}</style></head>\n'
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _style() -> str:
    return files(__package__).joinpath("report.css").read_text(encoding="utf-8")


def _head(report: Report) -> str:
    failed = sum(one.verdict == "fail" for one in report.results)
    expected = report.shards.expected
    shards = f"{report.shards.present} of {expected}" if expected is not None else f"{report.shards.present}"
    checks = sum(one.failed > 0 for one in report.checks)
    facts = (
        ("shards", shards), ("samples", f"{report.samples:,}"), ("samples failed", f"{failed:,}"),
        ("checks failed", f"{checks} of {len(report.checks)}"), ("other problems", f"{len(report.problems):,}"),
    )  # fmt: skip
    cells = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts)
    return (
        f'<header class="{report.verdict}"><p class="kind">Validation of a release</p>'
        f'<h1>{escape(report.release or "release")} <span class="verdict">{WORDS[report.verdict]}</span></h1>'
        f'<dl>{cells}</dl><p class="hash">configuration {escape(report.configuration_hash[:16])}</p></header>'
    )


def _problems(report: Report) -> str:
    if not report.problems:
        return ""
    lines = "".join(f"<li>{escape(line)}</li>" for line in report.problems[:LISTED])
    return f'<section><h2>Problems of the release</h2><ul class="problems">{lines}</ul></section>'


def _table(report: Report) -> str:
    """The checks that failed, and folded away beneath them (if any) the others."""
    failed = [one for one in report.checks if one.failed]
    passed = [one for one in report.checks if not one.failed]
    note = (
        '<p class="note">Each bar counts samples by their figure, from a perfect one at the left to the limit at the '
        "line; what lies beyond it, in red, failed.</p>"
    )
    rest = _rows(passed, report)
    if failed:
        rest = f"{_rows(failed, report)}<details><summary>{len(passed)} checks that passed</summary>{rest}</details>"
    return f"<section><h2>Checks</h2>{note}{rest}</section>"


def _rows(checks: Sequence[CheckResult], report: Report) -> str:
    rows = "".join(_row(one, report) for one in checks)
    return (
        '<table class="checks"><thead><tr><th>check</th><th>samples</th><th class="n">worst</th>'
        f'<th class="n">limit</th><th class="n">failed</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def _row(one: CheckResult, report: Report) -> str:
    worst = "not measured" if one.worst is None else _number(one.worst, one.unit)
    bound = "at least " if one.at_least else "at most "
    mark = ' class="bad"' if one.failed else ""
    return (
        f"<tr{mark}><td><b>{escape(one.name)}</b><span>{escape(one.what)}</span></td><td>{_bars(one, report)}</td>"
        f'<td class="n" data-l="worst"><b>{worst}</b><span>{escape(one.where)}</span></td>'
        f'<td class="n" data-l="limit">{bound}{_number(one.limit, one.unit)}</td>'
        f'<td class="n" data-l="failed">{one.failed or "0"}</td></tr>'
    )


def _number(value: float, unit: str) -> str:
    short = f"{value:.0e}" if 0 < abs(value) < 1e-3 else f"{value:.3g}"
    return escape(f"{short}{'' if unit.startswith('-') or not unit else ' '}{unit}")


def _bars(one: CheckResult, report: Report) -> str:
    """A histogram of how far the samples' figures are on their way to the limit, as a drawing."""
    values = [result.figures[one.name] for result in report.results if one.name in result.figures]
    if not values:
        return ""
    check: Check = CHECKS[one.name]
    severity = np.array([check.severity(np.inf if value is None else value) for value in values])
    place = np.clip(severity, 0, 1.999) * BINS / 2
    beyond = np.array([check.fails(np.nan if value is None else value) for value in values])
    good = np.bincount(np.minimum(place[~beyond].astype(int), BINS // 2 - 1), minlength=BINS)
    bad = np.bincount(np.maximum(place[beyond].astype(int), BINS // 2), minlength=BINS)
    most = max(good.max(), bad.max())
    bars = "".join(_bar(i, int(good[i]), "g", most) + _bar(i, int(bad[i]), "b", most) for i in range(BINS))
    line = f'<path d="M{BINS * 3} 0v30"/>'
    return f'<svg viewBox="0 0 {BINS * 6} 30" role="img"><title>{len(values)} samples</title>{bars}{line}</svg>'


def _bar(place: int, count: int, kind: str, most: int) -> str:
    if not count:
        return ""
    height = 2 + 26 * np.log1p(count) / np.log1p(most)
    return f'<rect class="{kind}" x="{place * 6 + 0.5}" y="{29 - height:.1f}" width="5" height="{height:.1f}"/>'


def _samples(worst: Sequence[SampleResult], drawn: Mapping[tuple[int, int], str]) -> str:
    cards = "".join(_card(one, drawn.get((one.shard, one.row))) for one in worst)
    if not cards:
        return ""
    note = "Drawn over each view: the outline of the stored mask, and the stored joints (hollow: hidden)."
    return f'<section><h2>Samples, worst first</h2><p class="note">{note}</p>{cards}</section>'


def _card(one: SampleResult, picture: str | None) -> str:
    lines = "".join(f"<li>{escape(line)}</li>" for line in one.messages) or "<li>all checks passed</li>"
    image = ""
    if picture:
        source = f"{PICTURES}/{picture}"
        about = f"all views of shard {one.shard} row {one.row}"
        image = f'<a href="{source}"><img src="{source}" alt="{about}" loading="lazy"></a>'
    return (
        f'<article class="{one.verdict}" id="s{one.shard}-{one.row}"><h3>shard {one.shard} row {one.row}'
        f"<span>sample {one.sample}</span><em>{one.verdict}</em></h3><ul>{lines}</ul>"
        f'<p class="note">worst figure: {one.score:.2g} times its limit</p>{image}</article>'
    )


def _failed(report: Report) -> str:
    failed = sorted((one for one in report.results if one.verdict == "fail"), key=lambda one: -one.score)
    if not failed:
        return ""
    rows = "".join(
        f"<tr><td>{one.shard}</td><td>{one.row}</td><td>{one.sample}</td><td>{escape(', '.join(one.failed))}</td></tr>"
        for one in failed[:LISTED]
    )
    more = f'<p class="note">and {len(failed) - LISTED} more, in report.json</p>' if len(failed) > LISTED else ""
    head = "<tr><th>shard</th><th>row</th><th>sample</th><th>checks that failed</th></tr>"
    return f"<section><h2>All that failed</h2><table><thead>{head}</thead><tbody>{rows}</tbody></table>{more}</section>"


def _quoted(found: Quoted) -> str:
    """What a command such as `mvhm statistics` found: a verdict is none of it."""
    kind = found.kind
    rows = "".join(f"<tr><td>{escape(name)}</td><td>{escape(text)}</td></tr>" for name, text in found.summary.items())
    plots = "".join(
        f"<article><h3>{escape(kind.plots[name])}</h3>"
        f'<img src="{PICTURES}/{name}.png" alt="{escape(kind.plots[name])}" loading="lazy"></article>'
        for name in found.plots
    )
    note = f'<p class="note">No part of the verdict, from mvhm {kind.command}: {escape(kind.about)}</p>'
    return f"<section><h2>{escape(kind.title)}</h2>{note}<table>{rows}</table>{plots}</section>"


def _shards(report: Report) -> str:
    rows = "".join(f"<li>{escape(name)} <code>{digest}</code></li>" for name, digest in report.shards.sha256.items())
    return f"<section><details><summary>Files that were validated (sha256)</summary><ul>{rows}</ul></details></section>"
