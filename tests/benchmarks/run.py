"""`make bench`: run every benchmark, one after another, and write docs/benchmarks.md from what they print.

Each part is a process of its own that prints one JSON object; it is kept in FOLDER/PART.json. `--only PART` runs one
part and takes the others from there.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
PARTS = {"render": "bench_render", "worker": "bench_worker", "spin": "bench_spin"}


def run_part(part: str, folder: Path) -> dict:
    """Run one benchmark and keep its JSON."""
    command = [sys.executable, "-m", f"tests.benchmarks.{PARTS[part]}"]
    command += ["--folder", str(folder)] if part != "spin" else []
    result = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(result.stdout[result.stdout.index("{") :])
    (folder / f"{part}.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    return found


def processor() -> str:
    """Name of the processor and how many cores this process may use."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    cores = len(os.sched_getaffinity(0))
    return f"{name}, {cores} cores"


def quality_table(render: dict) -> str:
    """PSNR by samples per pixel for both ways: mean, and the worst case."""
    rows = ["| samples per pixel | mvhm: mean (least) dB | typical script: mean (least) dB |", "|---|---|---|"]
    ladder = sorted({int(key) for values in render["psnr"].values() for key in values})
    for samples in ladder:
        cells = []
        for kind in ("ours", "typical"):
            values = render["psnr"][kind].get(str(samples))
            cells.append(f"{np.mean(values):.2f} ({min(values):.1f})" if values else "not needed")
        rows.append(f"| {samples} | {cells[0]} | {cells[1]} |")
    return "\n".join(rows)


def page(results: dict[str, dict]) -> str:
    """The text of docs/benchmarks.md."""
    render, worker, spin = results["render"], results["worker"], results["spin"]
    seconds, chosen = render["seconds_per_sample"], render["samples_per_pixel"]
    samples_per_pixel, resident = worker.get("samples_per_pixel", 8), np.array(worker["resident_mb"])
    settled = resident[len(resident) // 4 :]
    slope = np.polyfit(np.arange(len(settled)), settled, 1)[0] * 100
    modes = "\n".join(
        f"| `{mode}` | {found['median']:,} | {found['poses_per_second_best']:,} |"
        for mode, found in spin["modes"].items()
    )
    return f"""# Benchmarks

Written by `make bench` on {processor()}; bpy {version("bpy")}, numpy {version("numpy")}. Times differ between machines:
the ratios are what counts, and both sides of each were measured in one run, taking turns.

## Rendering against a typical script

`tests/benchmarks/typical.py` renders the same meshes, skins, lamps, bounces and cameras the way public generators do:
eight render calls, Blender's default denoiser settings and world importance map, the full panorama, label passes
switched on, one multilayer EXR per view on disk and read back. Quality is the PSNR of the picture as shown (sRGB over
black, all 256 x 256 pixels) to one of 1024 samples per pixel without denoiser and with the full panorama, over
{len(next(iter(render["psnr"]["ours"].values())))} poses and skin tones, each from another side.

{quality_table(render)}

Fewest samples per pixel that reach a mean of 35 dB: mvhm {chosen["ours"]}, the typical script {chosen["typical"]}.

| | seconds per 8-view sample (median) | samples per pixel |
|---|---|---|
| mvhm, all labels and backgrounds included | {seconds["ours"]:.2f} | {chosen["ours"]} |
| typical script, pictures and label passes | {seconds["typical"]:.2f} | {chosen["typical"]} |

**mvhm is {render["ratio"]:.1f} times as fast** (median of the ratios of single samples).

## A worker

| what | measured |
|---|---|
| inside Cycles' render call, {samples_per_pixel} samples per pixel | {worker["inside_ms_per_view"]:.0f} ms per view |
| outside it: labels, backgrounds, compositing, a look per pair | {worker["outside_ms_per_view"]:.1f} ms per view |
| a new subject's skin handed to Cycles, once per subject (8 pairs in `mvhm`) | {worker["new_skin_ms"]:.0f} ms |
| resident memory after {len(resident)} samples | {resident[-1]:.0f} MB (most {resident.max():.0f} MB) |
| growth over the last three quarters of them | {slope:+.1f} MB per 100 samples |

## Spin matching

Poses per second on one core (`python -m tests.benchmarks.bench_spin`), median and best of five runs:

| mode | median | best |
|---|---|---|
{modes}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("out/bench"))
    parser.add_argument("--only", choices=sorted(PARTS))
    options = parser.parse_args()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    results = {}
    for part in PARTS:
        kept = folder / f"{part}.json"
        reuse = options.only not in (None, part) and kept.exists()
        results[part] = json.loads(kept.read_text(encoding="utf-8")) if reuse else run_part(part, folder)
    (ROOT / "docs" / "benchmarks.md").write_text(page(results), encoding="utf-8")


if __name__ == "__main__":
    main()
