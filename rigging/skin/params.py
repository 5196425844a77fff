"""What one subject's skin looks like: every choice that is not geometry, drawn once from the subject's skin seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

POLISH_FRACTION = 0.16  # of subjects with gender below one half; a tenth of that above


class SkinSubject(Protocol):
    """The part of `rigging.hand.shape.Subject` that the skin depends on."""

    age: float  # years
    gender: float  # 0 female to 1 male
    ita: float  # degrees
    skin_seed: int


@dataclass(frozen=True)
class SkinParams:
    """Strengths are relative to a typical adult (1); lengths in metres for an adult hand."""

    ita: float  # degrees
    age: float  # years
    redness: float  # subdermal blood at fingertips, knuckles, palm
    mottling: float  # blotches of the palm
    veins: float  # visibility and height of the dorsal veins
    tendons: float
    wrinkles: float  # knuckles and fine relief
    palm_lines: float  # depth of palm lines and flexion creases
    secondary_lines: int  # fine lines of the palm
    freckles: int
    moles: int
    age_spots: int
    hairs: int  # on the back of the forearm and hand
    hair_density: float  # optical density of one hair
    knuckle_pigment: float  # darker skin over the knuckles
    uneven: float  # low-frequency unevenness of melanin
    oiliness: float  # 0 dry to 1 oily, lowers roughness
    nail_length: float  # free edge beyond the nail bed, as a fraction of the nail's length
    lunula: float  # visibility
    polish: tuple[float, float, float] | None  # linear sRGB, None without polish


def _polish(rng: np.random.Generator) -> tuple[float, float, float]:
    """A nail polish: reds and pinks mostly, then nudes, darks and blues."""
    palette = np.array([[0.42, 0.01, 0.02], [0.55, 0.06, 0.12], [0.34, 0.08, 0.10], [0.05, 0.004, 0.012],
                        [0.02, 0.03, 0.10], [0.30, 0.15, 0.10], [0.008, 0.008, 0.01], [0.30, 0.01, 0.10]])  # fmt: skip
    colour = palette[rng.integers(len(palette))] * rng.uniform(0.8, 1.2, 3)
    return tuple(float(c) for c in np.clip(colour, 0.003, 0.9))


def draw_params(subject: SkinSubject, rng: np.random.Generator) -> SkinParams:
    """Draw a subject's skin; the number of draws does not depend on the subject, so tones can be compared."""
    age, male, ita = float(subject.age), float(np.clip(subject.gender, 0.0, 1.0)), float(subject.ita)
    u = rng.random(20)
    polish, colour = u[0], _polish(rng)
    old = np.clip((age - 35.0) / 40.0, 0.0, 1.0)
    adult = np.clip((age - 10.0) / 10.0, 0.0, 1.0)
    fair = np.clip(1.0 - abs(ita - 52.0) / 28.0, 0.0, 1.0)
    polished = polish < POLISH_FRACTION * (1.0 - 0.9 * male) * adult
    long_nails = adult * (1 - male) * (u[13] > 0.75) or polished
    return SkinParams(
        ita=ita, age=age,
        redness=0.6 + 0.8 * u[1], mottling=0.4 + 1.0 * u[2],
        veins=adult * (0.25 + 0.8 * u[3] ** 1.3) * (0.65 + 0.45 * male) + 0.45 * old,
        tendons=0.5 + 0.7 * u[4] + 0.6 * old,
        wrinkles=(0.55 + 0.3 * adult) * (0.8 + 0.4 * u[5]) + 0.75 * old,
        palm_lines=0.75 + 0.5 * u[6], secondary_lines=int(90 + 90 * u[7] + 80 * old),
        freckles=int(fair * (u[8] > 0.45) * 260 * u[8] ** 2), moles=int(5 * u[9] ** 2 * (0.4 + 0.6 * adult)),
        age_spots=int(round(45 * old**1.5 * u[10])),
        hairs=int(adult * (250 + 1500 * u[11]) * (male if male > 0.5 else 0.25 * male) * (0.3 if u[11] < 0.3 else 1.0)),
        hair_density=0.09 + 0.16 * u[12],
        knuckle_pigment=0.5 + u[14], uneven=0.6 + 0.6 * u[15] + 0.5 * old,
        oiliness=float(u[16]),
        nail_length=float(0.10 + 0.30 * u[17] if long_nails else 0.05 + 0.06 * u[17]),
        lunula=0.2 + 0.8 * u[18], polish=colour if polished else None,
    )  # fmt: skip
