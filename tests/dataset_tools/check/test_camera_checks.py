"""Rings of either hand, in releases of one hand and of both: each stands where its release puts it, and only there."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_tools.check.cameras import camera_figures
from dataset_tools.check.verdicts import CHECKS
from rigging.geometry.cameras import CameraSettings, hand_frame, ring
from rigging.geometry.rotations import random_rotation
from rigging.hand.asset import load_asset
from rigging.spin.posed import MIRROR

ON_THE_RING = ("aim", "ring", "tilt", "roll", "distance")


class Seen:
    """A sample as camera checks see it: the first of its pair, a `shown` hand in a release of `hand`."""

    def __init__(self, hand: str, shown: str, tilt: float, seed: int) -> None:
        rng = np.random.default_rng(seed)
        side = MIRROR if shown == "left" else np.ones(3)
        joints = load_asset().joints @ random_rotation(rng).T * side
        places = CameraSettings(image_size=64, tilt=tilt, roll=0.2)
        palm = hand_frame(joints, left=hand == "both" and shown == "left")
        cameras = ring(palm, joints, places, rng)
        self.values = {"K": cameras.K, "world_to_cam": cameras.world_to_cam}
        self.values |= {"joints_world": joints, "vertices_world": joints}
        table = {"image_size": 64, "tilt": tilt, "roll": 0.2}
        self.attrs = {"configuration": {"release": {"hand": hand, "cameras": table}}}
        self.meta, self.first, self.cut, self.hands = {"hand": shown}, self, False, []
        self.topology = SimpleNamespace(from_wrist=np.arange(21))

    def __getitem__(self, name: str) -> np.ndarray:
        return self.values[name]

    def failing(self) -> set[str]:
        figures = camera_figures(self)
        assert all(figures[name] is not None for name in ON_THE_RING)
        return {name for name, figure in figures.items() if figure is not None and CHECKS[name].fails(figure.value)}


KINDS = [("right", "right"), ("left", "left"), ("both", "right"), ("both", "left")]


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(KINDS), st.floats(0, 3), st.integers(0, 10_000))
def test_a_ring_stands_where_its_release_puts_it(kind, tilt, seed):
    assert Seen(*kind, tilt, seed).failing() == set()


@pytest.mark.parametrize("tilt", [0.0, 0.6, 1.5])
def test_cameras_in_the_order_of_the_other_hand_s_ring_are_noticed(tilt):
    for shown in ("right", "left"):
        seen = Seen("both", shown, tilt, 4)
        for name in ("K", "world_to_cam"):
            seen.values[name] = seen[name][::-1].copy()
        assert seen.failing() & {"ring", "tilt", "roll"}
