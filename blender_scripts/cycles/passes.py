"""Render passes read in memory, without a file.

Blender offers no pixels of a render result, so Cycles' own `render` callback is wrapped for the length of one call and
reads `get_result()` there. This leans on the bundled add-on; what differs between Blender versions is in versions.py.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..blender import import_bpy, quiet_stdout
from .versions import OLD_PASS_NAMES

if TYPE_CHECKING:
    import bpy


def render_passes(scene: bpy.types.Scene, names: Sequence[str] = ("Combined",)) -> dict[str, np.ndarray]:
    """Render `scene` and return its passes by Blender 4.5's names: (H, W, C) float32, linear light, top row first.

    With a border that is cropped to, H and W are those of the border. KeyError if a pass was not rendered.
    """
    with quiet_stdout(), _captured() as passes:
        import_bpy().ops.render.render(scene=scene.name)
    missing = [name for name in names if name not in passes]
    if missing:
        raise KeyError(f"Cycles rendered no pass {missing[0]!r}, only {', '.join(sorted(passes))}")
    return {name: passes[name] for name in names}


@contextlib.contextmanager
def _captured() -> Iterator[dict[str, np.ndarray]]:
    """Collect the passes of Cycles' render calls made within the block."""
    from cycles import CyclesRender  # Blender's add-on: there only after `import bpy`

    passes: dict[str, np.ndarray] = {}
    original = CyclesRender.render

    def render(engine: bpy.types.RenderEngine, depsgraph: bpy.types.Depsgraph) -> None:
        original(engine, depsgraph)
        result = engine.get_result()
        for item in result.layers[0].passes:
            passes[OLD_PASS_NAMES.get(item.name, item.name)] = _read(item, result.resolution_x, result.resolution_y)

    CyclesRender.render = render
    try:
        yield passes
    finally:
        CyclesRender.render = original


def _read(item: bpy.types.RenderPass, width: int, height: int) -> np.ndarray:
    pixels = np.empty(width * height * item.channels, np.float32)
    item.rect.foreach_get(pixels)
    return pixels.reshape(height, width, item.channels)[::-1]
