"""Skin colour: from the individual typology angle (ITA) to CIELAB, linear sRGB and a Monk bin.

ITA = atan2(L* - 50, b*) in degrees (Chardon, Cretois and Hourseau 1991). Human skin measured with a
spectrophotometer follows one curve in CIELAB: a* and b* grow from very light to tan skin and shrink again towards
very dark skin (Xiao et al. 2017, Del Bino and Bernerd 2013); the knots below follow it roughly.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import PchipInterpolator

ITA_LIMITS = (-75.0, 75.0)
_KNOTS = np.array([-75.0, -50.0, -30.0, -10.0, 10.0, 28.0, 41.0, 55.0, 65.0, 75.0])
_A = PchipInterpolator(_KNOTS, [7.0, 10.6, 12.0, 12.8, 12.4, 11.0, 9.6, 8.0, 7.2, 6.5])
_B = PchipInterpolator(_KNOTS, [7.0, 13.2, 16.8, 18.6, 18.8, 17.6, 16.0, 13.8, 11.4, 8.0])
# The palm carries little melanin whatever the back of the hand does.
_PALM_ITA = PchipInterpolator(_KNOTS, [-22.0, -3.0, 8.0, 18.0, 27.0, 36.0, 42.0, 49.0, 54.0, 60.0])

# ITA of the Monk scale's ten swatches in degrees (from their published sRGB values), and of the lightest and the
# darkest of measured human skin.
MONK_ITA = np.array([83.0, 80.0, 72.0, 65.0, 50.0, 11.0, -20.0, -55.0, -78.0, -84.0])
HUMAN_ITA = np.array([-60.0, 65.0])

# Optical density per unit of melanin and of blood in linear R, G, B (melanin falls with about wavelength^-3.3,
# haemoglobin absorbs green and blue but hardly red; after Tsumura et al. 2003).
MELANIN = np.array([0.41, 0.60, 1.00])
BLOOD = np.array([0.10, 1.00, 0.72])

_RGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = _RGB_TO_XYZ.sum(1)


def lab_to_linear(lab: np.ndarray) -> np.ndarray:
    """CIELAB (..., 3), D65, to linear sRGB (..., 3), clipped to be positive."""
    lab = np.asarray(lab, dtype=np.float64)
    fy = (lab[..., 0] + 16.0) / 116.0
    f = np.stack([fy + lab[..., 1] / 500.0, fy, fy - lab[..., 2] / 200.0], -1)
    xyz = np.where(f > 6.0 / 29.0, f**3, 3.0 * (6.0 / 29.0) ** 2 * (f - 4.0 / 29.0)) * _WHITE
    return np.maximum(xyz @ np.linalg.inv(_RGB_TO_XYZ).T, 1e-4)


def linear_to_lab(rgb: np.ndarray) -> np.ndarray:
    """Linear sRGB (..., 3) to CIELAB (..., 3), D65."""
    xyz = np.asarray(rgb, dtype=np.float64) @ _RGB_TO_XYZ.T / _WHITE
    f = np.where(xyz > (6.0 / 29.0) ** 3, np.cbrt(xyz), xyz / (3.0 * (6.0 / 29.0) ** 2) + 4.0 / 29.0)
    return np.stack([116.0 * f[..., 1] - 16.0, 500.0 * (f[..., 0] - f[..., 1]), 200.0 * (f[..., 1] - f[..., 2])], -1)


def ita_to_lab(ita: float) -> np.ndarray:
    """Mean CIELAB (3,) of the back of a hand with that ITA in degrees; the ITA of the result is exact."""
    if not ITA_LIMITS[0] <= ita <= ITA_LIMITS[1]:
        raise ValueError(f"skin tone ITA {ita} is outside {ITA_LIMITS[0]}..{ITA_LIMITS[1]} degrees")
    b = float(_B(ita))
    return np.array([50.0 + b * np.tan(np.radians(ita)), float(_A(ita)), b])


def ita_to_albedo(ita: float) -> np.ndarray:
    """Mean linear sRGB (3,) of the back of a hand with that ITA in degrees."""
    return lab_to_linear(ita_to_lab(ita))


def palm_lab(ita: float) -> np.ndarray:
    """Mean CIELAB (3,) of the palm of a hand whose back has that ITA in degrees: lighter, redder."""
    lab = ita_to_lab(float(_PALM_ITA(ita)))
    redder = np.interp(ita, [-75.0, 20.0], [-1.0, 3.0])
    return lab + np.array([0.0, redder, 0.0])


def lab_to_ita(lab: np.ndarray) -> np.ndarray:
    """ITA (...) in degrees of CIELAB (..., 3)."""
    return np.degrees(np.arctan2(lab[..., 0] - 50.0, lab[..., 2]))


def monk_bin(ita: float) -> int:
    """Bin 1 (lightest) to 10 (darkest) of the Monk Skin Tone scale (Monk 2019) for skin of that ITA in degrees.

    The swatches are display colours, the outermost lighter and darker than skin that a spectrophotometer measures:
    by nearest swatch, people would fill bins 4 to 9 only. As the scale is meant to span human skin, the range of
    human skin is laid linearly over the range of the swatches first, and then the swatch nearest in ITA counts.
    """
    on_scale = np.interp(float(ita), HUMAN_ITA, MONK_ITA[[-1, 0]])
    return int(1 + np.abs(MONK_ITA - on_scale).argmin())
