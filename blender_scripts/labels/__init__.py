"""Exact labels from meshes and cameras; nothing here needs Blender (docs/labels.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .scene import Occluder
    from .views import label_views

__all__ = ["Occluder", "label_views"]


def __getattr__(name: str) -> Any:
    """The public names, imported when first asked for: `import blender_scripts.labels` alone loads nothing heavy."""
    if name == "label_views":
        from .views import label_views

        return label_views
    if name == "Occluder":
        from .scene import Occluder

        return Occluder
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
