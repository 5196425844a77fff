"""Sleeves as a release asks for them: rolled up or down to the wrist, of any cloth or of one unlike the skin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rigging.hand.cuffs import LEAST_CUFF
from rigging.skin.tone import ita_to_lab, linear_to_lab, palm_lab

from .colour import srgb_to_linear
from .look import Cloth, Look, LookSettings, draw_cloth

LEAST_DIFFERENCE = 20.0  # of cloth from skin, in CIELAB with lightness counted half
_SHOWN = {"plain": 1, "knit": 1, "denim": 2, "striped": 3, "checked": 3}  # colours of each pattern
_TRIES = 100  # cloths; one in two is unlike the darkest skin, most are unlike any other


def with_sleeve(rng: np.random.Generator, look: Look, settings: LookSettings, ita: float) -> Look:
    """The look with its sleeve as `settings` ask: where it begins, and of what cloth beside skin of `ita` degrees.

    Cuffs nearer to the wrist than LEAST_CUFF, where no sleeve can be rolled up to, leave it at the wrist.
    """
    cuff = float(rng.uniform(*settings.cuff))
    cloth = look.cloth
    if settings.cloth == "unlike skin":
        tries = iter(range(_TRIES))
        while difference(cloth, ita) < LEAST_DIFFERENCE and next(tries, None) is not None:
            cloth = draw_cloth(rng)
    if look.arm_style != "sleeve":
        return look
    return replace(look, cloth=cloth, cuff=cuff if cuff >= LEAST_CUFF else 0.0)


def difference(cloth: Cloth, ita: float) -> float:
    """How far the nearest of a cloth's colours is from the back and the palm of a hand of `ita` degrees.

    CIE 1976 distance with lightness counted half, as in CMC 2:1 (Clarke, McDonald and Rigg 1984): light and folds
    change it on cloth and skin alike.
    """
    colours = np.array(cloth.colours[: _SHOWN[cloth.pattern]])
    apart = linear_to_lab(srgb_to_linear(colours))[:, None] - np.stack([ita_to_lab(ita), palm_lab(ita)])
    return float(np.linalg.norm(apart * (0.5, 1, 1), axis=-1).min())
