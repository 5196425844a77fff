"""From the light that a camera's sensor receives to the picture that it stores, in the order of the light's way."""

from __future__ import annotations

import numpy as np

from .finish import compress, denoise, even_out, sharpen, to_bytes, tone
from .raw import through_sensor
from .sensor import Sensor


def record(picture: np.ndarray, sensor: Sensor, rng: np.random.Generator) -> np.ndarray:
    """What a camera stores, (H, W, 3) uint8 sRGB, of linear light (H, W, 3) float32 at its sensor.

    In this light 1 is white at the look's exposure, and more is possible. Parts that are off cost nothing; with all
    parts off this is the light in sRGB. The generator serves the noise alone.
    """
    if sensor.has_raw:
        picture = through_sensor(picture, sensor, rng)
    if sensor.local_tone:
        picture = even_out(picture, sensor.local_tone)
    picture = tone(picture, sensor.contrast, sensor.black)
    if sensor.denoising and sensor.iso:
        picture = denoise(picture, sensor.denoising * 2 * sensor.grey_noise)
    if sensor.sharpening:
        picture = sharpen(picture, sensor.sharpening, sensor.sharpening_radius)
    picture = to_bytes(picture)
    return compress(picture, sensor.jpeg) if sensor.jpeg else picture
