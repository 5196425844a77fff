"""Panoramas as sharp as a camera sees them: detail where the panorama's own pixels are larger than the picture's.

A panorama of 1024 columns has pixels of 6 mrad, a picture of 256 pixels at 80 mm (35 mm equivalent) has 2 mrad. What
the panorama cannot show is made up from what it shows, in the logarithm of luminance, so that colours stay:

- outlines: between the least and the greatest value nearby the transition is made as short as the picture can show
  it, without overshoot, as glyphs are drawn from small maps (Green 2007, Improved Alpha-Tested Magnification);
- where outlines run in all directions (leaves, not walls) noise frays them;
- texture goes on at the contrast that it has in the panorama's finest octave, as natural pictures do (Field 1987).

All of it depends on the direction alone, and smooth sky stays smooth.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numba
import numpy as np

from . import hdri
from .colour import LUMINANCE
from .sphere_noise import sphere_noise

_TOE = np.float32(0.004)  # added to luminance before the logarithm: what is nearly black has no detail
_WIDEST = 15  # pixels that are averaged along a row near a pole
_MARGIN = 18  # pixels of the panorama around what is seen, which the filters reach
_OUTLINE = 1.4  # pixels of the view that an outline is wide, unless it were
_STEEPEST = 4.0  # times narrower than in the panorama
_LOOSE = np.float32(1.4)  # at most, where outlines run in all directions: small patches would look painted
_FLAT = np.float32(0.08)  # of the least light nearby: by so much more, the greatest makes half an outline
_WALLS, _LEAVES = 0.2, 0.5  # ratio of the weakest to the strongest gradient at which outlines begin to fray, and all do
_FRAYED = np.float32(0.48)  # RMS per octave by which noise moves an outline: a quarter of it, of the way across
_TEXTURE = 1.7  # RMS per octave of texture, by the gradient in its weakest direction, per pixel
_GRAIN, _COARSEST = 0.015, 0.25  # stops: gradient that is noise, and beyond which it is of outlines
# The inverse, to first order, of averaging Catmull-Rom interpolation over a pixel: pixels of a panorama are averages
_UNAVERAGE = np.array([0.0130, -0.0938, 1.1616, -0.0938, 0.0130], np.float32)
_NEAR, _AROUND = np.ones((3, 3), np.uint8), np.ones((5, 5), np.uint8)


class Backdrop(NamedTuple):
    """A panorama as the cameras of a sample record it."""

    panorama: np.ndarray  # (H, W, 3) float32, linear
    rotation: float  # radians about +z
    gains: np.ndarray  # (3,) float32, exposure and white balance
    brightest: float  # recorded light is no brighter
    detail: float  # 1 goes on as natural pictures do, 0 adds nothing
    seed: int  # of what is made up


class Patch(NamedTuple):
    """The part of a panorama that a view sees, and where in it: the panorama's pixels are whole numbers there."""

    light: np.ndarray  # (h, w, 3) float32, linear, as recorded
    x: np.ndarray  # (H, W) float32, of the view's pixels
    y: np.ndarray


def magnification(columns: int, K: np.ndarray) -> float:
    """How many times larger the pixels of a panorama of `columns` are than those of a camera (3, 3)."""
    return float(K[0, 0]) * 2 * np.pi / columns


def detailed_view(backdrop: Backdrop, K: np.ndarray, world_to_cam: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """What a camera records of a panorama: (height, width, 3) float32 linear light, for a `size` of (width, height).

    The same direction looks the same from every camera of the same focal length. Without detail, or where the
    panorama has pixels enough, it is `hdri.view`.
    """
    panorama, rotation, gains = backdrop.panorama, backdrop.rotation, backdrop.gains
    larger = magnification(panorama.shape[1], K)
    if backdrop.detail <= 0 or larger <= 1:
        return hdri.view(panorama, rotation, K, world_to_cam, *size) * gains
    rays = hdri.pixel_rays(K, world_to_cam, *size)
    patch = _seen(backdrop, *hdri.places(rays, rotation, *panorama.shape[:2]))
    noise = sphere_noise(rays, panorama.shape[1], larger, backdrop.seed)
    return _refine(patch, noise, backdrop.detail, larger)


def _seen(backdrop: Backdrop, x: np.ndarray, y: np.ndarray) -> Patch:
    """The patch around places x, y (H, W) of a panorama, across its seam."""
    rows, columns = backdrop.panorama.shape[:2]
    middle = round(float(x[x.shape[0] // 2, x.shape[1] // 2]))
    x = x - np.float32(middle - columns / 2)
    x -= np.float32(columns) * np.floor(x * np.float32(1 / columns))  # the seam is now opposite the view's middle
    left, top = int(x.min()) - _MARGIN, int(y.min()) - _MARGIN
    across = np.arange(left, int(x.max()) + _MARGIN + 2) + int(middle - columns / 2)
    down = np.clip(np.arange(top, int(y.max()) + _MARGIN + 2), 0, rows - 1)
    light = backdrop.panorama[down[:, None], across % columns] * backdrop.gains
    light = _evened(np.minimum(light, np.float32(backdrop.brightest)), np.sin((down + 0.5) / rows * np.pi))
    return Patch(light, x - np.float32(left), y - np.float32(top))


def _evened(light: np.ndarray, sines: np.ndarray) -> np.ndarray:
    """Rows of light (h, w, 3), averaged along themselves where they are so much shorter, by `sines` (h,), than high.

    Near its poles a panorama's pixels are slivers, whose noise would be made streaks that run to the pole.
    """
    for row, sine in enumerate(sines):
        if (width := 2 * min(int(0.5 / sine), _WIDEST // 2) + 1) > 1:
            light[row : row + 1] = cv2.blur(light[row : row + 1], (width, 1))
    return light


def _refine(patch: Patch, noise: np.ndarray, detail: float, larger: float) -> np.ndarray:
    """A view (H, W, 3) of a patch whose pixels are so many times larger, given detail from noise (H, W)."""
    luminance = patch.light @ LUMINANCE
    clear = cv2.sepFilter2D(luminance, -1, _UNAVERAGE, _UNAVERAGE)
    value = cv2.remap(clear, patch.x, patch.y, cv2.INTER_CUBIC)
    around = cv2.remap(_structure(luminance), patch.x, patch.y, cv2.INTER_LINEAR)
    plain = cv2.remap(patch.light, patch.x, patch.y, cv2.INTER_LINEAR)
    octaves = np.log2(larger) + 0.5  # of the noise, about
    numbers = detail * min(1.0, larger - 1), min(larger / _OUTLINE, _STEEPEST), np.log(2) * octaves
    return _make_up(plain, value, around, noise, *np.float32(numbers))


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _make_up(
    plain: np.ndarray,
    value: np.ndarray,
    around: np.ndarray,
    noise: np.ndarray,
    detail: float,
    steep: float,
    power: float,
) -> np.ndarray:
    """A view (H, W, 3) from what interpolation shows: light (H, W, 3), luminance (H, W), `_structure` (H, W, 4).

    Outlines are `steep` times narrower; `power` is the noise's, in stops times ln 2. All are float32.
    """
    out, one, half, zero = np.empty_like(plain), np.float32(1), np.float32(0.5), np.float32(0)
    for row in range(value.shape[0]):
        for column in range(value.shape[1]):
            low, span, free, texture = around[row, column]
            share = min(max((value[row, column] - low) / span, zero), one)  # no overshoot
            frayed = share + _FRAYED * detail * free * noise[row, column] * share * (one - share)
            steepness = steep + (min(steep, _LOOSE) - steep) * free
            outline = one / (one + np.exp(np.float32(-4) * steepness * (frayed - half)))
            trust = min(detail, one) * (span / (span + _FLAT * (low + _TOE))) ** 2
            light = plain[row, column]
            brighter = low + span * (share + trust * (outline - share)) + _TOE
            brighter /= light[0] * LUMINANCE[0] + light[1] * LUMINANCE[1] + light[2] * LUMINANCE[2] + _TOE
            contrast = detail * texture
            if contrast > zero:
                brighter *= np.exp2(contrast * (noise[row, column] - power * half * contrast))  # of mean 1
            for channel in range(3):
                out[row, column, channel] = light[channel] * brighter
    return out


def _structure(luminance: np.ndarray) -> np.ndarray:
    """What is around each pixel of luminances (h, w): (h, w, 4) float32.

    The least nearby, and from it to the greatest; how far outlines run in all directions, 0 to 1; contrast of texture
    per octave in stops. Gradients are those of the structure tensor (Foerstner & Guelch 1987), in stops.
    """
    low = cv2.GaussianBlur(cv2.erode(luminance, _NEAR), (3, 3), 0.6)
    high = cv2.GaussianBlur(cv2.dilate(luminance, _NEAR), (3, 3), 0.6)
    squares = np.maximum(cv2.cornerEigenValsAndVecs(np.log2(luminance + _TOE), 3, 3)[..., :2], 0)
    strong, weak = cv2.split(cv2.GaussianBlur(np.sqrt(squares), (0, 0), 1.0))
    free = np.clip((weak / (strong + np.float32(_GRAIN)) - _WALLS) / (_LEAVES - _WALLS), 0, 1)
    within = cv2.GaussianBlur(np.sqrt(cv2.erode(squares[..., 1].copy(), _AROUND)), (0, 0), 1.0)
    texture = _TEXTURE * np.clip(within - _GRAIN, 0, _COARSEST)
    return cv2.merge([low, np.maximum(high - low, np.float32(1e-4)), free, texture])
