"""From a scene's light to the light at the sensor: shutter and lens, in linear light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .defocus import amiss, layered
from .layers import over
from .lens import glare, haze, vignette
from .motion import shutter
from .sensor import Sensor

_GLARE_RADIUS = 0.15  # standard deviation, picture widths: veiling glare reaches across the picture (ISO 9358)


@dataclass(frozen=True)
class Scene:
    """What one camera has before it, in the middle of its exposure."""

    hand: np.ndarray  # (H, W, 4) float32: exposed linear light of hand and arm, premultiplied, and their coverage
    background: np.ndarray  # (H, W, 3) float32: exposed linear light, also where the hand hides it
    depth: np.ndarray  # (H, W) float32 m of hand and arm at the pixels' centres, 0 elsewhere
    flows: tuple[np.ndarray | None, np.ndarray | None]  # (H, W, 2) float32 px, one step later and earlier, if known
    K: np.ndarray  # (3, 3) pixels
    focus: float  # m, what the camera focuses on if it errs not: the hand, without its arm; infinity for none
    background_distance: float  # m, or infinity
    surroundings: np.ndarray  # (3,): mean of the exposed linear light from everywhere


def through_lens(scene: Scene, sensor: Sensor) -> np.ndarray:
    """The light (H, W, 3) float32 at the sensor; with all parts off, the hand over its background."""
    hand = shutter(scene.hand, scene.depth > 0, *scene.flows, sensor.shutter) if sensor.shutter else scene.hand
    if sensor.aperture:
        focal = float(np.sqrt(scene.K[0, 0] * scene.K[1, 1]))
        focus = amiss(scene.focus, sensor.focus)
        picture = layered(hand, scene.background, scene.depth, scene.background_distance, focal, sensor.aperture, focus)
    else:
        picture = over(hand, scene.background)
    picture = vignette(picture, scene.K, sensor.vignetting)
    picture = glare(picture, sensor.glare, _GLARE_RADIUS * picture.shape[1])
    return haze(picture, sensor.haze, scene.surroundings)
