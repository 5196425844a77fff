"""What differs between the Blender versions that we render with: 4.5 LTS (Python 3.11) and 5.2 LTS (Python 3.13).

Settings that a version added are pinned to what the other one always did, so that both render the same picture but for
noise, and the same passes.
"""

from __future__ import annotations

from typing import Any

OLD_PASS_NAMES = {"Material Index": "IndexMA"}  # 5.2's names to those of 4.5, which are ours
# Added by 5.2; True as it comes: textures read in tiles from disk, which replaced pixels never reach.
RENDER = {"use_texture_cache": False}
CYCLES = {"use_pixel_jitter": False}  # added by 5.2: the first sample stays at the pixel's centre
WORLD = {"use_shadows": True}  # added by 5.2: light of the world is shadowed
SHADER = {"Thin Wall": False}  # an input that 5.2 added: bodies have an inside


def pin(owner: Any, values: dict[str, Any]) -> None:
    """Give `owner`, some Blender data, those of the `values` whose names its version has."""
    for name, value in values.items():
        if hasattr(owner, name):
            setattr(owner, name, value)


def pin_inputs(node: Any, values: dict[str, Any]) -> None:
    """The same for the inputs of a shader `node`."""
    for name, value in values.items():
        if name in node.inputs:
            node.inputs[name].default_value = value
