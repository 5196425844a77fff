"""Which hand each pair of a plan shows."""

from __future__ import annotations

import logging

import numpy as np

from .candidates import PoseFrames, is_procedural
from .choose import Arrangement
from .release import Release
from .seeds import Stream, generator

log = logging.getLogger(__name__)


def draw_hands(release: Release, frames: PoseFrames, arranged: Arrangement) -> np.ndarray | None:
    """(P,) bool, which pairs show a left hand; None unless the release is of both hands.

    A recorded pose is shown by the hand it was recorded of; sampled ones are dealt out evenly.
    """
    if release.hand != "both":
        return None
    if is_procedural(release):
        return even_sides(arranged.split, arranged.subject, generator(release, Stream.HAND))
    left = np.array([clip.mirrored for clip in frames.clips])[frames.clip[arranged.pairs[:, 0]]]
    if left.all() or not left.any():
        side = "left" if left.all() else "right"
        log.warning('hand = "both": all poses are of %s hands, and so are the pictures', side)
    return left


def even_sides(split: np.ndarray, subject: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(P,) bool: half of the pairs of each split (P,), and of each subject (P,) in it, but for an odd one."""
    order = np.lexsort((rng.permutation(len(split)), subject, split))
    left = np.empty(len(split), bool)
    left[order] = (np.arange(len(split)) + rng.integers(2)) % 2 == 1
    return left
