"""Linear light and sRGB (IEC 61966-2-1), Blender's view transform "Standard"."""

from __future__ import annotations

import numpy as np

from rigging.skin import srgb

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)  # of linear sRGB (BT.709)

_STEPS = 65535


def srgb_to_linear(encoded: np.ndarray) -> np.ndarray:
    """Linear float32 of sRGB values: uint8, or floats in 0..1."""
    values = np.asarray(encoded)
    if values.dtype == np.uint8:
        return _DECODED[values]
    return srgb.srgb_to_linear(values.astype(np.float64)).astype(np.float32)


def linear_to_srgb8(linear: np.ndarray) -> np.ndarray:
    """sRGB uint8 of linear float32, clipped to 0..1. A table look-up: within one level of the exact curve."""
    return _ENCODED[(np.clip(linear, 0, 1) * _STEPS + 0.5).astype(np.uint16)]


def temperature_to_rgb(kelvin: float) -> np.ndarray:
    """Linear sRGB (3,) of a black body, luminance 1 (Kang et al. 2002, Design of advanced color temperature ...)."""
    t = 1e3 / float(np.clip(kelvin, 1700, 25000))
    if kelvin <= 4000:
        x = -0.2661239 * t**3 - 0.2343589 * t**2 + 0.8776956 * t + 0.179910
    else:
        x = -3.0258469 * t**3 + 2.1070379 * t**2 + 0.2226347 * t + 0.240390
    if kelvin <= 2222:
        y = -1.1063814 * x**3 - 1.34811020 * x**2 + 2.18555832 * x - 0.20219683
    elif kelvin <= 4000:
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    xyz = np.array([x / y, 1.0, (1 - x - y) / y])
    rgb = np.clip(_XYZ_TO_RGB @ xyz, 0, None)
    return rgb / (rgb @ LUMINANCE.astype(float))


def hsv_to_rgb(hue: float, saturation: float, value: float) -> np.ndarray:
    """RGB (3,) of hue (1 is once around), saturation and value, all in 0..1."""
    channels = np.clip(np.abs(((hue + np.array([1, 2 / 3, 1 / 3])) % 1) * 6 - 3) - 1, 0, 1)
    return value * (1 - saturation + saturation * channels)


_XYZ_TO_RGB = np.array(
    [[3.2404542, -1.5371385, -0.4985314], [-0.9692660, 1.8760108, 0.0415560], [0.0556434, -0.2040259, 1.0572252]]
)
_DECODED = srgb.srgb_to_linear(np.arange(256) / 255).astype(np.float32)
_ENCODED = np.rint(srgb.linear_to_srgb(np.arange(_STEPS + 1) / _STEPS) * 255).astype(np.uint8)
