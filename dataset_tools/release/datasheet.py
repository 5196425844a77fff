"""The datasheet (Gebru et al. 2021, Datasheets for Datasets), answered from the data where it can be."""

from __future__ import annotations

from .card import MADE_BY
from .facts import Facts
from .wording import PAPER, citation, description, limits, number, repeatable, size, summary_of_checks, title

Answers = list[tuple[str, str]]


def datasheet(facts: Facts) -> str:
    """The datasheet's text."""
    parts = (
        ("Motivation", _motivation(facts)), ("Composition", _composition(facts)), ("Collection", _collection(facts)),
        ("Preprocessing and labelling", _labelling(facts)), ("Uses", _uses(facts)),
        ("Distribution", _distribution(facts)), ("Maintenance", _maintenance(facts)),
    )  # fmt: skip
    lines = [f"# Datasheet of {title(facts)}, version {facts.version}", MADE_BY]
    for name, answers in parts:
        lines.append(f"## {name}")
        lines += [f"**{question}**\n{answer}" for question, answer in answers]
    return "\n\n".join(lines) + "\n"


def _motivation(facts: Facts) -> Answers:
    return [
        ("For what purpose was the dataset created?",
         "To train and test estimators of 3D hand pose and hand mesh from one or several calibrated cameras, with "
         f"exact labels, as an open implementation of the pipeline of {PAPER}, whose data were not published."),
        ("Who created it, and who paid for it?",
         "Not recorded in the data; see the homepage." if facts.homepage else "Not recorded in the data."),
    ]  # fmt: skip


def _composition(facts: Facts) -> Answers:
    splits = ", ".join(f"{name} {n.samples}" for name, n in facts.splits.items())
    shards = f"{size(facts.bytes)} in {number(len(facts.shards), 'shard')}"
    unit, poses = facts.unit, "the two poses of a pair" if facts.unit == "pair" else "neighbouring poses of a clip"
    valid = f"Optical flow is defined between {poses}, and marked invalid where there is no neighbour."
    return [
        ("What do the instances represent?", description(facts)),
        ("How many are there?", f"{number(facts.samples, 'sample')}, {number(facts.images, 'image')}, {shards}."),
        ("Is it a sample of a larger set?",
         "Poses were chosen from a larger pool of candidates to be far from each other (k-centre); everything else was "
         "drawn from the release's seed."),
        ("Is there a label for each instance?", "Yes, all of them; the card lists the fields."),
        ("Is information missing?", valid),
        ("Are relations between instances explicit?",
         "Yes: `pair` (neighbouring poses), `subject`, `clip` (the recording a pose is from)."),
        ("Are there recommended splits?",
         f"Yes, stored with each sample and in the index: {splits}. {unit.capitalize()}s are never cut."),
        ("Are there errors, noise or redundancies?",
         f"{summary_of_checks(facts)} {unit.capitalize()}s show nearly the same pose on purpose. Codecs are lossy "
         "within stated bounds (depth, normals, flow, JPEG)."),
        ("Is it self-contained?", "Yes."),
        ("Does it hold confidential, offensive or personal data?",
         "Hands, skins and rooms are synthetic; poses are numbers. "
         + ("Photographs behind the hand are the maintainer's: who is in them is not known here."
            if "folder" in facts.counts("background") else "No person was photographed.")),
        ("Are subpopulations identified?",
         "Skin tone is stored as ITA and Monk bin, drawn so that the whole range is covered; the card has the counts."),
    ]  # fmt: skip


def _collection(facts: Facts) -> Answers:
    sources = ", ".join(f"{name} ({n} samples)" for name, n in facts.counts("pose_source").items())
    return [
        ("How was the data acquired?",
         f"Rendered with Blender's Cycles by mvhm on {facts.device}. Poses are from: {sources}."),
        ("What was the sampling strategy?",
         "A plan drawn once from the release's seed "
         f"({facts.settings.get('seed', 'see manifest.json')}), before any picture was made."),
        ("Over what time was it collected?", f"Published {facts.date}." if facts.date else "Not recorded."),
        ("Were ethical reviews conducted, did people consent?",
         "No people were recorded for this release. Recordings of poses keep the terms that they were published with."),
    ]  # fmt: skip


def _labelling(facts: Facts) -> Answers:
    return [
        ("How were labels made?",
         "By an exact rasteriser over the very mesh that is rendered, never from path tracing, never by hand."),
        ("Was raw data saved?",
         f"The mesh, the cameras and all that was drawn are stored with each sample. {repeatable(facts)}"),
        ("Is the software available?", "Yes: mvhm, Apache-2.0; versions of all packages are in `manifest.json`."),
    ]  # fmt: skip


def _uses(facts: Facts) -> Answers:
    told = "not run on this release yet" if facts.gate is None else f"verdict {facts.gate.verdict} (`gate.json`)"
    return [
        ("Has it been used already?", f"Estimators: {told}."),
        ("What could it be used for?",
         "Pose and mesh from one or many views, segmentation, depth, normals, flow, visibility, calibration."),
        ("What might affect future uses?", " ".join(limits(facts))),
        ("Are there tasks it should not be used for?",
         "Identifying people, or judging a real population: proportions and tones are drawn, not measured on users."),
    ]  # fmt: skip


def _distribution(facts: Facts) -> Answers:
    terms = "; ".join(f"{licence.what}: {licence.licence}" for licence in facts.licences)
    return [
        ("How is it distributed?",
         f"As a folder with a manifest of sizes and sha256{', at ' + facts.homepage if facts.homepage else ''}; "
         "`mvhm verify FOLDER` checks a copy."),
        ("Under what licence?", f"{terms}."),
        ("How is it cited?", f"\n```bibtex\n{citation(facts)}\n```"),
    ]  # fmt: skip


def _maintenance(facts: Facts) -> Answers:
    return [
        ("Will it be updated?",
         "Changes get a new semantic version and an entry in `CHANGELOG.md`; `mvhm diff OLD NEW` says what changed, "
         "field by field. A published version is never altered."),
        ("How can errors be reported?",
         f"At {facts.homepage}." if facts.homepage else "To whoever published the copy."),
    ]  # fmt: skip
