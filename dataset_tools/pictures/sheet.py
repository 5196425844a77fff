"""The contact sheet of a shard: photographs, 2D joints, masks, the mesh and the 3D joints of a few samples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from rigging.errors import InputError

from ..load.dataset import HandDataset, outward
from ..store.layout import sheet_path
from .canvas import GREY, fit, page, put, put_text, save
from .drawing import draw_mask, draw_skeleton, enlarge
from .solid import draw_clay, draw_joints_3d, frame, look_from, upright

Sample = dict[str, Any]
ROWS = 6
TILE, GAP, MARGIN, HEAD, LINE = 184, 4, 28, 84, 36  # px
DRAWN = 3  # times a view's size at which overlays are drawn, before they are reduced
FIELDS = ("rgb", "mask", "joints_2d", "joint_visible", "joints_world", "vertices_world", "arm_vertices_world")
PICTURE_PAPER = (246, 247, 249)


def write_sheet(shard: Path, out: Path | None = None, rows: int = ROWS) -> Path:
    """Write the contact sheet of a shard (default: beside it, `.png`) and return its path.

    A block a sample: all views as they are, the same with the joints drawn (and, every other sample, the mask), the
    mesh, the joints in space. Samples of different pairs come first.
    Raises InputError for an `out` of another kind, FileNotFoundError, ShardError.
    """
    if out is not None and Path(out).suffix.lower() != ".png":
        raise InputError(f"--out {out}: a contact sheet is a .png")
    dataset = HandDataset(shard, fields=[*FIELDS, "world_to_cam", "meta"])
    chosen = choose_samples(dataset, rows)
    views = dataset.sizes["V"]
    width = 2 * MARGIN + views * (TILE + GAP) + 2 * (2 * TILE + 2 * GAP)
    block = 2 * (round(TILE * dataset.sizes["H"] / dataset.sizes["W"]) + GAP) + LINE
    sheet = page(HEAD + len(chosen) * block + MARGIN // 2, width)
    _head(sheet, dataset, views)
    for row, index in enumerate(chosen):
        _block(sheet, HEAD + row * block, dataset[index], dataset, with_mask=row % 2 == 1)
    return save(Path(out) if out else sheet_path(shard), sheet)


def choose_samples(dataset: HandDataset, rows: int) -> list[int]:
    """Up to `rows` indices spread over the shard: first one a pair, then (in a small shard) the others too."""
    meta = HandDataset(dataset.paths, fields=["pair", "pair_role"])
    roles = [(meta[i]["meta"]["pair_role"], i) for i in range(len(meta))]
    first = [i for role, i in roles if role == 0] or [i for _, i in roles]
    rest = [i for _, i in roles if i not in set(first)]
    if len(first) >= rows:
        return _spread(first, rows)
    wanted, clips = rows - len(first), max(role for role, _ in roles) > 1
    return sorted(first + (_spread(rest, wanted) if clips else rest[:wanted]))


def _spread(indices: list[int], count: int) -> list[int]:
    """Up to `count` of `indices`, evenly spread from the first to the last."""
    return [indices[i] for i in np.unique(np.linspace(0, len(indices) - 1, count).round().astype(int))]


def _head(sheet: np.ndarray, dataset: HandDataset, views: int) -> None:
    attrs = dataset.attrs
    put_text(sheet, f"{attrs['release']}, shard {attrs['shard']}", 28, MARGIN, 24)
    about = f"{len(dataset)} samples of {views} views, {len(dataset) * views} images, configuration "
    put_text(sheet, about + str(attrs["configuration_hash"])[:12], 28, sheet.shape[1] - MARGIN, 15, GREY, "rm")
    y, right = HEAD - 20, MARGIN + views * (TILE + GAP)
    for view in range(views):
        put_text(sheet, f"view {view}", y, MARGIN + view * (TILE + GAP) + TILE / 2, 14, GREY, "mm")
    for i, name in enumerate(("mesh", "joints in space")):
        put_text(sheet, name, y, right + GAP + (i + 0.5) * (2 * TILE + 2 * GAP), 14, GREY, "mm")


def _block(sheet: np.ndarray, y: int, sample: Sample, dataset: HandDataset, with_mask: bool) -> None:
    tall = round(TILE * dataset.sizes["H"] / dataset.sizes["W"])
    for v in range(len(sample["rgb"])):
        x = MARGIN + v * (TILE + GAP)
        put(sheet, fit(enlarge(sample["rgb"][v], DRAWN), TILE), y, x)
        under = draw_mask(sample["rgb"][v], sample["mask"][v], DRAWN) if with_mask else enlarge(sample["rgb"][v], DRAWN)
        joints = draw_skeleton(under, sample["joints_2d"][v], sample["joint_visible"][v], DRAWN, 1.05)
        put(sheet, fit(joints, TILE), y + tall + GAP, x)
    x = MARGIN + len(sample["rgb"]) * (TILE + GAP) + GAP
    side = 2 * min(tall, TILE) + GAP
    for picture in _solids(sample, dataset, side):
        put(sheet, picture, y + tall - side // 2 + GAP // 2, x)
        x += 2 * TILE + 2 * GAP
    put_text(sheet, caption(sample["meta"]), y + 2 * tall + GAP + LINE / 2 - 4, MARGIN, 14, GREY)


def _solids(sample: Sample, dataset: HandDataset, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Mesh and joints from a little beside and above the view that shows most joints, and shows them most spread."""
    spread = np.ptp(sample["joints_2d"], axis=1).prod(1)
    best = int((sample["joint_visible"].sum(1) * spread).argmax())
    turn = upright(sample["world_to_cam"][best])
    hand, arm, joints = (sample[n] @ turn.T for n in ("vertices_world", "arm_vertices_world", "joints_world"))
    faces, arm_faces = (outward(f, sample["meta"]["hand"]) for f in (dataset.faces, dataset.arm_faces))
    eye = frame(hand, look_from(0.25, 0.15), size)
    mesh = draw_clay(eye, hand, faces, arm, arm_faces, PICTURE_PAPER, bare=sample["meta"]["arm_style"] == "bare")
    floor = joints - [0, 0, 0.03]  # leave room below for the floor
    return mesh, draw_joints_3d(frame(np.concatenate([joints, floor]), look_from(-0.4, 0.35), size, 1.3), joints,
                                PICTURE_PAPER)  # fmt: skip


def caption(meta: dict[str, Any]) -> str:
    """One line on a sample."""
    words = [
        f"sample {meta['sample']}", f"subject {meta['subject']}", f"{meta['hand']} hand",
        f"{1000 * meta['hand_length']:.0f} mm", f"skin tone: ITA {meta['ita']:.0f}°, Monk {meta['monk_bin']}",
        {"bare": "bare arm"}.get(meta["arm_style"], meta["arm_style"]),
        f"{meta['pose_source']} poses, clip {meta['clip']}, frame {meta['source_frame']}",
    ]  # fmt: skip
    return "   ·   ".join(words + [kind for kind in [_kind(meta["background"])] if kind])


def _kind(background: str) -> str:
    """What a background's JSON says of its kind, if it does."""
    try:
        said = json.loads(background)
    except json.JSONDecodeError:
        return ""
    kind = said.get("kind") if isinstance(said, dict) else None
    return f"background: {kind}" if kind else ""
