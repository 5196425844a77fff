"""Sentences that card, datasheet and Croissant share."""

from __future__ import annotations

from rigging.joints import PART_NAMES

from .facts import Facts

PAPER = (
    "MVHM: A Large-Scale Multi-View Hand Mesh Benchmark for Accurate 3D Hand Pose Estimation (Chen et al., WACV 2021)"
)


def title(facts: Facts) -> str:
    """The release's name, for people."""
    return f"{facts.name}: synthetic multi-view hands"


def size(count: int) -> str:
    """Bytes in the unit that suits, binary."""
    amount, units = float(count), ["B", "KiB", "MiB", "GiB", "TiB"]
    while amount >= 1024 and len(units) > 1:
        amount, units = amount / 1024, units[1:]
    return f"{amount:.0f} {units[0]}" if units[0] == "B" else f"{amount:.1f} {units[0]}"


def number(value: int, noun: str, plural: str = "") -> str:
    """A count with its noun: 1 sample, 2 samples."""
    return f"{value:,} {noun if value == 1 else plural or noun + 's'}"


def description(facts: Facts) -> str:
    """What the release is, in a paragraph."""
    s = facts.sizes
    subjects = len(facts.counts("subject"))
    views = f"{number(s['V'], 'calibrated camera')} of {s['W']} x {s['H']} px ({number(facts.images, 'image')})"
    return (
        f"{number(facts.samples, 'sample')} of one hand ({hand(facts)}), each seen by {views}, of "
        f"{number(subjects, 'subject')}. Synthetic: a free, rigged hand is posed, skinned and path traced with "
        f"Blender; labels are exact: hand mask, {len(PART_NAMES) - 1} parts, depth, normals, optical flow both ways, "
        f"21 joints in 2D and 3D with visibility, a mesh of {s['N']:,} vertices, cameras."
    )


def hand(facts: Facts) -> str:
    """The hand shown: right, left, or either."""
    return " or ".join(sorted(facts.counts("hand")))


def repeatable(facts: Facts) -> str:
    """What can be said of rendering it again: processors repeat every byte, graphics cards do not."""
    if facts.device.startswith("CPU"):
        return "The same configuration gives the same bytes again."
    return "Rendered again, labels are the same; pictures of a graphics card differ in their noise."


def summary_of_checks(facts: Facts) -> str:
    """What the validation said, in a sentence."""
    report = facts.report
    checked = number(len(report.checks), "check")
    return f"Validation: {report.verdict}; {checked} on all {number(report.samples, 'sample')}."


def limits(facts: Facts) -> list[str]:
    """What the data does not show or hold, one sentence each."""
    look, render, out = facts.settings.get("look", {}), facts.settings.get("render", {}), []
    out.append("Synthetic pictures: a model trained on them alone should be tested on photographs.")
    out.append(f"One {hand(facts)} hand at a time, without objects, other hands or a body beyond the forearm.")
    out.append("Skin, sleeves and rooms are generated; there are no rings, watches, tattoos or scars.")
    if "samples_per_pixel" in render:
        spp = number(render["samples_per_pixel"], "sample")
        out.append(f"Pictures are path traced with {spp} per pixel and denoised; fine texture is smoothed.")
    if not any(look.get("noise", [0])):
        out.append("Pictures have no sensor noise; add it while training.")
    out.append("Joints are the rig's, inside the flesh; other data sets put theirs elsewhere.")
    out.append(
        f"Subjects have {facts.sizes['C']} shape coefficients of one topology; wrists are sampled within limits."
    )
    return out


def citation(facts: Facts) -> str:
    """BibTeX of the release."""
    entries = [f"title = {{{title(facts)}}}", f"version = {{{facts.version}}}"]
    entries += [f"year = {{{facts.date[:4]}}}"] if facts.date else []
    entries += [f"url = {{{facts.homepage}}}"] if facts.homepage else []
    entries.append(f"note = {{data hash {facts.data_hash[:16]}; made with mvhm, after {PAPER}}}")
    return f"@misc{{{facts.name},\n  " + ",\n  ".join(entries) + "\n}"
