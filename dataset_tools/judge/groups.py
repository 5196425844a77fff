"""Groups of views by how the hand is seen and by whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..statistics.collect import Collected
from ..statistics.directions import FACE
from ..statistics.looks import TONES, tone_of

TONE_GROUPS = {"dark to brown": 0, "tan to intermediate": 2, "light to very light": 4}  # name: first of TONES
JOINTS_SEEN = {"10 or fewer": 0, "11 to 14": 11, "15 to 18": 15, "19 to 21": 19}  # name: fewest
COLUMNS = {"background": "background", "arm": "arm_style", "split": "split", "hand": "hand"}  # of the index


@dataclass(frozen=True)
class Grouping:
    """Names of groups in their order, and to which of them each view belongs."""

    names: Sequence[str]
    of: np.ndarray  # (S, V), places in `names`


def groupings(found: Collected) -> dict[str, Grouping]:
    """All groupings by name."""
    views = found.hand_size.shape[1]
    tone = tone_of(found.index["ita"])
    columns = {name: Grouping(*np.unique(found.index[of], return_inverse=True)) for name, of in COLUMNS.items()}
    of_samples = {"tone": Grouping([name for name, _ in TONES], tone), "tones": by_least(tone, TONE_GROUPS), **columns}
    return {
        "seen from": face(found.palm_directions),
        **{name: Grouping(each.names, np.repeat(each.of[:, None], views, 1)) for name, each in of_samples.items()},
        "joints seen": by_least((found.visible & found.in_frame).sum(2), JOINTS_SEEN),
        "size of the hand": thirds(found.hand_size),
    }


def face(directions: np.ndarray) -> Grouping:
    """Whether palm, back or edge of the hand is seen from directions (..., 3) in the palm's axes."""
    z = directions[..., 2]
    return Grouping(("palm", "back", "edge on"), np.where(z < -FACE, 0, np.where(z > FACE, 1, 2)))


def thirds(size: np.ndarray) -> Grouping:
    """The third that a size (...) px is in, by the release's own terciles."""
    low, high = (int(edge) for edge in np.quantile(size, (1 / 3, 2 / 3)))
    return by_least(size, {f"to {low} px": 0, f"{low + 1} to {high} px": low + 1, f"from {high + 1} px": high + 1})


def by_least(values: np.ndarray, groups: dict[str, int]) -> Grouping:
    """Of values (...), the last group whose least value, rising, they reach."""
    return Grouping(tuple(groups), np.searchsorted(list(groups.values()), values, side="right") - 1)
