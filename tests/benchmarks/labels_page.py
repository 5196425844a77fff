"""The section of docs/benchmarks.md on labels without Blender."""

from __future__ import annotations

from .tables import row


def labels_section(labels: dict) -> str:
    """Milliseconds per view and views per second, from what `bench_labels` measured."""
    rows = [row("pixels", "covered", "labels, ms", "views/s", "flow to one side, ms more", "to both, ms more")]
    rows += ["|---" * 6 + "|", *(size_row(size, times) for size, times in labels["sizes"].items())]
    return f"""## Labels without Blender

Milliseconds of processor time per view for mask, parts, depth, normals and visibility of 21 joints
([labels.md](labels.md)), of the hand's 2651 vertices and a bare arm in samples of 8 views, one core of
{labels["processor"].split(",")[0]}; the best of several rounds. `covered` is the share of pixels that see hand or arm.
`python -m tests.benchmarks.run --only labels` writes this section alone.

{chr(10).join(rows)}"""


def size_row(size: str, times: dict[str, float]) -> str:
    """A row of the table."""
    plain = times["no flow"]
    more = (f"{times[way] - plain:.2f}" for way in ("flow to one side", "flow to both"))
    return row(f"{size} x {size}", f"{times['covered']:.0%}", f"{plain:.2f}", f"{1000 / plain:.0f}", *more)
