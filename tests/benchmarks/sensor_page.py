"""The section of docs/benchmarks.md on what a camera's sensor costs."""

from __future__ import annotations

from .tables import row


def sensor_section(sensor: dict) -> str:
    """Milliseconds per view of whole cameras and of their parts, from what `bench_sensor` measured."""
    sizes = sensor["sizes"]
    rows = [row("", *(f"{size} x {size}" for size in sizes)), "|---" * (len(sizes) + 1) + "|"]
    for preset in next(iter(sizes.values()))["whole"]:
        whole = [times["whole"][preset] for times in sizes.values()]
        rows.append(row(f"**{preset}**", *(f"**{each['mean']:.1f}**, at most {each['most']:.1f}" for each in whole)))
    for part in next(iter(sizes.values()))["parts"]:
        rows.append(row(part, *(f"{times['parts'][part]:.2f}" for times in sizes.values())))
    return f"""## The sensor

Milliseconds of processor time per view that [the sensor](sensor.md) takes, on one core of
{sensor["processor"].split(",")[0]}: cameras drawn from the presets (mean, and the dearest), and what each part adds to
a camera in which all else is off; the best of several rounds in which all took turns.
`python -m tests.benchmarks.run --only sensor` writes this section alone.

{chr(10).join(rows)}"""
