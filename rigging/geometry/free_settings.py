"""Settings of cameras that stand on no ring: presets of them, and keys that override a preset."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ..settings import from_table

FULL_FRAME = (36.0, 24.0)  # mm, the sensor that focal lengths "in 35 mm equivalents" belong to
LEAST_PIXELS = 24  # of the hand's box: smaller hands teach and test nothing
Range = tuple[float, float]


@dataclass(frozen=True)
class FreeSettings:
    """Where cameras stand, and which part of what they see is the picture. Ranges are (least, most).

    Distance and focal length are the camera's; the picture is a square cut out of what its sensor sees, in which the
    hand's box has a share `size`, as pictures in the wild are cut out around hands. Raises ValueError for a value that
    makes no sense.
    """

    distance: Range = (0.25, 1.2)  # m, drawn evenly, from the palm's centre
    lens: Range = (14.0, 80.0)  # mm in 35 mm equivalents, drawn evenly on a logarithmic scale
    roll: float = 0.0  # rad, either way, about gravity upwards
    size: Range | Literal["whole"] = (0.4, 0.95)  # longer side of the hand's box in the picture; whole: no cutting out
    off_centre: float = 0.5  # share of the views whose hand is anywhere in the picture, not in its middle
    cut: float = 0.0  # share of the views that a side of the picture cuts the hand off in
    cut_most: float = 0.4  # share of the hand's points that lie outside then, at most
    least: float = 0.5  # share of the hand's points that each picture has to show
    place: float = 0.1  # m, of a calibration: the hand is drawn from a ball of this radius where the cameras look
    chosen: tuple[str, ...] = ()  # of a calibration: names of the cameras to take; (): all
    image: tuple[int, int] | None = None  # px, of a calibration: width and height, where its file does not say

    def __post_init__(self) -> None:
        for name, limit in (("distance", 100), ("lens", 2000)):
            low, high = getattr(self, name)
            _require(0 < low <= high <= limit, name, [low, high], f"[least, most], above 0 and at most {limit}")
        if self.size != "whole":
            good = 0 < self.size[0] <= self.size[1] <= 1
            _require(good, "size", list(self.size), "[least, most] in 0..1, or 'whole'")
        for name, high in (("off_centre", 1.0), ("cut", 1.0), ("cut_most", 0.7), ("least", 0.95)):
            _require(0 <= getattr(self, name) <= high, name, getattr(self, name), f"in 0..{high:g}")
        _require(self.size != "whole" or self.cut == 0, "cut", self.cut, "0 with size = 'whole'")
        _require(0 <= self.roll <= math.pi, "roll", self.roll, "in 0..3.1416 radians")
        _require(0 <= self.place <= 2, "place", self.place, "in 0..2 m")
        good = self.image is None or min(self.image) >= 16
        _require(good, "image", self.image, "[width, height] in pixels, from 16")
        shown = self.cut == 0 or 1 - self.cut_most >= self.least
        _require(shown, "cut_most", self.cut_most, f"at most 1 - least = {1 - self.least:g}")


def _require(good: bool, key: str, value: object, allowed: str) -> None:
    if not good:
        raise ValueError(f"{key} = {value!r}: must be {allowed}")


PRESETS: dict[str, FreeSettings] = {
    # Hands as people photograph them: from arm's length to across a table, with any lens of a phone or a camera.
    "random": FreeSettings(roll=0.5, cut=0.15),
    # From the head: eyes to hand 0.25 to 0.65 m (an arm's reach), lenses of action cameras, headsets and phones.
    "egocentric": FreeSettings(distance=(0.25, 0.65), lens=(14.0, 28.0), roll=0.25, size=(0.35, 0.9), cut=0.15),
    # Worn on the wrist, with a lens that sees 74 to 100 degrees of the picture's side.
    "wrist": FreeSettings(distance=(0.06, 0.12), lens=(10.0, 16.0), roll=0.2, size="whole", off_centre=0.0, least=0.4),
    "calibration": FreeSettings(size=(0.5, 0.9)),
}
RIGS = ("ring", *PRESETS)
OWN = {  # keys that say something only of some rigs
    "distance": ("random", "egocentric", "wrist"), "lens": ("random", "egocentric", "wrist"),
    "roll": ("random", "egocentric", "wrist"), "place": ("calibration",), "chosen": ("calibration",),
    "image": ("calibration",),
}  # fmt: skip


def free_settings(rig: str, table: Mapping[str, Any], image_size: int) -> FreeSettings | None:
    """The settings of `[cameras.free]`: the preset of the rig, and keys that override it; None for the ring.

    Raises:
        InputError: an unknown key, one that says nothing of this rig, or a value that is not allowed, in one line.
    """
    if rig == "ring":
        _require(not table, "free", dict(table), "empty with rig = 'ring': it is of the other rigs")
        return None
    for key in table:
        _require(rig in OWN.get(key, RIGS), f"free.{key}", table[key], f"left out with rig = {rig!r}")
    whole = {"cut": 0.0, "off_centre": 0.0} if table.get("size") == "whole" else {}
    settings = from_table(FreeSettings, {**_given(asdict(PRESETS[rig])), **whole, **table}, "free")
    if settings.size != "whole":
        pixels = settings.size[0] * image_size
        allowed = f"at least {LEAST_PIXELS} pixels of image_size = {image_size}"
        _require(pixels >= LEAST_PIXELS, "free.size", list(settings.size), allowed)
    return settings


def _given(table: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if value is not None}
