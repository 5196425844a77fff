"""Every random draw comes from (release seed, what for, index), never from how many were drawn before."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from .release import Release


class Stream(IntEnum):
    """What a generator is for; numbers never change, or releases would."""

    CHOICE = 0  # candidates and diversity
    ORDER = 1  # splits, subjects of pairs, order
    SUBJECT = 2  # per subject: shape and skin
    PLACEMENT = 3  # per pair: up and wrist
    LOOK = 4  # per pair: light, background, style of the arm
    RENDER = 5  # per sample: the path tracer's noise
    ARM = 6  # per subject: shape of the arm
    CAMERAS = 7  # per pair
    HOLD_OUT = 8  # per Draw: what splits hold out
    SENSOR = 9  # per pair: the cameras' sensors
    RIG = 10  # per pair: how a hand is held that a camera on the head sees
    HAND = 11  # of a release of both hands: which pairs show a left one
    DETAIL = 13  # per pair: how much detail panoramas are given
    DISTORTION = 14  # per pair: the lenses
    CUFF = 15  # per pair: where a sleeve begins, and cloth unlike the skin
    METERING = 16  # per pair: how much the cameras' exposure goes by the hand


class Draw(IntEnum):
    """What a generator of Stream.HOLD_OUT draws."""

    CLUSTERS = 0
    BACKGROUNDS = 1
    BANDS = 2
    CHOICE_OF_CLUSTERS = 3


def sequence(release: Release, stream: Stream, index: int = 0) -> np.random.SeedSequence:
    """The seed of draw `index` of `stream`."""
    return np.random.SeedSequence((release.seed, int(stream), index))


def generator(release: Release, stream: Stream, index: int = 0) -> np.random.Generator:
    """A generator for draw `index` of `stream`."""
    return np.random.default_rng(sequence(release, stream, index))


def render_seed(release: Release, sample: int) -> int:
    """Seed of the path tracer for a sample, in 0..2^31-1."""
    return int(sequence(release, Stream.RENDER, sample).generate_state(1)[0] >> 1)
