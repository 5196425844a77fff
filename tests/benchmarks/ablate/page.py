"""The sections of docs/ablation.md, from what was measured: every figure with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dataset_tools.progress import duration
from dataset_tools.statistics.picture_measures import RING_NAMES, RINGS

from ..page import processor
from ..tables import row, rule
from .learn import AGAINST, MEASURES, OTHERS, OWN
from .study import Study

COMMAND = "python -m tests.benchmarks.ablate"
START = f"""# Ablations: what pictures teach, factor by factor

`{COMMAND}` renders once, in linear light, and makes the pictures of every variant of these renders;
poses, hands, cameras, lights and labels are the same in all of them, to the byte. It writes this page.

```
{COMMAND} --folder out/ablate --real hanco=/data/HanCo     # renders, trains and tests
{COMMAND} --folder out/judged --release tests/benchmarks/ablate/judge.toml \\
    --per-tone 130 --parts render develop pictures judge page --judge .venv-judge/bin/python --photographs photos
{COMMAND} --folder /tmp/ablate --quick                     # tries it: 8 samples, two variants
```

- What is varied is a list, [variants.toml](../tests/benchmarks/ablate/variants.toml), of keys of `[look]` and
  `[render]` ([releases.md](releases.md)); `--variants` takes another, `--only` some of it. A key of `[look]` that would
  change what the path tracer sees is refused; one of `[render]` makes renders of its own.
- FOLDER/variants/NAME is a release as any other, which `mvhm statistics`, `make judge` and loaders take.
- An interrupted run goes on where it was. What a variant's name stands for may change: its shard is then made anew, and
  only it. After a change of code, remove FOLDER/variants (and FOLDER/hands, if it is rendering that changed).
- `--real NAME=PATH` tests on a real data set of yours, too ([real_data.md](real_data.md)); again for each.
"""
OF_PICTURES = ("noise", "contrast", "saturation", "exposure", "clipped")
OF_JUDGE = ("all", "onto a face", "seen from: palm", "seen from: back", "seen from: edge on")
PREFIXES = ("tones: ", "arm: ", "background: ")
PICTURES, JUDGE = "Image statistics", "The outside detector"
ABOUT_PICTURES = """As [statistics.md](statistics.md) defines them: mean over the pictures, and standard deviation. The
first columns are the spectrum in rings of so many cycles per picture, log10."""
ABOUT_JUDGE = """Hands that MediaPipe finds ([judge.md](judge.md)), % of the views of a group. In brackets 95 %
intervals over subjects; none where fewer than 5 subjects, or all alike, say nothing. After a semicolon the difference
to what the variant is compared with, in points, on the same views."""


def learned_sections(table: Mapping[str, Any], study: Study, seconds: Mapping[str, float]) -> list[str]:
    """How it was done and a section of each kind of variant, then every test by itself."""
    sections: dict[str, list[str]] = {}
    for name, one in table["rows"].items():
        sections.setdefault(one["section"], []).append(name)
    told = [f"## {title}\n\n{errors_table(table, names)}" for title, names in sections.items()]
    return [f"## Trained on each\n\n{made(table, study, seconds)}", *told, f"## Every test\n\n{cross_table(table)}"]


def made(table: Mapping[str, Any], study: Study, seconds: Mapping[str, float]) -> str:
    """What was trained and tested, how long it took and where."""
    release, held = study.release, table["tests"][next(iter(table["rows"]))]
    took = ", ".join(f"{part} {duration(spent)}" for part, spent in seconds.items())
    trial = (
        f"\n\nA trial, with {', '.join(f'`{one}`' for one in table['sets'])}: it says nothing." if table["sets"] else ""
    )
    return f"""{release.samples} samples in {release.cameras.views} views of {release.render.width} x \
{release.render.height} px; an estimator of joints (`estimator.toml`) on crops of 64 px, {table["seeds"]} seeds each,
tested on {held["samples"]} samples of {held["subjects"]} subjects that were not trained on: those of its own variant,
the mean over those of all others, and real ones if given.

Errors are of joints in mm, relative to the wrist without an oracle, mean of the views of a sample, with 95 % intervals
over subjects and seeds. A difference is to the variant named beside it, paired by sample and seed on the same pictures
(less is better), and **bold** if separable from zero.

`{COMMAND}`, on {processor()}: {took}.{trial}"""


def errors_table(table: Mapping[str, Any], names: Sequence[str]) -> str:
    """Errors and differences of some variants, with intervals."""
    rows = table["rows"]
    real = [test for test in table["tests"] if test not in rows]
    columns, differences = [OWN, OTHERS, *real], [AGAINST, OTHERS, *real]
    lines = head("trained on", *columns, "compared with", *(f"difference on {one}" for one in differences))
    for name in names:
        one = rows[name]
        errors = [interval_text(one["mm"].get(column)) for column in columns]
        less = [interval_text(one["less"].get(column), "+") for column in differences]
        lines.append(row(f"{name}: {one['says']}", *errors, one["against"] or "-", *less))
    return "\n".join(lines)


def head(*cells: str) -> list[str]:
    """The first lines of a table."""
    return [row(*cells), rule(dict.fromkeys(cells[1:]))]


def interval_text(found: Mapping[str, Any] | None, sign: str = "") -> str:
    """The mean of a row's first measure with its interval; with the sign "+" a difference."""
    if found is None:
        return "-"
    one = found[MEASURES[0]]
    mean, low, high = (f"{one[name]:{sign}.1f}" for name in ("mean", "low", "high"))
    mark = "**" if sign and one["verdict"] in ("better", "worse") else ""
    return f"{mark}{mean}{mark} ({low} to {high})"


def cross_table(table: Mapping[str, Any]) -> str:
    """The mean error of every training on every test."""
    tests = list(table["tests"])
    lines = ["Mean errors in mm over seeds: a row is what was trained on, a column what was tested on.", ""]
    lines += head("", *tests)
    for name, errors in table["cross"].items():
        lines.append(row(name, *(f"{errors[test]:.1f}" for test in tests)))
    return "\n".join(lines)


def pictures_section(table: Mapping[str, Any]) -> str:
    """Spectrum by ring and other measures: mean and standard deviation."""
    known = [name for name in (*RING_NAMES, *OF_PICTURES) if any(name in of["measures"] for of in table.values())]
    titles = {name: f"{low} to {high}" for name, (low, high) in zip(RING_NAMES, RINGS)}
    lines = [f"## {PICTURES}", "", ABOUT_PICTURES, "", *head("", *(titles.get(name, name) for name in known))]
    for name, of in table.items():
        cells = (_measure(of["measures"].get(measure), 1 if measure == "noise" else 3) for measure in known)
        lines.append(row(f"{name} ({of['pictures']})", *cells))
    return "\n".join(lines)


def _measure(found: Mapping[str, float] | None, digits: int) -> str:
    return "-" if found is None else f"{found['mean']:.{digits}f} ± {found['std']:.{digits}f}"


def judge_section(table: Mapping[str, Any], study: Study) -> str:
    """Shares of hands found by group of views, with differences: a table of each kind of variant."""
    sections: dict[str, list[str]] = {}
    for variant in study.variants:
        sections.setdefault(variant.section, []).append(variant.name)
    tables = (f"{title}:\n\n{judge_table({name: table[name] for name in names})}" for title, names in sections.items())
    return "\n\n".join([f"## {JUDGE}", ABOUT_JUDGE, *tables])


def judge_table(table: Mapping[str, Any]) -> str:
    """Groups of views in rows, variants in columns."""
    named = {name for of in table.values() for name in of}
    groups = [*OF_JUDGE, *(name for prefix in PREFIXES for name in sorted(named) if name.startswith(prefix))]
    lines = head("found, %", *table)
    for group in (group for group in groups if group in named):
        views = sorted({of[group]["views"] for of in table.values() if group in of})
        cells = (found_text(of.get(group)) for of in table.values())
        lines.append(row(f"{group} ({', '.join(map(str, views))} views)", *cells))
    return "\n".join(lines)


def found_text(one: Mapping[str, Any] | None) -> str:
    """A rate in percent with its interval, and a difference in points with its own."""
    if one is None:
        return "-"
    text = _percent(one["found"], "")
    return f"{text}; {_percent(one['more'], '+')}" if "more" in one else text


def _percent(found: Mapping[str, Any], sign: str) -> str:
    values = [found["mean"], *(found["interval"] or ())]
    mean, *ends = (f"{100 * value:{sign}.1f}" for value in values)
    return f"{mean} ({' to '.join(ends)})" if ends else mean
