"""What every pair of a plan is in the factors that splits hold out: so that leakage can be checked without pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rigging.geometry.rigs import azimuth_and_tilt

from .hold_out import HoldOut, pair_bands, pair_look
from .release import Release
from .seeds import Stream, generator


@dataclass(frozen=True, eq=False)
class Strata:
    """P pairs of L poses, K clusters. A pair's subject is in the plan itself."""

    pose_cluster: np.ndarray  # (P, L) int32, of each pose
    cluster_centres: np.ndarray  # (K, 21) float64, radians: rigging.poses.sampling.angles
    background: np.ndarray  # (P,) str, kind
    panorama: np.ndarray  # (P,) str, that lights, and is the background of kind "hdri"
    ring_phase: np.ndarray  # (P,) float64, azimuth of the first camera, in steps between cameras; "random": in turns
    ring_tilt: np.ndarray  # (P,) float64, radians, angle of the ring's axis
    hold_out: HoldOut


ARRAYS = tuple(name for name in Strata.__annotations__ if name != "hold_out")


def draw_strata(
    release: Release,
    hold_out: HoldOut,
    split: np.ndarray,
    clusters: tuple[np.ndarray, np.ndarray],
    panoramas: Sequence[str],
) -> Strata:
    """The strata of pairs of `split` (P,): their looks and rings are those that will be rendered.

    `clusters` are the pairs' (P, L) and the centres of all (K, 21).
    """
    looks, rings = [], []
    for index, number in enumerate(map(int, split)):
        looks.append(pair_look(release, hold_out, number, index, panoramas))
        rng, bands = generator(release, Stream.CAMERAS, index), pair_bands(release, hold_out, number)
        rings.append(azimuth_and_tilt(release.cameras, rng, bands))
    phase, tilt = np.array(rings, float).T
    return Strata(
        pose_cluster=clusters[0],
        cluster_centres=clusters[1],
        background=np.array([look.background for look in looks]),
        panorama=np.array([look.hdri for look in looks]),
        ring_phase=phase,
        ring_tilt=tilt,
        hold_out=hold_out,
    )
