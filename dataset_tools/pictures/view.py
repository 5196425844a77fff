"""Pictures of every label of one sample: `mvhm view SHARD`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from rigging.errors import InputError
from rigging.files import new_folder
from rigging.geometry.projection import project, to_camera

from ..load.dataset import HandDataset, outward
from .canvas import GREY, fit, grid, page, put, put_text, save, titled
from .drawing import (
    depth_colours,
    depth_range,
    draw_depth,
    draw_flow,
    draw_flow_arrows,
    draw_mask,
    draw_normals,
    draw_parts,
    draw_skeleton,
    draw_wireframe,
    enlarge,
    flow_colours,
    flow_limit,
    part_colours,
)

Sample = dict[str, Any]
Views = list[np.ndarray]
TILE = 512  # px, about


def write_views(shard: Path, index: int, out: Path) -> list[Path]:
    """Write the PNGs of sample `index` into the folder `out`; returns their paths.

    Raises FileNotFoundError, ShardError, InputError without such a sample, and OSError where `out` cannot be written.
    """
    dataset = HandDataset(shard)
    if not 0 <= index < len(dataset):
        raise InputError(f"--sample {index}: {shard} has samples 0 to {len(dataset) - 1}")
    sample = dataset[index]
    with new_folder(out) as folder:
        written = [save(folder / f"{name}.png", _page(name, sample, dataset)) for name in shown(sample)]
        return written + [save(folder / "overview.png", overview(sample, dataset))]


def _page(name: str, sample: Sample, dataset: HandDataset) -> np.ndarray:
    """All views of one label, with a line about it."""
    draw, describe = PICTURES[name]
    tiles = draw(sample, dataset, max(1, round(TILE / sample["rgb"].shape[2])))
    note, legend = describe(sample)
    return titled(grid(tiles, columns=min(4, len(tiles))), name, note, legend)


def overview(sample: Sample, dataset: HandDataset, tile: int = 224) -> np.ndarray:
    """All labels in one page (H, W, 3) uint8: a row each, a column a view."""
    left, rows = 150, shown(sample)
    views, height, width = sample["rgb"].shape[:3]
    tall = round(tile * height / width)
    out = page(len(rows) * (tall + 6) + 6, left + views * (tile + 6))
    for r, name in enumerate(rows):
        y = 6 + r * (tall + 6)
        put_text(out, name.replace("_", "\n"), y + tall / 2, 16, 17)
        for v, picture in enumerate(PICTURES[name][0](sample, dataset, max(2, round(2 * tile / width)))):
            put(out, fit(picture, tile), y, left + v * (tile + 6))
    return out


def shown(sample: Sample) -> list[str]:
    """Names of the pictures that a sample has: not those of a flow without neighbour."""
    none = [name for name in ("flow_forward", "flow_backward") if not sample[f"{name}_valid"]]
    return [name for name in PICTURES if not any(name.startswith(flow) for flow in none)]


def _rgb(sample: Sample, dataset: HandDataset, scale: int) -> Views:
    return [enlarge(rgb, scale) for rgb in sample["rgb"]]


def _joints(sample: Sample, dataset: HandDataset, scale: int) -> Views:
    views = zip(sample["rgb"], sample["joints_2d"], sample["joint_visible"])
    return [draw_skeleton(enlarge(rgb, scale), joints, seen, scale, 0.8) for rgb, joints, seen in views]


def _mask(sample: Sample, dataset: HandDataset, scale: int) -> Views:
    return [draw_mask(rgb, mask, scale) for rgb, mask in zip(sample["rgb"], sample["mask"])]


def _parts(sample: Sample, dataset: HandDataset, scale: int) -> Views:
    return [draw_parts(parts, scale) for parts in sample["parts"]]


def _depth(sample: Sample, dataset: HandDataset, scale: int) -> Views:
    limits = depth_range(sample["depth"])
    return [draw_depth(depth, limits, scale) for depth in sample["depth"]]


def _normals(sample: Sample, dataset: HandDataset, scale: int) -> Views:
    return [draw_normals(normals, scale) for normals in sample["normals"]]


def _flow(name: str) -> Callable[[Sample, HandDataset, int], Views]:
    def draw(sample: Sample, dataset: HandDataset, scale: int) -> Views:
        limit = flow_limit(sample[name])
        return [draw_flow(flow, depth, limit, scale) for flow, depth in zip(sample[name], sample["depth"])]

    return draw


def _arrows(name: str) -> Callable[[Sample, HandDataset, int], Views]:
    def draw(sample: Sample, dataset: HandDataset, scale: int) -> Views:
        limit, views = flow_limit(sample[name]), zip(sample["rgb"], sample[name], sample["depth"])
        return [draw_flow_arrows(rgb, flow, depth, limit, scale) for rgb, flow, depth in views]

    return draw


def _mesh(sample: Sample, dataset: HandDataset, scale: int) -> Views:
    pixels = project(sample["vertices_world"], sample["K"], sample["world_to_cam"], sample.get("distortion"))
    z = to_camera(sample["vertices_world"], sample["world_to_cam"])[..., 2]
    faces = outward(dataset.faces, sample["meta"]["hand"])
    views = zip(sample["rgb"], pixels, z, sample["depth"])
    return [draw_wireframe(rgb, points, zs, faces, depth, scale) for rgb, points, zs, depth in views]


def _alpha(sample: Sample, dataset: HandDataset, scale: int) -> Views:
    return [np.repeat(enlarge(alpha, scale, smooth=False)[..., None], 3, -1) for alpha in sample["alpha"]]


Note = tuple[str, np.ndarray | None]


def _about(sample: Sample) -> Note:
    meta = sample["meta"]
    text = f"sample {meta['sample']}, subject {meta['subject']}, {meta['pose_source']} {meta['clip']} "
    return f"{text}{meta['source_frame']}, {meta['hand']} hand, ITA {meta['ita']:.0f}°", None


def _about_depth(sample: Sample) -> Note:
    near, far = depth_range(sample["depth"])
    bar = page(40, 420)
    put(bar, depth_colours(np.repeat(np.linspace(1, 0, 240)[None], 26, 0)), 7, 90)
    put_text(bar, f"{near * 1000:.0f} mm", 20, 84, 18, GREY, "rm")
    put_text(bar, f"{far * 1000:.0f} mm", 20, 336, 18, GREY)
    return "z, near is bright", bar


def _about_normals(sample: Sample) -> Note:
    y, x = (np.mgrid[:96, :96] - 47.5) / 46
    inside = x * x + y * y <= 1
    ball = np.stack([x, y, -np.sqrt(np.clip(1 - x * x - y * y, 0, 1))], -1) * inside[..., None]
    return "red to the right, green upwards, blue towards the camera", draw_normals(ball, 1)


def _about_flow(name: str) -> Callable[[Sample], Note]:
    def describe(sample: Sample) -> Note:
        y, x = (np.mgrid[:96, :96] - 47.5) / 46
        wheel = np.where((x * x + y * y <= 1)[..., None], flow_colours(np.stack([x, y], -1), 1), np.uint8(255))
        limit = flow_limit(sample[name])
        there = "t + 1" if name == "flow_forward" else "t - 1"
        return f"where the surface goes by {there}; full colour is {limit:.1f} px", wheel

    return describe


def _about_parts(sample: Sample) -> Note:
    colours = part_colours()[1:]
    bar = page(40, 24 * len(colours))
    for i, colour in enumerate(colours):
        bar[6:34, 24 * i + 1 : 24 * i + 23] = colour
    return "forearm, palm, thumb to little finger from the palm outwards, arm", bar


def _says(text: str) -> Callable[[Sample], Note]:
    return lambda sample: (text, None)


PICTURES: dict[str, tuple[Callable[[Sample, HandDataset, int], Views], Callable[[Sample], Note]]] = {
    "rgb": (_rgb, _about),
    "joints": (_joints, _says("hollow where the joint is not visible")),
    "mask": (_mask, _says("the hand in colour; the arm is not part of it")),
    "parts": (_parts, _about_parts),
    "depth": (_depth, _about_depth),
    "normals": (_normals, _about_normals),
    "flow_forward": (_flow("flow_forward"), _about_flow("flow_forward")),
    "flow_forward_arrows": (_arrows("flow_forward"), _about_flow("flow_forward")),
    "flow_backward": (_flow("flow_backward"), _about_flow("flow_backward")),
    "flow_backward_arrows": (_arrows("flow_backward"), _about_flow("flow_backward")),
    "mesh": (_mesh, _says("the 2651 vertices projected; faces that look away or are hidden are left out")),
    "alpha": (_alpha, _says("coverage by hand and arm, anti-aliased")),
}
