"""After the sensor: tone curve, noise reduction, sharpening, compression."""

from __future__ import annotations

import cv2
import numba
import numpy as np

from rigging.skin.srgb import linear_to_srgb

from .layers import scaled

_AROUND = 0.05  # picture widths, standard deviation: what local tone mapping takes for the light around a pixel
_LIGHT, _DARKEST = 0.3, 0.02  # linear light that stays, and below which areas come up no further: noise would, too
_STEPS = 65535
_ENCODED = linear_to_srgb(np.arange(_STEPS + 1) / _STEPS).astype(np.float32)


def even_out(picture: np.ndarray, share: float) -> np.ndarray:
    """Local tone mapping of linear light (H, W, 3) float32: dark areas come up by `share` of their stops below _LIGHT.

    The light around a pixel is a Gaussian of the logarithm of luma over a twentieth of the picture. Light areas stay,
    small things keep their contrast: what Hasinoff et al. 2016 (section 6) do to phones' pictures, in one step.
    """
    factor = max(1, round(picture.shape[1] * _AROUND / 2))
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(luma, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    sigma = small.shape[1] * _AROUND
    around = cv2.GaussianBlur(np.log(np.maximum(small, _DARKEST)), (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    lift = np.exp(share * np.maximum(np.float32(np.log(_LIGHT)) - around, 0))
    gain = cv2.resize(lift, luma.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return scaled(picture, gain)


def tone(picture: np.ndarray, contrast: float, black: float) -> np.ndarray:
    """sRGB values (H, W, 3) float32, 0..1, of linear light (H, W, 3) float32, which is cut at 0 and 1.

    Black is moved to `black` (cut there where it is negative), and the share `contrast` of an S, 3 x^2 - 2 x^3 (Brooks
    et al. 2019), takes the curve's place.
    """
    return _tone(picture, _ENCODED, np.float32(contrast), np.float32(black))


@numba.njit(cache=True, nogil=True)
def _tone(picture: np.ndarray, encoded: np.ndarray, contrast: np.float32, black: np.float32) -> np.ndarray:
    out = np.empty(picture.shape, np.float32)
    one, zero, steps = np.float32(1), np.float32(0), np.float32(len(encoded) - 1)
    for y in range(picture.shape[0]):
        for x in range(picture.shape[1]):
            for k in range(3):
                level = min(max(picture[y, x, k], zero), one) * steps + np.float32(0.5)
                value = max(black + (one - black) * encoded[np.uint32(level)], zero)
                curve = value * value * (np.float32(3) - np.float32(2) * value)
                out[y, x, k] = value + contrast * (curve - value)
    return out


def denoise(picture: np.ndarray, noise: float) -> np.ndarray:
    """sRGB values (H, W, 3) float32 less noise of standard deviation `noise`, by a bilateral filter of 5 x 5 pixels.

    Tomasi and Manduchi 1998. It takes the summed difference of three channels, 3 x 1.13 deviations for noise alone.
    """
    return cv2.bilateralFilter(picture, 5, 3.4 * noise, 1.5)


def sharpen(picture: np.ndarray, amount: float, radius: float) -> np.ndarray:
    """Add `amount` of an unsharp mask to sRGB values (H, W, 3) float32: luma less a Gaussian of it of `radius` px."""
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    mask = luma - cv2.GaussianBlur(luma, (0, 0), radius, borderType=cv2.BORDER_REPLICATE)
    return _add(picture, mask, np.float32(amount))


@numba.njit(cache=True, nogil=True)
def _add(picture: np.ndarray, mask: np.ndarray, amount: np.float32) -> np.ndarray:
    out = np.empty_like(picture)
    for y in range(picture.shape[0]):
        for x in range(picture.shape[1]):
            for k in range(3):
                out[y, x, k] = picture[y, x, k] + amount * mask[y, x]
    return out


@numba.njit(cache=True, nogil=True)
def to_bytes(picture: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) of sRGB values (H, W, 3) float32, cut at 0 and 1."""
    out = np.empty(picture.shape, np.uint8)
    for y in range(picture.shape[0]):
        for x in range(picture.shape[1]):
            for k in range(3):
                out[y, x, k] = min(max(picture[y, x, k], np.float32(0)), np.float32(1)) * np.float32(255) + np.float32(
                    0.5
                )
    return out


def compress(picture: np.ndarray, quality: int) -> np.ndarray:
    """A picture (H, W, 3) uint8 as it comes back from a JPEG of `quality` with colours at half resolution (4:2:0)."""
    sampling = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
    _, data = cv2.imencode(
        ".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality, *sampling]
    )
    return cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
