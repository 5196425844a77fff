"""The report as a page of Markdown, from its table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dataset_tools.progress import duration

from ..evaluate.across import Across, across_lines
from ..evaluate.compare import told
from ..evaluate.markdown import table
from ..evaluate.measures import digits
from ..metrics.intervals import Interval
from .claims import HOLDS
from .compare import Change

Table = Mapping[str, Any]
PAPER = "Chen et al., MVHM, WACV 2021, Table 2"


def page(report: Table, changed: Sequence[Change], caveats: Sequence[str], pictures: Sequence[str]) -> str:
    """The page; `pictures` are names of files beside it that were drawn."""
    parts = [
        _head(report),
        _tier0(report["tier0"]),
        _tier1(report["tier1"]),
        _tier2(report["tier2"], pictures),
        *map(_comparison, report["tables"]),
        _tier3(report["tier3"], pictures),
        _before(changed, caveats),
        _took(report["seconds"]),
    ]
    return "\n\n".join("\n".join(part) for part in map(list, parts) if part) + "\n"


def _head(report: Table) -> Iterator[str]:
    about = report["about"]
    yield f"# Gate: {about['release']}, preset {about['preset']}: **{report['verdict']}**\n"
    yield f"{report['summary']}\n"
    yield from (f"- **fails**: {line}" for line in report["problems"])
    if report["problems"]:
        yield ""
    yield f"Samples: {', '.join(f'{split} {count}' for split, count in about['splits'].items())}."
    if about["other"]:
        yield f"Data of another look: {about['other']}."
    yield f"Data hash `{about['data_hash']}`,"
    yield f"configuration `{about['configuration_hash']}`;"
    yield f"mvhm {about['mvhm']}, torch {about['torch']}, {about['device']}. `mvhm release --gate` takes `gate.json`."


def _tier0(tier: Table) -> Iterator[str]:
    yield "## Tier 0: the labels, without learning\n"
    yield f"Validation: {tier['state']}."
    yield from (f"- {line}" for line in tier["wrong"])
    if tier["triangulated"] is not None:
        yield f"Joints of the labels, projected and triangulated again: at most {tier['triangulated']:.2g} mm away."
    if not tier["mutated"]:
        return
    yield f"\nCopies of the first {tier['mutated']} samples, broken in one sample and in all; the untouched copy"
    yield f"{'passes' if tier['intact'] else '**does not pass**'}:\n"
    yield from table(
        ("broken", "rightly named, of", "noticed"),
        ((one["breaks"], f"{one['named']} of {one['tried']}", _yes(one["noticed"])) for one in tier["broken"]),
    )
    if tier["without"]:
        yield f"\nNot tried, for there is nothing to break: {', '.join(tier['without'])}."


def _tier1(tier: Sequence[Table] | None) -> Iterator[str]:
    yield "## Tier 1: few views by heart\n"
    if tier is None:
        yield "Not run."
        return
    yield "Error relative to the wrist, in camera axes, without an oracle, on the views that were trained on.\n"
    yield from table(
        ("estimator", "views", "error, mm", "allowed, mm", "mean pose, mm", "met"),
        (
            (one["estimator"], one["views"], _mm(one["error"]), _mm(one["limit"]), _mm(one["mean_pose"]),
             _yes(one["error"] is not None and one["error"] < one["limit"]))
            for one in tier
        ),
    )  # fmt: skip


def _tier2(tier: Table | None, pictures: Sequence[str]) -> Iterator[str]:
    yield "## Tier 2: do they rank as they should?\n"
    if tier is None:
        yield "Not run."
        return
    yield f"On `{tier['split']}`: {tier['samples']} samples of {tier['subjects']} subjects that nothing was trained on,"
    yield f"{tier['seeds']} seeds. Differences with 95 % intervals over subjects and seeds (paired bootstrap); a claim"
    yield "that must hold has to be separable from zero. Fewer than 20 subjects: too small.\n"
    yield from table(
        ("claim", "", "errors, mm", "difference, mm", "verdict"), (_claim(one) for one in tier["findings"])
    )
    yield from _picture("claims.png", "intervals of the claims", pictures)
    yield "\nAny averaging beats one view; the averages that need no training stand beside the network for that.\n"
    yield from table(
        ("way of estimating", "error, mm", "how"),
        ((name, _mm(mean), tier["made"][name]) for name, mean in tier["means"].items()),
    )
    yield "\nErrors are of 21 joints relative to the wrist, without an oracle; those of simulated detections (outliers)"
    yield "of the joints' places in the world."
    yield from _picture("pck.png", "share of joints within a threshold, by way of estimating", pictures)
    yield from _picture("predictions.png", "best, median and worst sample", pictures)


def _claim(one: Table) -> tuple[str, ...]:
    claim, interval = one["claim"], one["interval"]
    must = "must" if claim["must"] else ""
    if interval is None:
        return claim["says"], must, "-", "-", one["verdict"]
    errors = f"{_mm(one['better'])} against {_mm(one['worse'])}"
    difference = f"{interval['mean']:+.2f} ({interval['low']:+.2f} to {interval['high']:+.2f})"
    verdict = one["verdict"] if one["verdict"] == HOLDS or not must else f"**{one['verdict']}**"
    return claim["says"], must, errors, difference, verdict


def _comparison(one: Table) -> Iterator[str]:
    """A table that the preset asks for, as far as it was run."""
    wanted, found = one["table"], one["comparison"]
    yield f"## {wanted['title']}\n"
    yield from ([f"{wanted['says']}\n"] if wanted["says"] else [])
    if one["why"]:
        yield f"{one['why']}.\n"
    if found is None:
        return
    where = "the release" if wanted["on"] == "release" else "the other data"
    yield f"On `test_subject` of {where}: {found['samples']} samples of {found['subjects']} subjects; 95 % intervals,"
    yield f"and differences to {found['rows'][0]['name']}, bold if separable from zero.\n"
    names, paper = wanted["measures"], wanted["paper"]
    yield from table(
        ("", "seeds", *(["paper"] if paper else []), *names, *(f"difference, {name}" for name in names)),
        (
            (row["name"], row["seeds"], *([paper.get(row["name"], "-")] if paper else []),
             *(_told(row["figures"], name) for name in names),
             *(_told(row["differences"], name, "+") for name in names))
            for row in found["rows"]
        ),
    )  # fmt: skip


def _told(figures: Table, name: str, sign: str = "") -> str:
    return told(Interval(**figures[name]) if name in figures else None, digits(name), sign)


def _tier3(tier: Table | None, pictures: Sequence[str]) -> Iterator[str]:
    yield "## Tier 3: on every held-out split, and on real pictures\n"
    if tier is None:
        yield "Not run."
        return
    if tier["scores"]:
        names = list(tier["scores"][0]["figures"])
        yield "Oracle: with the labels' root depth and hand scale, as in the papers. The others are without.\n"
        yield from table(
            ("split", "estimator", "samples", "subjects", *names),
            (
                (one["split"], one["estimator"], one["samples"], one["subjects"],
                 *(_figure(one["figures"][name]) for name in names))
                for one in tier["scores"]
            ),
        )  # fmt: skip
    yield from _picture("splits.png", "share of joints within a threshold, by split", pictures)
    yield "\n### MVHM's Table 2\n"
    yield "AUC 0-50 mm / AUC 20-50 mm / mean error in mm, with the oracle. The paper's figures"
    yield f"({PAPER}) are of its own"
    yield "release, networks and training, and do not compare with synthetic test splits.\n"
    yield from table(("tested on", "estimator", "trained on", "paper", "here"), map(_table2, tier["table2"]))

    yield from _across(tier.get("across") or (), pictures)


def _across(rows: Sequence[Table], pictures: Sequence[str]) -> Iterator[str]:
    """The form of HAMR's Figures 6 and 7."""
    if not rows:
        return
    yield "\n### Across real data sets\n"
    yield "Without an oracle; 3D relative to the wrist, where no wrist is labelled with the joints' means made to"
    yield "coincide; 2D up to 30 px of a crop of 256. Joints: labelled ones of a crop (5: fingertips).\n"
    yield from across_lines(Across(**row) for row in rows)
    yield from _picture("across.png", "share of joints within a threshold in space and in the image, by set", pictures)


def _table2(row: Table) -> tuple[str, ...]:
    on = f"{row['data']} and the release" if row["release"] else f"{row['data']} alone"
    here = _three(row["ours"]) if row["ours"] else f"({row['why']})"
    return row["data"], row["estimator"], on, _three(row["paper"]), here


def _three(figures: Table) -> str:
    auc = [_figure(figures[name]) for name in ("auc_0_50", "auc_20_50")]
    return f"{auc[0]} / {auc[1]} / {_mm(figures['epe'])}"


def _before(changed: Sequence[Change], caveats: Sequence[str]) -> Iterator[str]:
    if not changed:
        return
    yield "## Since the report before\n"
    yield from (f"- {line}" for line in caveats)
    yield ""
    yield from table(("", "before", "now"), ((one.what, _any(one.before), _any(one.now)) for one in changed))


def _took(seconds: Mapping[str, float]) -> Iterator[str]:
    yield "## What took how long\n"
    rows = [(name, duration(value)) for name, value in seconds.items()]
    yield from table(("part", "took"), [*rows, ("in all", duration(sum(seconds.values())))])


def _picture(name: str, words: str, pictures: Sequence[str]) -> Iterator[str]:
    if name in pictures:
        yield f"\n![{words}]({name})"


def _mm(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}" if value <= 1 else f"{value:.2f}"


def _any(value: float | str | None) -> str:
    return value if isinstance(value, str) else _figure(value)


def _yes(value: bool) -> str:
    return "yes" if value else "**no**"
