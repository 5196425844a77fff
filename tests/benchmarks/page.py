"""The text of docs/benchmarks.md, from what the benchmarks measured."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np

from blender_scripts.settings import RenderSettings

from .graph_page import graph_section
from .labels_page import labels_section
from .loader_page import loader_section
from .raster_page import raster_section
from .sensor_page import sensor_section
from .summary import TONES, Curve, curve, median_ratio, median_seconds, trend
from .tables import row, rule

NAMES = {"ours": "mvhm", "typical": "typical script", "blenderproc": "BlenderProc"}
MADE = {
    "ours": "mvhm: all labels (optical flow too) and backgrounds",
    "typical": "typical script: pictures and label passes",
    "blenderproc": "BlenderProc: pictures, depth, segmentation, camera flow",
}
LEVELS = (34, 35, 36, 37, 38)  # dB
SETTLED = 100  # samples of the long run before its trend is taken
FLAT = 0.05  # a trend that changes by less than this share over the whole run is called flat
NOT_MEASURED = """
**BlenderProc was not measured here**: its environment was not there when this page was written
(`python -m tests.benchmarks.blenderproc_env`)."""


def page(results: dict[str, dict]) -> str:
    """The whole page, of what each part measured: the keys are those of `run.PARTS`."""
    quality, render = results["quality"], results["render"]
    parts = (heading(), others(quality), quality_section(quality), speed_section(render))
    parts += worker_section(results["worker"]), farm_section(results["farm"]), spin_section(results["spin"])
    parts += graph_section(results["graph"]), labels_section(results["labels"]), raster_section(results["raster"])
    parts += loader_section(results["loader"]), sensor_section(results["sensor"])
    return "\n\n".join(parts) + "\n"


def heading() -> str:
    """Title, and the machine."""
    return f"""# Benchmarks

Written by `make bench` on {processor()}; bpy {version("bpy")}, numpy {version("numpy")}. Times differ between machines:
the ratios are what counts, and all sides of each were measured in one run, taking turns."""


def processor() -> str:
    """Name of the processor and how many cores this process may use."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    cores = len(os.sched_getaffinity(0))
    return f"{name}, {cores} cores"


def others(quality: dict) -> str:
    """Whom mvhm is compared with, and how they are driven."""
    text = """## Rendering: the yardsticks

All render the same meshes, skins (the very same shader nodes), lamps, panoramas, bounces and cameras, on the same two
threads, eight views of 256 x 256 pixels a sample.

`tests/benchmarks/typical.py`, the **typical script**, does it the way public generators do: eight render calls,
Blender's default denoiser settings and world importance map, the full panorama, label passes switched on, one
multilayer EXR per view on disk and read back."""
    return text + (BLENDERPROC + same_pictures(quality) if "blenderproc" in quality["psnr"] else NOT_MEASURED)


def same_pictures(quality: dict) -> str:
    """That BlenderProc makes the pictures of the reference, as far as measured."""
    check = quality["blenderproc_check"]
    low, high = min(check["psnr"]), max(check["psnr"])
    return f"""

It makes the same pictures: at {check["samples_per_pixel"]} samples per pixel, those tried ({len(check["psnr"])}) have
a PSNR of {low:.1f} to {high:.1f} dB to the reference described below."""


BLENDERPROC = """

**BlenderProc** 2.8.0 runs on bpy 4.2.0, the Blender that it is made for, in an environment of its own
(`python -m tests.benchmarks.blenderproc_env` makes it: pip, the pinned dependencies that BlenderProc names, and three
changed lines, listed there: it must not install packages into Blender, nor ask a Blender without translations for
English). `tests/benchmarks/blenderproc_script.py` drives it as BlenderProc's own examples of many scenes in one process
do:

- once: `init`, `renderer.set_light_bounces`, `renderer.set_output_format("OPEN_EXR", 16, enable_transparency=True)`,
  `renderer.set_denoiser("INTEL")`, `renderer.enable_depth_output(False)`, `renderer.enable_segmentation_output`;
- per sample: a new mesh, `world.set_world_background_hdr_img`, `types.Light`, `utility.reset_keyframes`,
  `camera.set_intrinsics_from_K_matrix` and `camera.add_camera_pose` for every view,
  `renderer.set_max_amount_of_samples`, **one** `renderer.render()` for all views, then
  `renderer.render_optical_flow()`, which is timed apart, because its flow follows the cameras from view to view and not
  the hand from pose to pose.

Its other settings are its defaults: persistent data, adaptive sampling with a threshold of 0.01, no light tree,
temporary files in shared memory. What favours it: Blender starts once (`blenderproc run` starts it for every script),
arrays, textures and panoramas are read before the clock starts, and it writes no normals, whose output cannot be set up
anew for other cameras in the same process."""


def quality_section(quality: dict) -> str:
    """Quality against time: the plot, PSNR by samples per pixel, seconds to reach a quality."""
    curves = {way: curve(quality, way) for way in NAMES if way in quality["psnr"]}
    counts = [sum(low < ita <= high for ita in quality["ita"]) for low, high in TONES.values()]
    return f"""## Quality against time

![Quality against time](images/quality_time.png)

Quality is the PSNR of the picture as shown (sRGB over black, all 256 x 256 pixels) to one of 1024 samples per pixel
without denoiser, with the full panorama, four bounces and random walk subsurface scattering, whatever a release saves.
It is the mean over {len(quality["ita"])} poses and skin tones, each from another side:
{counts[0]} light (individual typology angle above 28 degrees), {counts[1]} medium, {counts[2]} dark (-30 or below).
Time is that of whole 8-view samples, median of one of each tone, BlenderProc's without its optical flow.

{quality_table(curves)}

Seconds per 8-view sample to reach a mean quality, interpolated along the curves:

{seconds_table(curves)}{default(curves["ours"])}"""


def default(ours: Curve) -> str:
    """What a release gets that says nothing about quality, if that was measured."""
    samples = RenderSettings().samples_per_pixel
    if samples not in ours.samples:
        return ""
    index = ours.samples.index(samples)
    return f"""

A release that says nothing has {samples} samples per pixel: {ours.decibels[index]:.1f} dB, here in
{ours.seconds[index]:.2f} s. What fewer would lose, side by side, is on [rendering.md](rendering.md)."""


def quality_table(curves: dict[str, Curve]) -> str:
    """PSNR by samples per pixel: mean, the worst case, and the seconds of a sample."""
    rows = [row("samples per pixel", *(f"{NAMES[way]}: mean (least) dB, seconds" for way in curves)), rule(curves)]
    for samples in sorted({samples for one in curves.values() for samples in one.samples}):
        rows.append(row(samples, *(rung(one, samples) for one in curves.values())))
    return "\n".join(rows)


def rung(one: Curve, samples: int) -> str:
    """A cell of `quality_table`."""
    if samples not in one.samples:
        return ""
    index = one.samples.index(samples)
    return f"{one.decibels[index]:.2f} ({one.least[index]:.1f}), {one.seconds[index]:.2f}"


def seconds_table(curves: dict[str, Curve]) -> str:
    """Seconds of every way by quality, and how many times as long as mvhm's."""
    rows = [row("mean PSNR", *(NAMES[way] for way in curves)), rule(curves)]
    for level in LEVELS:
        ours = curves["ours"].seconds_at(level)
        rows.append(row(f"{level} dB", *(timed(one.seconds_at(level), ours) for one in curves.values())))
    return "\n".join(rows)


def timed(seconds: float | None, ours: float | None) -> str:
    """Seconds, and in brackets how many times those of mvhm."""
    if seconds is None:
        return "not reached"
    return f"{seconds:.2f}" + (f" ({seconds / ours:.1f} x)" if ours and seconds != ours else "")


def speed_section(render: dict) -> str:
    """Seconds at the fewest samples per pixel that reach 35 dB, and the ratios."""
    times, chosen = render["times"], render["samples_per_pixel"]
    rows = [row("", "seconds per 8-view sample (median)", "samples per pixel"), rule({"seconds": 0, "samples": 0})]
    rows += [row(MADE[way], f"{median_seconds(times[way], flow=True):.2f}", chosen[way]) for way in times]
    ratios = {way: median_ratio(times[way], times["ours"], flow=True) for way in times if way != "ours"}
    said = " and ".join(f"{ratio:.1f} times as fast as {article(way)}" for way, ratio in ratios.items())
    return f"""## Speed at equal quality

Each at the fewest samples per pixel that reach a mean of 35 dB, in turns, over {len(times["ours"])} cases:

{chr(10).join(rows)}

**mvhm is {said}**
(medians of the ratios of single samples).{without_flow(times)}"""


def article(way: str) -> str:
    """The name of a way within a sentence."""
    return "the typical script" if way == "typical" else NAMES[way]


def without_flow(times: dict[str, list[dict]]) -> str:
    """What the ratio is if BlenderProc's optical flow is not counted, or that BlenderProc was not measured."""
    if "blenderproc" not in times:
        return " BlenderProc was not measured."
    flow = median_seconds(times["blenderproc"], flow=True) - median_seconds(times["blenderproc"])
    ratio = median_ratio(times["blenderproc"], times["ours"])
    return f" {flow:.2f} s of BlenderProc's are for its optical flow: without it the ratio is {ratio:.1f}."


def worker_section(worker: dict) -> str:
    """Time outside Cycles, and the long run."""
    samples, resident = len(worker["seconds"]), np.array(worker["resident_mb"])
    skip = min(SETTLED, samples // 2)
    rows = [
        row("what", "measured"), "|---|---|",
        row(f"inside Cycles' render call, {worker['samples_per_pixel']} samples per pixel",
            f"{worker['inside_ms_per_view']:.0f} ms per view"),
        row("in the denoiser", f"{worker['denoiser_ms_per_view']:.1f} ms per view"),
        row("outside both: labels, the denoiser's guides, backgrounds, compositing, a look per pair",
            f"{worker['outside_ms_per_view']:.1f} ms per view"),
        row("a new subject's skin handed to Cycles, once per subject (8 pairs in `mvhm`)",
            f"{worker['new_skin_ms']:.0f} ms"),
    ]  # fmt: skip
    return f"""## A worker

{chr(10).join(rows)}

![A worker over {samples} samples](images/worker_500.png)

{samples} samples rendered by one worker, one after another, at 256 x 256 pixels and only 1 sample per pixel, to be done
in minutes; posing, labels and backgrounds are those of any release, and every second sample brings another subject's
skin. Resident memory is {resident[-1]:.0f} MB at the end, {resident.max():.0f} MB at most. After the first {skip}
samples:

{trend_line("memory", "MB", worker["resident_mb"], worker["round"], skip)}
{trend_line("time", "s", worker["seconds"], worker["round"], skip)}"""


def trend_line(name: str, unit: str, values: list[float], period: int, skip: int) -> str:
    """Whether a value of the long run is flat."""
    found = trend(values, period, skip)
    change, most = found.change(len(values))
    unclear = "no change seen" if abs(found.slope) < 2 * found.error else "not flat"
    verdict = "flat" if most < FLAT else unclear
    return (
        f"- {name}: mean {found.mean:.3g} {unit}, slope {found.slope * 100:+.2g} {unit} per 100 samples\n"
        f"  (standard error {found.error * 100:.1g}), so {100 * change:+.1f} % over {len(values)} samples, "
        f"at most {100 * most:.1f} %: **{verdict}**"
    )


def farm_section(farm: dict) -> str:
    """What Ray costs."""
    few, many = farm["shards"]
    rows = [row("", "seconds per shard, by slope", "of each turn"), rule({"median": 0, "turns": 0})]
    for way, name in (("plain", "two plain processes"), ("ray", "`make farm`, two workers")):
        turns = farm["seconds_per_shard"][way]
        rows.append(row(name, f"{np.mean(turns):.2f}", ", ".join(f"{turn:.2f}" for turn in turns)))
    return f"""## Ray

Two workers of `make farm`, one core each, against two plain processes that call the same shard function for every
second shard: release `{farm["release"]}`, {farm["samples"]} samples a shard, {few} and {many} shards, from a ready
plan with baked skins, taking turns. The slope between the times at which so many were finished leaves start-up apart.

{chr(10).join(rows)}

**The farm has {100 * farm["share_of_plain_throughput"]:.1f} % of the throughput of the plain processes.**"""


def spin_section(spin: dict) -> str:
    """Poses per second of spin matching."""
    rows = [row("mode", "median", "best"), rule({"median": 0, "best": 0})]
    rows += [row(f"`{mode}`", f"{found['median']:,}", f"{found['poses_per_second_best']:,}")
             for mode, found in spin["modes"].items()]  # fmt: skip
    return f"""## Spin matching

Poses per second on one core (`python -m tests.benchmarks.bench_spin`), median and best of five runs:

{chr(10).join(rows)}"""
