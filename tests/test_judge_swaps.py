"""The benchmark that swaps one thing at a time: only that one thing differs, and its table says what was found."""

from __future__ import annotations

import numpy as np
import pytest

from tests.benchmarks.judge_swaps import table
from tests.benchmarks.swap_compose import (
    ARMS,
    BACKGROUNDS,
    KINDS,
    NONE,
    as_bright,
    composed,
    conditions,
    faded,
    grey,
    skin_like,
)

SIZE, HAND, ARM = 40, np.s_[:, 8:20, 10:20], np.s_[:, 20:40, 10:20]  # rows and columns of all views


@pytest.fixture
def stage():
    """Two views of a red hand on a green arm, in the middle of noisy backgrounds."""
    rng = np.random.default_rng(0)
    shown, hands = np.zeros((2, SIZE, SIZE), np.uint8), np.zeros((2, SIZE, SIZE, 4), np.float32)
    shown[HAND], shown[ARM] = 1, 2
    hands[HAND], hands[ARM] = (0.6, 0.2, 0.1, 1), (0.1, 0.4, 0.1, 1)
    both = {f"{name}_{style}": value for style in ("bare", "sleeve", "rolled") for name, value in
            (("hand", hands), ("coverage", (shown > 0).astype(np.float32)), ("shown", shown))}  # fmt: skip
    noise = {kind: rng.random((2, SIZE, SIZE, 3)).astype(np.float32) for kind in KINDS}
    return both | noise | {"gains": np.ones(3), "lens_blur": 0.0}


def test_backgrounds_differ_and_the_hand_before_them_does_not(stage):
    pictures = {name: composed(stage, "bare", name) for name in BACKGROUNDS}
    first = pictures["panorama"]
    for name, picture in pictures.items():
        assert (picture[HAND] == first[HAND]).all() and (picture[ARM] == first[ARM]).all()
        assert name == "panorama" or (picture[:, :5] != first[:, :5]).any()
    assert not pictures[NONE][:, :5].any()


def test_arms_differ_and_hand_and_background_do_not(stage):
    pictures = {arm: composed(stage, arm, "room") for arm in ARMS}
    for picture in pictures.values():
        assert (picture[:, 8:18, 11:19] == pictures["bare"][:, 8:18, 11:19]).all()
        assert (picture[:, :, 30:] == pictures["bare"][:, :, 30:]).all()
    hand, arm = (pictures["sleeve, skin-coloured"][part][0, 4, 4].astype(int) for part in (HAND, ARM))
    assert abs(hand - arm).max() <= 1  # the arm's mean colour is the hand's
    behind = composed(stage | {"coverage_bare": np.zeros((2, SIZE, SIZE), np.float32)}, "bare", "room")
    assert (pictures["none"][ARM][:, 4:] == behind[ARM][:, 4:]).all()


def test_what_is_done_to_a_background_is_done_view_by_view():
    one, other = np.random.default_rng(1).random((2, 2, 4, 5, 3))
    for view in range(2):
        mean = [one[view, :, :, k].mean() for k in range(3)]
        light = np.array([0.2126, 0.7152, 0.0722])
        for y in range(4):
            for x in range(5):
                assert faded(one)[view, y, x] == pytest.approx((one[view, y, x] + mean) / 2)
                assert grey(one)[view, y, x] == pytest.approx([one[view, y, x] @ light] * 3, rel=1e-3)
        scaled = as_bright(one, other)[view] @ light
        assert scaled.mean() == pytest.approx((other[view] @ light).mean(), rel=1e-3)


def test_the_table_gives_shares_and_paired_differences(tmp_path):
    keys = conditions()
    for pair in range(8):
        found = np.ones((len(keys), 2), bool)
        found[keys.index(("sleeve", "room"))] = [pair % 2 == 0, True]
        near = np.full((2, 2, 2), pair)
        np.savez(
            tmp_path / f"found-{pair:05d}.npz",
            found=found,
            conditions=keys,
            near=near,
            subject=pair,
            skin_like=(0.1, 0.2, 0.3),
        )
    lines = table(tmp_path).splitlines()
    assert lines[0] == "8 hands of 8 subjects, 16 views."
    row = next(line for line in lines if line.startswith("| sleeve | room |"))
    assert "| 75.0 (" in row and row.count("-25.0 (") == 2
    assert "| bare | panorama | 100.0 |  |  |" in lines
    assert "Pixels of a colour that skin could have: panorama 10 %, room 20 %, lived-in room 30 %." in lines


def test_beige_is_like_skin_and_blue_and_grey_are_not():
    beige, blue, plain = (
        np.full((1, 4, 4, 3), colour, np.float32) for colour in ((0.5, 0.35, 0.25), (0.2, 0.3, 0.5), 0.3)
    )
    assert (skin_like(beige), skin_like(blue), skin_like(plain)) == (1, 0, 0)
