"""The look of a pair: light, exposure, background, arm and sleeve, all drawn from one generator."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Literal, get_args

import numpy as np

from rigging.hand.cuffs import MOST_CUFF

from ..sensor.sensor import Sensor, sensors_table
from ..sensor.settings import SensorSettings
from .colour import hsv_to_rgb

BACKGROUND_KINDS = ("hdri", "folder", "clutter", "none")
RoomKind = Literal["plain", "lived-in"]  # of made-up rooms: `clutter`, or `lived_in`
ClothChoice = Literal["any", "unlike skin"]
ARM_STYLES = ("bare", "sleeve")
LAMP_KINDS = ("area", "sun", "point")
METERING = 0.3  # as in all releases that do not say: a hand is about half of what a camera meters
MOST_DETAIL = 2.0  # natural pictures have 1
CLOTH_PATTERNS = ("plain", "striped", "checked", "knit", "denim")


LIMITS = {  # of ranges: least, most, unit
    "hdri_strength": (1e-3, 1e3, ""), "lamps": (0, 16, ""), "lamp_strength": (1e-3, 1e3, ""),
    "lamp_kelvin": (1700.0, 25000.0, " K"), "exposure_ev": (-8.0, 8.0, " stops"), "white_balance": (0.0, 1.0, ""),
    "background_blur": (0.0, 100.0, " px"), "lens_blur": (0.0, 100.0, " px"), "noise": (0.0, 1.0, ""),
    "detail": (0.0, MOST_DETAIL, ""), "cuff": (0.0, MOST_CUFF, " m behind the wrist"), "metering": (0.0, 1.0, ""),
}  # fmt: skip


@dataclass(frozen=True)
class LookSettings:
    """What `draw_look` draws from. Ranges are (least, most)."""

    hdri_strength: tuple[float, float] = (0.3, 1.0)  # log-uniform; 1: mean luminance 1 over the sphere
    lamps: tuple[int, int] = (0, 2)
    lamp_strength: tuple[float, float] = (0.4, 4.0)  # log-uniform; irradiance at the hand by that of the whole HDRI
    lamp_kelvin: tuple[float, float] = (2700.0, 7500.0)
    exposure_ev: tuple[float, float] = (-0.4, 0.5)  # about the automatic exposure, in stops
    white_balance: tuple[float, float] = (0.4, 0.9)  # 1 takes the light's colour out altogether
    backgrounds: dict[str, float] = field(default_factory=lambda: {"hdri": 0.4, "clutter": 0.6})  # kind: weight
    background_blur: tuple[float, float] = (0.0, 1.2)  # standard deviation, pixels, of the background's defocus
    lens_blur: tuple[float, float] = (0.3, 0.55)  # standard deviation, pixels, of the whole picture's point spread
    noise: tuple[float, float] = (0.0, 0.0)  # standard deviation of the sensor's noise in white, linear; 0: none
    sleeve: float = 0.4  # share of arms in a sleeve
    detail: tuple[float, float] = (0.0, 0.0)  # of panoramas where they have none of their own; drawn by `with_detail`
    sensor: SensorSettings = field(default_factory=SensorSettings)  # of the cameras, drawn apart by `draw_sensors`
    rooms: RoomKind = "plain"  # what the background `clutter` is
    cuff: tuple[float, float] = (0.0, 0.0)  # m behind the wrist (of an adult) where sleeves begin; see `with_sleeve`
    cloth: ClothChoice = "any"  # of sleeves
    metering: tuple[float, float] = (METERING, METERING)  # see `Look`; drawn by `with_metering`

    def __post_init__(self) -> None:
        unknown = set(self.backgrounds) - set(BACKGROUND_KINDS)
        if unknown:
            raise ValueError(f"background {min(unknown)!r} is unknown, allowed are {', '.join(BACKGROUND_KINDS)}")
        if not self.backgrounds or min(self.backgrounds.values()) < 0 or sum(self.backgrounds.values()) <= 0:
            raise ValueError(f"background weights are {self.backgrounds}; they must not be negative or all zero")
        if self.rooms not in get_args(RoomKind):
            raise ValueError(f"rooms is {self.rooms!r}, allowed are {', '.join(get_args(RoomKind))}")
        if self.cloth not in get_args(ClothChoice):
            raise ValueError(f"cloth is {self.cloth!r}, allowed are {', '.join(get_args(ClothChoice))}")
        if not 0 <= self.sleeve <= 1:
            raise ValueError(f"sleeve is {self.sleeve}, allowed is a share from 0 to 1")
        for name, (least, most, unit) in LIMITS.items():
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name} is ({low}, {high}); the first value must not exceed the second")
            if low < least or high > most:
                raise ValueError(f"{name} is ({low}, {high}), allowed is {least:g} to {most:g}{unit}")
        if any(self.noise) and self.sensor.iso[1]:
            raise ValueError(f"noise is {self.noise}; allowed is 0 beside [look.sensor] iso, which makes noise itself")


@dataclass(frozen=True)
class Lamp:
    """A lamp that shines on the origin, in Blender's units."""

    kind: str  # one of LAMP_KINDS
    position: tuple[float, float, float]  # metres; of a sun only the direction counts
    kelvin: float
    power: float  # W; of a sun W/m2
    size: float  # metres: diameter of an area, radius of a point; of a sun its angle in radians

    def irradiance(self) -> float:
        """On a surface at the origin that faces the lamp, W/m2."""
        if self.kind == "sun":
            return self.power
        distance = float(np.linalg.norm(self.position))
        return self.power / ((np.pi if self.kind == "area" else 4 * np.pi) * distance**2)


@dataclass(frozen=True)
class Cloth:
    """What the sleeve is made of."""

    pattern: str  # one of CLOTH_PATTERNS
    colours: tuple[tuple[float, float, float], ...]  # three sRGB colours, 0..1
    repeats: float  # of the pattern around the arm
    seed: int


@dataclass(frozen=True)
class Look:
    """Everything of a pair that is neither pose, shape nor skin."""

    hdri: str
    rotation: float  # radians about +z
    hdri_strength: float
    lamps: tuple[Lamp, ...]
    exposure_ev: float
    white_balance: float
    background: str  # one of BACKGROUND_KINDS
    background_seed: int
    background_blur: float
    lens_blur: float
    noise: float
    arm_style: str  # one of ARM_STYLES
    cloth: Cloth
    detail: float = 0.0  # that a panorama is given as a background (`detail`); 0: none
    rooms: RoomKind = "plain"  # of the background `clutter`
    cuff: float = 0.0  # m behind the wrist (of an adult) where a sleeve that is rolled up begins; 0: it is not
    metering: float = METERING  # share of the stops by which a skin is darker than light skin that cameras make up for

    @property
    def arm_shape(self) -> str:
        """What of rigging.hand.arm's STYLES the arm is: rolled up, a sleeve is not the one down to the wrist."""
        return "rolled" if self.arm_style == "sleeve" and self.cuff else self.arm_style

    def light_json(self, sensors: tuple[Sensor, ...] = ()) -> str:
        """Light and exposure, and the sensors if there are any, for a sample's metadata."""
        names = ("hdri", "rotation", "hdri_strength", "lamps", "exposure_ev", "white_balance", "lens_blur", "noise")
        more = {"sensor": sensors_table(sensors)} if sensors else {}
        more |= {"metering": self.metering} if self.metering != METERING else {}
        return _dump({name: asdict(self)[name] for name in names} | more)

    def background_json(self) -> str:
        """Background, for a sample's metadata."""
        told = {"kind": self.background, "seed": self.background_seed, "blur": self.background_blur}
        told |= {"detail": self.detail} if self.detail else {}
        return _dump(told if self.rooms == "plain" or self.background != "clutter" else told | {"rooms": self.rooms})


def draw_look(rng: np.random.Generator, settings: LookSettings, hdris: tuple[str, ...]) -> Look:
    """Draw the look of a pair; `hdris` are the names of the panoramas to choose from."""
    kinds = sorted(settings.backgrounds)
    weights = np.array([settings.backgrounds[kind] for kind in kinds], float)
    return Look(
        hdri=str(rng.choice(sorted(hdris))),
        rotation=float(rng.uniform(0, 2 * np.pi)),
        hdri_strength=_log_uniform(rng, settings.hdri_strength),
        lamps=tuple(_draw_lamp(rng, settings) for _ in range(rng.integers(*settings.lamps, endpoint=True))),
        exposure_ev=float(rng.uniform(*settings.exposure_ev)),
        white_balance=float(rng.uniform(*settings.white_balance)),
        background=str(rng.choice(kinds, p=weights / weights.sum())),
        background_seed=int(rng.integers(2**31)),
        background_blur=float(rng.uniform(*settings.background_blur)),
        lens_blur=float(rng.uniform(*settings.lens_blur)),
        noise=float(rng.uniform(*settings.noise)),
        arm_style=ARM_STYLES[int(rng.random() < settings.sleeve)],
        cloth=draw_cloth(rng),
        rooms=settings.rooms,
    )


def with_detail(rng: np.random.Generator, look: Look, settings: LookSettings) -> Look:
    """The look with as much detail in its panorama as `settings` ask for, where that is its background."""
    detail = float(rng.uniform(*settings.detail))
    return replace(look, detail=detail) if look.background == "hdri" else look


def with_metering(rng: np.random.Generator, look: Look, settings: LookSettings) -> Look:
    """The look with cameras that meter the hand by as much as `settings` say."""
    return replace(look, metering=float(rng.uniform(*settings.metering)))


def _draw_lamp(rng: np.random.Generator, settings: LookSettings) -> Lamp:
    kind = str(rng.choice(LAMP_KINDS, p=(0.6, 0.2, 0.2)))
    direction = rng.normal(size=3)
    direction[2] = abs(direction[2]) if rng.random() < 0.85 else direction[2]
    direction /= np.linalg.norm(direction)
    distance = float(rng.uniform(0.6, 2.0))
    strength = np.pi * _log_uniform(rng, settings.lamp_strength)
    power = strength * {"area": np.pi, "sun": 1 / distance**2, "point": 4 * np.pi}[kind] * distance**2
    size = {"area": rng.uniform(0.2, 1.2), "sun": rng.uniform(0.01, 0.2), "point": rng.uniform(0.03, 0.15)}[kind]
    position = tuple(float(x) for x in direction * distance)
    return Lamp(kind, position, float(rng.uniform(*settings.lamp_kelvin)), float(power), float(size))


def draw_cloth(rng: np.random.Generator) -> Cloth:
    """Clothes are mostly dark, grey or of muted colour, and sometimes vivid."""
    hue, vivid = rng.random(), rng.random() ** 2 * 0.7
    shades = np.sort(rng.uniform(0.08, 0.9, 3) ** 1.3)
    rng.shuffle(shades)
    hues = (hue + np.array([0, rng.normal(0, 0.08), rng.uniform(0, 1)])) % 1
    colours = tuple(tuple(hsv_to_rgb(h, vivid, v).tolist()) for h, v in zip(hues, shades))
    pattern = str(rng.choice(CLOTH_PATTERNS, p=(0.3, 0.2, 0.15, 0.25, 0.1)))
    if pattern == "denim":
        colours = ((0.16, 0.22, 0.33), (0.55, 0.6, 0.68), (0.1, 0.12, 0.2))
    return Cloth(pattern, colours, float(rng.uniform(0.6, 1.6)), int(rng.integers(2**31)))


def _log_uniform(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    return float(np.exp(rng.uniform(*np.log(bounds))))


def _dump(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
