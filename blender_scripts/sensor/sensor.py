"""One camera of a ring with its sensor, as drawn: what its model and its state at the exposure decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from .settings import SensorSettings

BASE_ISO = 50  # at which white fills the well: what phones state as their lowest
CAMERAS = 4  # whose colours are known, see `colours.XYZ_TO_CAMERA`


@dataclass(frozen=True)
class Sensor:
    """A camera as `SensorSettings` describes it; the defaults do nothing to a picture."""

    shutter: float = 0.0
    aperture: float = 0.0
    focus: float = 0.0
    vignetting: float = 0.0
    glare: float = 0.0
    haze: float = 0.0
    iso: float = 0.0
    full_well: float = 6000.0
    read_noise: float = 2.0
    binning: int = 2
    frames: int = 1
    denoising: float = 0.0
    primaries: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0)  # shares of the known cameras in the sensor's colours ...
    correction: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0)  # ... and in those that its matrix corrects
    white_balance: tuple[float, float] = (0.0, 0.0)  # stops, of red and of blue
    exposure: float = 0.0
    local_tone: float = 0.0
    contrast: float = 0.0
    black: float = 0.0
    sharpening: float = 0.0
    sharpening_radius: float = 0.8
    jpeg: int = 0

    @property
    def white_electrons(self) -> float:
        """Electrons that white leaves in a pixel of the picture: less, the higher the ISO."""
        return self.full_well * self.binning**2 * self.frames * min(1.0, BASE_ISO / max(self.iso, 1e-9))

    @property
    def dark_electrons(self) -> float:
        """Standard deviation of the electrons that reading a pixel of the picture adds."""
        return self.read_noise * self.binning * self.frames**0.5

    @property
    def grey_noise(self) -> float:
        """Standard deviation of the noise in middle grey (18 % of white), as an sRGB value from 0 to 1."""
        if not self.iso:
            return 0.0
        electrons = 0.18 * self.white_electrons
        return 1.2 * (electrons + self.dark_electrons**2) ** 0.5 / self.white_electrons  # 1.2: sRGB's slope there

    @property
    def has_raw(self) -> bool:
        """Whether anything happens to the picture between the lens and the tone curve."""
        wrong = self.primaries != self.correction or any(self.white_balance)
        return bool(self.exposure or self.iso or self.binning == 1 or wrong)


def draw_sensors(rng: np.random.Generator, settings: SensorSettings, views: int) -> tuple[Sensor, ...]:
    """Draw the cameras of a ring: all of one model, each in a state of its own. None where everything is off.

    Numbers are drawn alike for any settings, and rounded to four digits as the metadata shows them.
    """
    if settings == SensorSettings():
        return ()
    model = _draw_model(rng, settings)
    return tuple(Sensor(**model, **_draw_state(rng, settings)) for _ in range(views))


def sensors_table(sensors: Sequence[Sensor]) -> dict[str, object]:
    """Settings of a ring's sensors by name, for a sample's metadata: one value where all are alike, else a list."""
    rows = [asdict(sensor) for sensor in sensors]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return {name: values[0] if all(value == values[0] for value in values) else values
            for name, values in columns.items()}  # fmt: skip


def _draw_model(rng: np.random.Generator, settings: SensorSettings) -> dict[str, object]:
    """What all cameras of a ring have in common."""
    own, other = rng.dirichlet(np.ones(CAMERAS), 2)
    share = rng.uniform(*settings.colour)
    return {
        "aperture": _uniform(rng, settings.aperture),
        "vignetting": _uniform(rng, settings.vignetting),
        "glare": _uniform(rng, settings.glare),
        "full_well": _log_uniform(rng, settings.full_well),
        "read_noise": _uniform(rng, settings.read_noise),
        "binning": _whole(rng, settings.binning),
        "frames": _whole(rng, settings.frames),
        "denoising": _uniform(rng, settings.denoising),
        "primaries": _rounded(own),
        "correction": _rounded(own) if share == 0 else _rounded((1 - share) * own + share * other),
        "local_tone": _uniform(rng, settings.local_tone),
        "contrast": _uniform(rng, settings.contrast),
        "sharpening": _uniform(rng, settings.sharpening),
        "sharpening_radius": _uniform(rng, settings.sharpening_radius),
        "jpeg": _whole(rng, settings.jpeg),
    }


def _draw_state(rng: np.random.Generator, settings: SensorSettings) -> dict[str, object]:
    """What each camera sets for itself."""
    return {
        "shutter": _log_uniform(rng, settings.shutter),
        "focus": _uniform(rng, settings.focus),
        "haze": _uniform(rng, settings.haze),
        "iso": _log_uniform(rng, settings.iso),
        "white_balance": (_uniform(rng, settings.white_balance), _uniform(rng, settings.white_balance)),
        "exposure": _uniform(rng, settings.exposure),
        "black": _uniform(rng, settings.black),
    }


def _uniform(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    return _round(rng.uniform(*bounds))


def _whole(rng: np.random.Generator, bounds: tuple[int, int]) -> int:
    """Of both ends and what is between; takes one number from `rng` even where there is one alone."""
    return bounds[0] + int(rng.random() * (bounds[1] - bounds[0] + 1))


def _log_uniform(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    """Zero where both bounds are zero."""
    place = rng.random()
    return _round(bounds[0] * (bounds[1] / bounds[0]) ** place if bounds[0] > 0 else 0.0)


def _rounded(values: np.ndarray) -> tuple[float, ...]:
    return tuple(_round(value) for value in values)


def _round(value: float) -> float:
    return float(f"{value:.4g}")
