"""Are cameras that stand on no ring as the release allows: distance, lens, and the hand in the picture?"""

from __future__ import annotations

import numpy as np

from rigging.geometry.cameras import CameraSettings, palm_frame
from rigging.geometry.free_settings import FULL_FRAME, FreeSettings
from rigging.geometry.lenses import before_lens

from .figures import Figures, measured, worst_view
from .stored import Stored

SHOWN = 0.1  # share of the hand's points that a picture has to show, whatever the settings ask for


def free_figures(sample: Stored, settings: CameraSettings) -> Figures:
    """The figures `intrinsics`, `focal`, `distance` and `framing` of `cameras.CHECKS` for a rig that is no ring."""
    free, size = settings.elsewhere, settings.image_size
    figures = measured(
        intrinsics=worst_view(_squareness(sample["K"])),
        focal=worst_view(_beyond(sample["K"][:, 0, 0] / size, _focals(free)))
        if free.size == "whole" and settings.rig != "calibration"
        else None,
        framing=None if sample.cut else worst_view(_framing(sample, settings)),
    )
    if sample.first is None or settings.rig not in ("random", "egocentric"):
        return figures
    centre, _ = palm_frame(sample.first["joints_world"].astype(float))
    pose = sample["world_to_cam"]
    away = np.linalg.norm(np.einsum("vji,vj->vi", pose[:, :3, :3], pose[:, :3, 3]) + centre, axis=1)
    return figures | measured(distance=worst_view(_beyond(away, free.distance) * 1000))


def _focals(free: FreeSettings) -> tuple[float, float]:
    """Focal lengths in image widths of the middle square of the sensor."""
    return free.lens[0] / FULL_FRAME[1], free.lens[1] / FULL_FRAME[1]


def _beyond(values: np.ndarray, bounds: tuple[float, float]) -> np.ndarray:
    """How far values (V,) are outside of bounds."""
    return np.maximum(np.maximum(bounds[0] - values, values - bounds[1]), 0)


def _squareness(K: np.ndarray) -> np.ndarray:
    """(V,) px by which pixels are no squares, or K (V, 3, 3) has what a K has not."""
    rest = np.abs(np.where([[1, 0, 1], [0, 1, 1], [0, 0, 0]], 0, K - np.diag([0, 0, 1.0]))).max((1, 2))
    return np.maximum(rest, np.abs(K[:, 0, 0] - K[:, 1, 1]))


def _before_lenses(sample: Stored, size: int) -> np.ndarray:
    """K (V, 3, 3) px of the pinhole cameras that lenses were put before: these frame the hand."""
    lenses = sample.values.get("distortion")
    return sample["K"] if lenses is None else np.stack([before_lens(*view, size) for view in zip(sample["K"], lenses)])


def _framing(sample: Stored, settings: CameraSettings) -> np.ndarray:
    """(V,) px by which the hand's box is smaller or larger than allowed; infinite where a picture shows no hand.

    Where the release cuts no hand off, also by how much one sticks out. The pictures of a calibration's cameras may end
    before, and so cut a hand off or show it larger.
    """
    hands = sample.hands or [sample["vertices_world"]]
    points = np.concatenate([hand[sample.topology.from_wrist] for hand in hands]).astype(float)
    pose, free, size = sample["world_to_cam"], settings.elsewhere, settings.image_size
    local = points @ pose[:, :3, :3].transpose(0, 2, 1) + pose[:, None, :3, 3]
    plane = local[..., :2] / np.where(local[..., 2:] > 0, local[..., 2:], np.nan)
    K = _before_lenses(sample, size)
    pixels = plane * K[:, None, [0, 1], [0, 1]] + K[:, None, :2, 2]
    inside = ((pixels >= 0) & (pixels <= size)).all(2).mean(1)
    off = np.where(inside < SHOWN, np.inf, 0.0)
    if free.size == "whole":
        return off
    box = np.ptp(pixels, axis=1).max(1)
    most = free.size[1] if settings.rig != "calibration" else np.inf
    off = np.maximum(off, _beyond(box, (free.size[0] * size, most * size)))
    if free.cut == 0 and settings.rig != "calibration":
        off = np.maximum(off, np.maximum(-pixels, pixels - size).max((1, 2)))
    return np.where(np.isnan(off), np.inf, off)
