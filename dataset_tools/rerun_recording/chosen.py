"""Which samples are recorded, and where the recording goes: known before `rerun` is imported."""

from __future__ import annotations

import os
from pathlib import Path

from rigging.errors import InputError

FEW = 100  # samples that are recorded by default; the viewer holds all of them in memory
ENDING = ".rrd"
Span = tuple[int, int | None]  # first and last; no last: to the end


def span(text: str) -> Span:
    """`all`, a number, or first and last as `10-19`. Raises ValueError."""
    if text == "all":
        return 0, None
    first, dash, last = text.partition("-")
    numbers = int(first), int(last if dash else first)
    if not 0 <= numbers[0] <= numbers[1]:
        raise ValueError
    return numbers


span.__name__ = "'all', number or FIRST-LAST"


def chosen_samples(count: int, samples: Span | None) -> range:
    """Positions, among `count` samples, of those from first to last; by default the first FEW. Raises InputError."""
    if samples is None:
        return range(min(FEW, count))
    first, last = samples
    last = count - 1 if last is None else last
    if last >= count:
        told = f"{first}" if first == last else f"{first}-{last}"
        raise InputError(f"--samples {told}: there are samples 0 to {count - 1}")
    return range(first, last + 1)


def place_of(data: Path, out: Path | None) -> Path:
    """The file to write: `out`, or by default beside the folder of shards. Raises InputError inside that folder."""
    folder = Path(os.path.abspath(data.parent if data.suffix == ".h5" else data))
    if out is None:
        name = f"{folder.name}-{data.stem}" if data.suffix == ".h5" else folder.name
        return folder.with_name(name + ENDING)
    if out.suffix != ENDING:
        raise InputError(f"--out {out}: a recording is a {ENDING}")
    if Path(os.path.realpath(folder)) in Path(os.path.realpath(out)).parents:
        raise InputError(f"--out {out}: lies in the release; a recording belongs beside it")
    return out
