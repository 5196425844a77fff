"""The cameras of any rig around a hand: a ring, anywhere, on a head, on a wrist, or as somebody calibrated them."""

from __future__ import annotations

import numpy as np

from .anywhere import anywhere, azimuth_draws
from .calibration import Calibration, calibrated
from .camera_bands import CameraBands
from .cameras import ANYWHERE, Cameras, CameraSettings, phase_and_tilt, ring
from .stands import Target


def place_cameras(
    target: Target,
    settings: CameraSettings,
    rng: np.random.Generator,
    bands: CameraBands = ANYWHERE,
    calibration: Calibration | None = None,
) -> Cameras:
    """The cameras that `settings` ask for around `target`; `calibration` is of rig "calibration".

    Raises ValueError where a view shows no hand.
    """
    if settings.rig == "ring":
        return ring(target.palm, target.points, settings, rng, bands)
    if settings.rig == "calibration":
        return calibrated(target, settings, calibration, rng)
    return anywhere(target, settings, rng, bands)


def azimuth_and_tilt(
    settings: CameraSettings, rng: np.random.Generator, bands: CameraBands = ANYWHERE
) -> tuple[float, float]:
    """Of what `place_cameras` makes from an equal `rng`: where the first camera stands, and the ring's tilt, radians.

    Its azimuth is in steps between cameras of a ring, and in turns about the fingers of rig "random".
    """
    if settings.rig == "ring":
        return phase_and_tilt(settings, rng, bands)
    return bands.phase_draw(float(azimuth_draws(settings.views, rng)[0])), 0.0
