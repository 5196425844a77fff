"""How the viewer opens: hand and cameras in space, the pictures of all cameras with a label at a time, the text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import rerun.blueprint as rrb

from .entities import FLOWS, depth_path, photograph_path

PAPER = (24, 26, 32)
MESHES, BONES = ("world/hand", "world/arm"), ("world/joints", "world/bones")
COLUMNS = 3  # of pictures
FPS = 2.0  # samples a second
LABELS = {
    "joints": ("bones", "joints"), "mask": ("mask",), "parts": ("parts",),
    **{name.replace("_", " "): (name,) for name in FLOWS},
}  # fmt: skip


def blueprint(eye: np.ndarray, target: np.ndarray, up: np.ndarray, views: int) -> rrb.Blueprint:
    """The layout for `views` cameras, seen at first from `eye` (3,) m towards `target` (3,) m, `up` (3,) upright."""
    look = rrb.EyeControls3D(position=eye, look_target=target, eye_up=up)
    cameras = [photograph_path(view) for view in range(views)]
    depths = [depth_path(view) for view in range(views)]
    spaces = rrb.Tabs(
        _space("hand and cameras", [*MESHES, *cameras], look),
        _space("skeleton", [*BONES, *cameras], look),
        _space("depth on the mesh", [*MESHES, *depths], look),
    )
    left = rrb.Vertical(spaces, rrb.TextDocumentView(origin="sample", name="sample"), row_shares=[2, 1])
    pictures = rrb.Tabs(*[_pictures(name, below, views) for name, below in LABELS.items()], _depths(views))
    return rrb.Blueprint(
        rrb.Horizontal(left, pictures, column_shares=[2, 3]),
        rrb.BlueprintPanel(state="collapsed"),
        rrb.SelectionPanel(state="collapsed"),
        rrb.TimePanel(state="collapsed", timeline="frame", fps=FPS, play_state="paused"),
    )


def _space(name: str, paths: Sequence[str], look: rrb.EyeControls3D) -> rrb.Spatial3DView:
    contents = [f"+ /{path}" for path in paths]
    return rrb.Spatial3DView(
        name=name, origin="world", contents=contents, background=PAPER, line_grid=False, eye_controls=look
    )


def _pictures(name: str, below: Sequence[str], views: int) -> rrb.Grid:
    """The photographs of all cameras, with the entities `below` each."""
    contents = ["+ $origin", *[f"+ $origin/{entity}" for entity in below]]
    tiles = [
        rrb.Spatial2DView(name=str(view), origin=photograph_path(view), contents=contents) for view in range(views)
    ]
    return rrb.Grid(*tiles, grid_columns=COLUMNS, name=name)


def _depths(views: int) -> rrb.Grid:
    tiles = [rrb.Spatial2DView(name=str(view), origin=depth_path(view)) for view in range(views)]
    return rrb.Grid(*tiles, grid_columns=COLUMNS, name="depth")
