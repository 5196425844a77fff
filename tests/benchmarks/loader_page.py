"""The section of docs/benchmarks.md on the loader."""

from __future__ import annotations

import numpy as np

from .tables import row, rule

WAYS = {
    "memory": "the same JPEGs from memory, the same decoder",
    "memory, OpenCV": "from memory, OpenCV's decoder",
    "LMDB": "LMDB, our decoder",
    "WebDataset, our decoder": "WebDataset, our decoder",
    "WebDataset": "WebDataset, its own decoder",
    "ours, spawn": "the loader, workers by spawn",
}
FLAT = 2.0  # MB between the second epoch and the last


def loader_section(found: dict) -> str:
    """The section, of what `bench_loader` found."""
    height, width = found["size"]
    return f"""## The loader

Photographs alone, {found["views"]} views of {width} x {height} pixels, {found["kilobytes"]:.0f} kB each,
with checksums, on {found["processor"]}. How many times as fast as each other way the loader is, in
rounds in which all ways took turns, no workers, processor time: the mean over processes of each one's median ratio,
and the range over processes. `dropped`: each sample is gone before the next is read (from memory: each picture).
`kept`: in batches of {found["batch"]} samples. `2 workers`: PyTorch's DataLoader, collated batches, wall time.

{ratios(found)}

The range is wide because where a picture lies in memory changes the time of decoding it by up to a fifth: where
vectors of 32 bytes begin, libjpeg-turbo writes past the cache. The loader never puts one there; others have it by
chance, for the life of a process. Where the others are lucky, the least of the range is theirs: against LMDB that is
one copy out of the file, which it maps into memory and the loader reads, so that a file cut short is one line of an
error and no crash.

Microseconds of processor time per view of each field, loaded alone ([loader.md](loader.md#what-each-field-costs)):

{fields(found["fields"])}

The codes of one sample, compressed in other ways: KiB per view, and microseconds to decompress it. Shards have a view a
chunk at level 3.

{storage(found["storage"])}

{memory(found["resident"])}
`python -m tests.benchmarks.run --only loader` writes this section alone."""


def ratios(found: dict) -> str:
    """A row for each way: how many times as fast as it the loader is."""
    parts = {"dropped": "dropped", "kept": "kept", "workers": "2 workers"}
    lines = [row("times as fast as", *parts.values()), rule(parts)]
    for way, name in WAYS.items():
        cells = (ratio(found[part][way], found[part]["ours"]) if way in found[part] else "" for part in parts)
        lines.append(row(name, *cells))
    return "\n".join(lines)


def ratio(other: list[list[float]], ours: list[list[float]]) -> str:
    """Mean over processes of the median of rounds of other / ours; the least and most of them in brackets."""
    found = [float(np.median(np.array(a) / np.array(b))) for a, b in zip(other, ours)]
    return f"{np.mean(found):.2f} ({min(found):.2f} to {max(found):.2f})"


def fields(seconds: dict[str, list[float]]) -> str:
    """A row for each choice of fields."""
    lines = [row("field", "us per view"), rule({"us": 0})]
    return "\n".join(lines + [row(name, f"{np.median(values) * 1e6:.0f}") for name, values in seconds.items()])


def storage(found: dict[str, dict[str, dict[str, float]]]) -> str:
    """A row for each code, a column for each way to compress it."""
    ways = list(next(iter(found.values())))
    lines = [row("code", *(f"a {way.replace(',', ' a chunk, level')}" for way in ways)), rule(dict.fromkeys(ways))]
    for name, cells in found.items():
        lines.append(row(name, *(f"{cells[way]['kib']:.2f}, {cells[way]['us']:.0f}" for way in ways)))
    return "\n".join(lines)


def memory(resident: list[float]) -> str:
    """Whether memory is flat over epochs."""
    grown = resident[-1] - resident[1]
    verdict = "it does not grow" if grown < FLAT else "**it grows**"
    return f"""Memory over {len(resident)} epochs of all fields: {resident[1]:.0f} MB after the second,
{resident[-1]:.0f} MB after the last: {verdict}."""
