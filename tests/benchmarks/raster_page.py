"""The section of docs/benchmarks.md on depth maps and alignment in PyTorch."""

from __future__ import annotations

import numpy as np

from .tables import row

LOOPS = ("scipy loop", "numpy loop")


def raster_section(found: dict) -> str:
    """Depth maps and alignment, from what `bench_raster` measured."""
    sizes, alignment = found["raster"], found["alignment"]
    ways = list(next(iter(sizes.values())))
    rows = [row("px", *ways), "|---" * (len(ways) + 1) + "|"]
    rows += [row(size, *(f"{np.median(times[way]):.1f}" for way in ways)) for size, times in sizes.items()]
    aligned = [row("hands", "mvhm", *LOOPS, "ratios"), "|---" * 5 + "|"]
    aligned += [alignment_row(count, times) for count, times in alignment.items()]
    chip, rounds = found["processor"].split(",")[0], len(next(iter(alignment.values()))["ours"])
    return f"""## Depth maps and alignment in PyTorch

Milliseconds of processor time per hand, on one core of {chip}, torch {found["torch"]}, float32; medians of
{rounds} rounds in which all ways took turns. Depth maps of the hand's 2651 vertices that fill a crop
(`baselines/layers/raster.py`); a batch is of {found["batch"]}:

{chr(10).join(rows)}

Alignment of 21 joints by similarities (`baselines/geometry/procrustes.py`), microseconds per hand, against loops over
hands that call scipy {found["scipy"]}, as published evaluations do, or numpy's SVD; the same results. The ratios are
medians of the rounds' own:

{chr(10).join(aligned)}

`python -m tests.benchmarks.run --only raster` writes this section alone. Of a CPU; no GPU was tried."""


def alignment_row(count: str, times: dict[str, list[float]]) -> str:
    """A row of the table: hands, microseconds of each side, and how many times as long the loops took."""
    each = (f"{1000 * np.median(times[way]):.1f}" for way in ("ours", *LOOPS))
    ratios = " and ".join(f"{np.median(np.divide(times[way], times['ours'])):.1f}" for way in LOOPS)
    return row(count, *each, ratios)
