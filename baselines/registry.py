"""Estimators by name. A class is imported when it is asked for: `import baselines` needs no torch."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from rigging.errors import InputError
from rigging.settings import from_table, nearest

if TYPE_CHECKING:
    from .estimator import Estimator

ESTIMATORS = {  # name -> module in `models`, class in it
    "mvhm_sv": ("single_view", "MvhmSingleView"),
    "mvhm_mv": ("multi_view", "MvhmMultiView"),
    "ge_gcn": ("ge_gcn", "GeGraphCnn"),
    "direct_lbs": ("direct_lbs", "DirectLbs"),
    "hand_regression": ("hand_regression", "HandRegression"),
    "ge_joints": ("ge_joints", "GeJoints"),
    "ge_gcn_weak": ("ge_weak", "GeWeak"),
    "lt_alg": ("learnable_triangulation", "LtAlgebraic"),
    "lt_vol": ("learnable_triangulation", "LtVolumetric"),
    "hamuco": ("hamuco", "HaMuCo"),
    "epipolar_pose": ("self_supervised", "EpipolarPose"),
    "canon_pose": ("self_supervised", "CanonPose"),
    "hamr": ("hamr", "Hamr"),
}


def list_estimators() -> tuple[str, ...]:
    """The names that `create_estimator` knows."""
    return tuple(ESTIMATORS)


def estimator_class(name: str) -> type[Estimator]:
    """The class of an estimator; its `Config` is the frozen dataclass of its settings. Raises InputError."""
    if name not in ESTIMATORS:
        raise InputError(f"no estimator is called {name!r}{nearest(name, ESTIMATORS)}")
    module, cls = ESTIMATORS[name]
    return getattr(importlib.import_module(f"{__package__}.models.{module}"), cls)


def create_estimator(name: str, **cfg: Any) -> Estimator:
    """A new estimator with the settings `cfg` of its `Config`, its weights drawn from torch's generator.

    Raises InputError for an unknown name or setting.
    """
    cls = estimator_class(name)
    return cls(from_table(cls.Config, cfg, name))
