"""The data set's card (README.md), in the form of Hugging Face's hub: a YAML head, then Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from ..check.report import CheckResult
from ..format.optional import OPTIONAL_FIELDS, WITH_OPTIONAL, fields_with
from ..format.schema import SAMPLE_FIELDS
from ..store.layout import ReleaseFolder
from ..store.quoted import Quoted
from .facts import NO_GATE, Facts
from .wording import PAPER, citation, description, hand, limits, number, repeatable, size, summary_of_checks, title

MADE_BY = "<!-- written by mvhm release; the next release overwrites it -->"
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"),
         (10_000_000, "1M<n<10M"))  # fmt: skip
TAGS = ("hand-pose-estimation", "hand-mesh", "multi-view", "synthetic", "optical-flow", "depth", "hdf5", "mvhm")
TASKS = ("keypoint-detection", "image-segmentation", "depth-estimation", "image-to-3d")
MOST_ROWS = 12  # values of a column that are listed one by one


def card(facts: Facts, folder: ReleaseFolder) -> str:
    """The card's text."""
    sections = (
        _what(facts, folder), _splits(facts), _fields(facts), _loading(facts, folder), _making(facts),
        _composition(facts), *(_quoted(found, folder) for found in facts.quoted), _validation(facts), _limits(facts),
        _licences(facts), _citing(facts),
    )  # fmt: skip
    return "\n\n".join([_head(facts, folder), MADE_BY, *filter(None, sections)]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines
    )


def hub_licence(facts: Facts) -> list[str]:
    """Lines of the head that name the licence: those of all that went in, or `other` if one has no identifier."""
    names = sorted({licence.identifier for licence in facts.licences})
    if "other" in names:
        return ["license: other", "license_name: mixed", "license_link: README.md#licence-and-attribution"]
    return ["license:", *(f"- {name}" for name in names)]


def _head(facts: Facts, folder: ReleaseFolder) -> str:
    sizes = next((name for most, name in SIZES if facts.samples < most), "n>10M")
    lines = ["---", *hub_licence(facts), f"pretty_name: {json.dumps(title(facts))}", "tags:"]
    lines += [f"- {tag}" for tag in TAGS] + ["task_categories:"] + [f"- {task}" for task in TASKS]
    lines += ["size_categories:", f"- {sizes}", "configs:", "- config_name: index", "  data_files:"]
    lines += ["  - split: samples", f"    path: {folder.index_parquet.name}", "---"]
    return "\n".join(lines)


def _what(facts: Facts, folder: ReleaseFolder) -> str:
    about = [
        f"version {facts.version}" + (f" ({facts.date})" if facts.date else ""),
        f"{size(facts.bytes)} in {number(len(facts.shards), 'shard')} (HDF5, schema {facts.schema_version})",
        f"validation: {facts.report.verdict}", facts.estimators, f"[changes]({folder.changelog.name})",
    ]  # fmt: skip
    return "\n\n".join([
        f"# {title(facts)}", description(facts), ", ".join(about),
        f"![A row a sample: what four cameras see, then parts, depth and normals of the first]({folder.preview.name})",
        f"Homepage: {facts.homepage}" if facts.homepage else "",
    ]).rstrip()  # fmt: skip


def _splits(facts: Facts) -> str:
    views = facts.sizes["V"]
    rows = [(f"`{name}`", n.samples, n.samples * views, n.pairs, n.subjects) for name, n in facts.splits.items()]
    rows.append(("all", facts.samples, facts.images, len(facts.counts("pair")), len(facts.counts("subject"))))
    unit, poses = facts.unit, "two" if facts.poses <= 2 else str(facts.poses)
    note = f"A {unit} is {poses} neighbouring poses of one subject under one light; no {unit} is cut by the splits."
    held = [name.removeprefix("test_") for name in facts.splits if name.startswith("test_") and name != "test_all"]
    if held:
        note += f" `test_X` holds out X ({', '.join(held)}) and shares the strata of everything else with `train`."
    return "## Splits\n\n" + table(("split", "samples", "images", f"{unit}s", "subjects"), rows) + f"\n\n{note}"


def _fields(facts: Facts) -> str:
    fields = fields_with(() if facts.schema_version < WITH_OPTIONAL else OPTIONAL_FIELDS)
    shown = [field for field in fields.values() if field.group != "metadata"]
    rows = [
        (f"`{f.name}`", f"({', '.join(str(facts.sizes.get(n, n)) for n in f.shape)}) {f.dtype}", f.unit, f.description)
        for f in shown
    ]
    meta = ", ".join(f"`{field.name}`" for field in SAMPLE_FIELDS.values() if field.group == "metadata")
    return "\n\n".join([
        "## Fields", "Of every sample, as the loader gives them. Metres, pixels, radians; cameras look along +z, x "
        "right, y down; the centre of the top left pixel is (0.5, 0.5).",
        table(("field", "shape", "unit", "what"), rows), f"`sample[\"meta\"]`: {meta}.",
    ])  # fmt: skip


def _loading(facts: Facts, folder: ReleaseFolder) -> str:
    first = next(iter(facts.splits))
    return "\n".join([
        "## How to load", "", "```python", "from dataset_tools import HandDataset   # mvhm's loader: pip install .", "",
        f'hands = HandDataset("path/to/{facts.name}")   # the folder with this file',
        f'{first} = hands.select(split="{first}")',
        f'rgb, joints = {first}[0]["rgb"], {first}[0]["joints_world"]', "```", "",
        f"Choose samples without opening shards by `{folder.index.name}` or `{folder.index_parquet.name}`, one row a "
        "sample. `mvhm verify FOLDER` says whether a copy is whole.",
    ])  # fmt: skip


def _making(facts: Facts) -> str:
    s, versions = facts.settings, facts.package_versions
    made = [("release seed", s.get("seed", "?")), ("device", facts.device), ("retargeting", facts.retarget),
            ("configuration", f"`{facts.configuration_hash}`"), ("data hash", f"`{facts.data_hash}`"),
            ("packages", ", ".join(f"{name} {version}" for name, version in sorted(versions.items())))]  # fmt: skip
    return "\n\n".join([
        "## How it was made",
        f"With mvhm, an open implementation of the pipeline of *{PAPER}*: poses are chosen to be far from each other, "
        f"matched to the rig, posed and skinned; Blender's Cycles renders each sample from {_cameras(s)}; labels "
        f"come from an exact rasteriser over the very mesh that is rendered. {repeatable(facts)}",
        table(("", ""), made), "All settings are in `manifest.json`, under `configuration`.",
    ])  # fmt: skip


def _cameras(settings: dict[str, Any]) -> str:
    """What the cameras of a release's settings are."""
    rig = settings.get("cameras", {}).get("rig", "ring")
    return {"ring": "a ring of cameras", "random": "cameras anywhere around it", "egocentric": "cameras on the head",
            "wrist": "cameras on the wrist"}.get(rig, "cameras as somebody calibrated them")  # fmt: skip


def _composition(facts: Facts) -> str:
    low, high = facts.span("ita")
    short, tall = facts.span("hand_length")
    rows = [("subjects", len(facts.counts("subject"))), ("skin tone, ITA", f"{low:.0f} to {high:.0f} degrees"),
            ("hand length", f"{1000 * short:.0f} to {1000 * tall:.0f} mm"), ("hand", _sides(facts))]  # fmt: skip
    for column, name in (("monk_bin", "Monk skin tone"), ("pose_source", "poses"), ("arm_style", "arm"),
                         ("background", "background"), ("light", "panorama of light")):  # fmt: skip
        counts = facts.counts(column)
        if column == "monk_bin":
            counts = dict(sorted(counts.items(), key=lambda item: int(item[0])))
        texts = [f"{value or 'none'}: {n}" for value, n in counts.items()]
        rows.append((name, ", ".join(texts) if len(texts) <= MOST_ROWS else f"{len(texts)} different"))
    return "## Composition\n\n" + table(("", "samples"), rows)


def _sides(facts: Facts) -> str:
    """The hand shown; of both, how many samples show each."""
    counts = facts.counts("hand")
    return ", ".join(f"{side}: {n}" for side, n in counts.items()) if len(counts) > 1 else hand(facts)


def _quoted(found: Quoted, folder: ReleaseFolder) -> str:
    """What a command such as `mvhm statistics` found, where it was run."""
    where = found.kind.table(folder).relative_to(folder.path)
    plots = "\n\n".join(
        f"![{found.kind.plots[name]}]({where.parent}/{plot.name})" for name, plot in found.plots.items()
    )
    told = f"{found.kind.about} All figures are in `{where}`."
    return f"## {found.kind.title}\n\n{told}\n\n{table(('', ''), found.summary.items())}\n\n{plots}".rstrip()


def _validation(facts: Facts) -> str:
    rows = [(c.name, c.what, _limit(c), _measure(c.worst, c.unit), c.failed) for c in facts.report.checks]
    figures = [table(("check", "what", "limit", "worst", "failed"), rows)] if rows else []
    return "\n\n".join(["## Validation", summary_of_checks(facts), *figures, _estimators(facts)])


def _limit(check: CheckResult) -> str:
    return f"{'at least' if check.at_least else 'at most'} {_measure(check.limit, check.unit)}"


def _measure(value: float | None, unit: str) -> str:
    """A figure with its unit, "-" for nothing that could be measured."""
    return "-" if value is None else f"{value:.4g} {unit if unit != '-' else ''}".rstrip()


def _estimators(facts: Facts) -> str:
    if facts.gate is None:
        return (
            f"**{NO_GATE}**: no estimator has been trained on this release yet to prove that its labels are learnable."
        )
    summary = facts.gate.summary
    text = summary if isinstance(summary, str) else json.dumps(summary, sort_keys=True)
    return f"**{facts.estimators}** on this very data (`gate.json`). {text if summary else ''}".rstrip()


def _limits(facts: Facts) -> str:
    return "## Known limits\n\n" + "\n".join(f"- {line}" for line in limits(facts))


def _licences(facts: Facts) -> str:
    rows = [(x.what, x.licence, x.attribution, "; ".join(x.sources)) for x in facts.licences]
    return "\n\n".join([
        "## Licence and attribution", table(("what", "licence", "by", "source"), rows),
        "Skin, sleeves and rooms are generated by mvhm and hold nothing of third parties. The terms of all rows "
        "apply together.",
    ])  # fmt: skip


def _citing(facts: Facts) -> str:
    return f"## Citation\n\n```bibtex\n{citation(facts)}\n```"
