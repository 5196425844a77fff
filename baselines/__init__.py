"""Estimators trained and scored on a release: `create_estimator(name, **cfg)`, `list_estimators()`.

Needs torch; neither bpy, ray nor (with a pack, see `data`) HDF5. `metrics` needs numpy only.
"""

from .registry import create_estimator, list_estimators

__all__ = ["create_estimator", "list_estimators"]
