"""Light that the surroundings send back, and the exposure and white balance of the cameras: one for a pair's views."""

from __future__ import annotations

import numpy as np

from .colour import LUMINANCE, srgb_to_linear, temperature_to_rgb
from .hdri import irradiance, solid_angles
from .look import Lamp, Look

_BOUNCE = 0.25  # share of all light that the surroundings send back to the hand from everywhere
_WHITE = 0.85  # linear value of a white surface in metered light beside a hand of _REFERENCE
_REFERENCE = 0.36  # luminance of light skin's albedo
_BRIGHT_SIDE, _BRIGHT_WEIGHT = 80, 0.35  # percentile of the irradiance over all directions, and its weight in metering
_DARKEST = 0.05  # least median of a panorama's recorded values, or its boost of at most _BOOST
_BOOST = 4.0


def scene_light(look: Look, panorama: np.ndarray) -> np.ndarray:
    """The panorama (64, 128, 3) as it lights the hand: at its strength, plus what surroundings send back.

    Without it the side that faces away from a lamp would be black, as in no real room.
    """
    light = panorama * np.float32(look.hdri_strength)
    mean = mean_light(light)
    for lamp in look.lamps:
        mean = mean + temperature_to_rgb(lamp.kelvin) * lamp.irradiance() / (4 * np.pi)
    return (light + _BOUNCE * mean).astype(np.float32)


def mean_light(light: np.ndarray) -> np.ndarray:
    """The mean (3,) over all directions of a panorama (H, W, 3)."""
    return (light * solid_angles(*light.shape[:2])[:, :, None]).sum((0, 1)) / (4 * np.pi)


def light_on(normals: np.ndarray, lamps: tuple[Lamp, ...], light: np.ndarray) -> np.ndarray:
    """Irradiance (N, 3) on surfaces with unit `normals` (N, 3) of `light` (64, 128, 3) and the lamps."""
    total = irradiance(light, normals)
    for lamp in lamps:
        facing = np.maximum(normals @ (np.array(lamp.position) / np.linalg.norm(lamp.position)), 0)
        total += facing[:, None] * temperature_to_rgb(lamp.kelvin) * lamp.irradiance()
    return total


def camera_gains(look: Look, light: np.ndarray, reflectance: float = _REFERENCE) -> np.ndarray:
    """Exposure and white balance (3,) that linear light of the scene is multiplied with.

    The automatic exposure meters the light on a surface turned all ways, its bright side a little more, and opens up
    for dark skin: by `look.metering` of the stops that it is darker than light skin. 0 meters the light alone, 0.3 a
    picture that the hand is half of; 1 would make skin of all tones equally bright.

    Args:
        light: (64, 128, 3) of `scene_light`. reflectance: of the skin, see `skin_reflectance`.
    """
    total = light_on(sphere(96), look.lamps, light)
    mean, luminance = total.mean(0), total @ LUMINANCE
    metered = _BRIGHT_WEIGHT * np.percentile(luminance, _BRIGHT_SIDE) + (1 - _BRIGHT_WEIGHT) * luminance.mean()
    balance = (luminance.mean() / np.maximum(mean, 1e-9)) ** look.white_balance
    balance /= (balance * mean @ LUMINANCE) / luminance.mean()
    darker = _REFERENCE / max(reflectance, 1e-3)
    opened = darker**look.metering if darker > 1 else darker  # what is lighter than light skin would burn
    return (balance * _WHITE * opened * np.pi / metered * 2.0**look.exposure_ev).astype(np.float32)


def skin_reflectance(albedo: np.ndarray) -> float:
    """Mean luminance of the linear light that a skin (R, R, 3) uint8 sRGB sends back."""
    step = max(1, len(albedo) // 64)
    return float((srgb_to_linear(np.ascontiguousarray(albedo[::step, ::step])) @ LUMINANCE).mean(dtype=np.float64))


def panorama_gain(look: Look, panorama: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """What a panorama (H, W, 3) is multiplied with as a background (3,), exposure included.

    The lamps light the surroundings too, so these are as bright beside the hand as they were without lamps; and a
    panorama that is nearly black but for its lights is shown brighter than it is.
    """
    alone = np.pi * max(look.hdri_strength, 1e-6)  # mean irradiance of a panorama, whose mean luminance is 1
    lamps = sum(lamp.irradiance() / 4 for lamp in look.lamps)
    gain = gains * np.float32(look.hdri_strength * (alone + lamps) / alone)
    step = max(1, len(panorama) // 64)
    # the poles have many pixels but little of the sphere
    rows = slice(len(panorama) // 8, len(panorama) * 7 // 8, step)
    median = float(np.median(panorama[rows, ::step] @ LUMINANCE)) * float(gain @ LUMINANCE)
    return gain * np.float32(np.clip((_DARKEST / max(median, 1e-6)) ** 0.85, 1.0, _BOOST))


def sphere(count: int) -> np.ndarray:
    """Evenly spread unit vectors (count, 3) on a Fibonacci spiral."""
    z = 1 - (2 * np.arange(count) + 1) / count
    angle = np.pi * (1 + 5**0.5) * np.arange(count)
    return np.stack([np.cos(angle) * np.sqrt(1 - z**2), np.sin(angle) * np.sqrt(1 - z**2), z], 1)
