"""What a release says about its cameras' sensors: ranges of every part, each with a value that switches it off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

Range = tuple[float, float]
# What a value may be; a range whose ends are the part's switch (0 for shutter, iso and jpeg) is allowed as well.
_ALLOWED: dict[str, Range] = {
    "shutter": (0.001, 2), "aperture": (0, 0.05), "focus": (-10, 10), "vignetting": (0, 4), "glare": (0, 0.5),
    "haze": (0, 1), "iso": (25, 25600), "full_well": (500, 200_000), "read_noise": (0, 50), "binning": (1, 16),
    "frames": (1, 32), "denoising": (0, 1), "colour": (0, 1), "white_balance": (-1, 1), "exposure": (-3, 3),
    "local_tone": (0, 0.9), "contrast": (0, 1), "black": (-0.1, 0.3), "sharpening": (0, 4),
    "sharpening_radius": (0.3, 4), "jpeg": (10, 100),
}  # fmt: skip
_SWITCHED_OFF_BY_ZERO = ("shutter", "iso", "jpeg")


@dataclass(frozen=True)
class SensorSettings:
    """Ranges (least, most) that `draw_sensors` draws from; the defaults switch every part off.

    Where the presets' figures come from: docs/sensor.md.

    Raises:
        ValueError: a range whose ends are not in order or are beyond what is allowed, in one line.
    """

    shutter: Range = (0.0, 0.0)  # log-uniform; share of the time from frame to frame that the shutter is open
    aperture: Range = (0.0, 0.0)  # m, diameter of the entrance pupil; 0: everything is in focus
    focus: Range = (0.0, 0.0)  # dioptres that the lens is focused nearer than the hand
    vignetting: Range = (0.0, 0.0)  # 1: the cos^4 of a lens that nothing corrects
    glare: Range = (0.0, 0.0)  # share of the light that goes astray in the lens
    haze: Range = (0.0, 0.0)  # share of the light that a smeared lens exchanges for that of all around
    iso: Range = (0.0, 0.0)  # log-uniform; 0: no noise
    full_well: Range = (6000.0, 6000.0)  # log-uniform; electrons of one pixel at ISO 50 in white
    read_noise: Range = (2.0, 2.0)  # electrons of one pixel
    binning: tuple[int, int] = (2, 2)  # sensor's pixels along the side of a picture's pixel; 1 shows the colour mosaic
    frames: tuple[int, int] = (1, 1)  # exposures that the camera adds up
    denoising: Range = (0.0, 0.0)  # how far an edge-preserving filter goes against the noise that is left
    colour: Range = (0.0, 0.0)  # share of another camera's colours in the matrix that corrects this one's
    white_balance: Range = (0.0, 0.0)  # stops, errors of red and blue against green
    exposure: Range = (0.0, 0.0)  # stops, beside what the look's exposure says
    local_tone: Range = (0.0, 0.0)  # share of their stops below light ones by which dark areas come up
    contrast: Range = (0.0, 0.0)  # of the tone curve: 0 is sRGB's alone, 1 a whole S
    black: Range = (0.0, 0.0)  # sRGB value of black; below 0 the shadows are cut
    sharpening: Range = (0.0, 0.0)  # share of an unsharp mask that is added
    sharpening_radius: Range = (0.8, 0.8)  # px, standard deviation of its Gaussian
    jpeg: tuple[int, int] = (0, 0)  # quality of a compression (4:2:0) before the one on disk; 0: none

    PRESETS: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "none": {},
        "mild": {
            "shutter": (0.03, 0.25), "aperture": (0.001, 0.003), "focus": (-0.2, 0.2), "vignetting": (0.0, 0.3),
            "glare": (0.0, 0.01), "haze": (0.0, 0.005), "iso": (50.0, 400.0), "full_well": (4000.0, 10000.0),
            "read_noise": (1.0, 3.0), "binning": (2, 4), "frames": (1, 4), "denoising": (0.0, 0.5),
            "colour": (0.0, 0.2), "white_balance": (-0.05, 0.05), "exposure": (-0.2, 0.2), "local_tone": (0.1, 0.3),
            "contrast": (0.2, 0.7),
            "black": (-0.01, 0.01), "sharpening": (0.5, 1.2), "sharpening_radius": (0.6, 1.0), "jpeg": (85, 98),
        },
        "phone": {
            "shutter": (0.03, 0.5), "aperture": (0.002, 0.004), "focus": (-0.8, 0.4), "vignetting": (0.0, 0.6),
            "glare": (0.005, 0.03), "haze": (0.0, 0.03), "iso": (50.0, 800.0), "full_well": (3000.0, 10000.0),
            "read_noise": (1.0, 3.0), "binning": (2, 4), "frames": (1, 4), "denoising": (0.0, 0.8),
            "colour": (0.0, 0.5), "white_balance": (-0.15, 0.15), "exposure": (-0.6, 0.6), "local_tone": (0.1, 0.5),
            "contrast": (0.2, 1.0),
            "black": (-0.03, 0.03), "sharpening": (0.3, 1.2), "sharpening_radius": (0.6, 1.2), "jpeg": (80, 98),
        },
    }  # fmt: skip

    def __post_init__(self) -> None:
        for item in fields(self):
            low, high = getattr(self, item.name)
            least, most = _ALLOWED[item.name]
            off = item.name in _SWITCHED_OFF_BY_ZERO and low == high == 0
            if not off and not least <= low <= high <= most:
                zero = ", or [0, 0] for none" if item.name in _SWITCHED_OFF_BY_ZERO else ""
                allowed = f"[least, most] within {least:g}..{most:g}{zero}"
                raise ValueError(f"{item.name} = {[low, high]}: must be {allowed}")
