"""A sleeve rolled up: bare skin from the hand on, then cloth that lies around the arm wherever its cuff is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rigging.geometry.mesh import face_normals
from rigging.hand.arm import arm_topology, build_arm, skin_faces
from rigging.hand.asset import load_asset
from rigging.hand.cuffs import LEAST_CUFF, MOST_CUFF
from rigging.hand.forearm import Forearm, forearm_frame
from rigging.hand.rolled import LINING_RINGS, SKIN_DISTANCES
from rigging.hand.shape import RestHand, rest_hand, sample_subject

ASSET = load_asset()
FACES, _ = arm_topology(ASSET)
CUT, SKIN = len(ASSET.cut_loop), len(SKIN_DISTANCES)
CUFFS = st.floats(LEAST_CUFF, MOST_CUFF)


def arms(seed: int, cuff: float) -> tuple[RestHand, Forearm, np.ndarray, np.ndarray]:
    """A subject, the forearm's frame, and its arm bare and in a rolled sleeve, in that frame."""
    rng = np.random.default_rng(seed)
    rest = rest_hand(ASSET, sample_subject(rng, ASSET))
    frame = forearm_frame(ASSET, rest)
    bare, rolled = (frame.local(build_arm(ASSET, rest, style, rng, cuff)) for style in ("bare", "rolled"))
    return rest, frame, bare, rolled


def rings(arm: np.ndarray) -> np.ndarray:
    return arm[CUT:-1].reshape(-1, 2 * CUT, 3)


def radius_at(bare: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Radius (P, C) m of the bare arm at the distances of points (P, C, 3), column by column."""
    radius = np.hypot(bare[..., 0], bare[..., 1])
    columns = range(bare.shape[1])
    return np.stack([np.interp(points[:, c, 2], bare[:, c, 2], radius[:, c]) for c in columns], axis=1)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 99), CUFFS)
def test_it_begins_at_its_cuff_and_ends_where_a_bare_arm_does(seed: int, cuff: float):
    _, frame, bare, rolled = arms(seed, cuff)
    cloth = rings(rolled)[SKIN:]
    hem = cloth[..., 2].min(0) / frame.size
    assert abs(hem.mean() - cuff) < 0.001
    assert np.ptp(hem) < 0.015, "it follows the cut's own slant, less and less"
    assert np.allclose(rings(rolled)[-1, :, 2].mean(), rings(bare)[-1, :, 2].mean(), atol=1e-6)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 99), CUFFS)
def test_skin_before_the_cuff_is_that_of_the_bare_arm_and_cloth_lies_around_it(seed: int, cuff: float):
    rest, frame, bare, rolled = arms(seed, cuff)
    assert np.allclose(frame.local(rest.vertices[ASSET.cut_loop]), rolled[:CUT])
    skin, cloth = rings(rolled)[:SKIN], rings(rolled)[SKIN:]
    body = np.concatenate([np.repeat(bare[:CUT], 2, 0)[None], rings(bare)])
    body[0, 1::2] = (body[0, ::2] + np.roll(body[0, ::2], -1, 0)) / 2
    off = np.hypot(skin[..., 0], skin[..., 1]) - radius_at(body, skin)
    assert np.abs(off).max() < 0.0006  # the bare arm's own rings lie elsewhere
    above = np.hypot(cloth[..., 0], cloth[..., 1]) - radius_at(body, cloth)
    assert above.min() > 0.003 * frame.size  # the least clearance is 4 mm
    lining, outer = above[:LINING_RINGS], above[LINING_RINGS:]
    assert (outer.min(0) > lining[:4].max(0) + 0.0008 * frame.size).all(), "the cloth is thick"


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 99), CUFFS)
def test_no_skin_comes_through_the_lining_between_its_rings(seed: int, cuff: float):
    _, _, _, rolled = arms(seed, cuff)
    skin, lining = rings(rolled)[:SKIN], rings(rolled)[SKIN : SKIN + 4][::-1]
    inside = skin[:, :, 2] > lining[0, :, 2]
    gap = radius_at(lining, skin) - np.hypot(skin[..., 0], skin[..., 1])
    assert inside.any()
    assert gap[inside].min() > 0.002


@pytest.mark.parametrize("cuff", [LEAST_CUFF, 0.13, MOST_CUFF])
def test_skin_and_outer_cloth_look_away_from_the_axis_and_lining_towards_it(cuff: float):
    _, _, _, rolled = arms(3, cuff)
    normals, middle = face_normals(rolled, FACES), rolled[FACES].mean(1)
    outward = (normals[:, :2] * middle[:, :2]).sum(1)
    ring = (FACES.min(1) - CUT) // (2 * CUT)
    assert (outward[ring < SKIN - 1] > 0).all()
    assert (outward[(ring >= SKIN) & (ring < SKIN + 3)] < 0).all()
    outer = (ring >= SKIN + LINING_RINGS) & (FACES.max(1) < len(rolled) - 1)
    assert (outward[outer] > 0).all()


def test_its_first_faces_are_skin_up_to_the_last_bare_ring():
    count = skin_faces(ASSET, "rolled")
    assert FACES[:count].max() == CUT + 2 * CUT * SKIN - 1
    assert (FACES[count:].max(1) >= CUT + 2 * CUT * SKIN).all()
    assert skin_faces(ASSET, "bare") == len(FACES)
    assert skin_faces(ASSET, "sleeve") == 0


def test_skin_has_the_bare_arms_texture():
    """A texel of the bare rings is as far up the arm as on the bare arm, for which the texture is baked."""
    _, _, bare, rolled = arms(1, 0.12)
    count = skin_faces(ASSET, "rolled")
    there, far = levels(arm_topology(ASSET, "bare")[1], bare[FACES])
    here, reached = levels(arm_topology(ASSET, "rolled")[1][:count], rolled[FACES[:count]])
    assert len(here) == SKIN + 1
    assert np.abs(np.interp(here, there, far) - reached).max() < 0.0015


def levels(uv: np.ndarray, corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """u of the rings (R,), and how far behind the wrist (R,) m their corners (F, 3, 3) lie on average."""
    u, ring = np.unique(uv[..., 0].round(9), return_inverse=True)
    return u, np.bincount(ring.ravel(), corners[..., 2].ravel()) / np.bincount(ring.ravel())


@pytest.mark.parametrize("cuff", [0.0, 0.08, 0.21])
def test_a_cuff_that_cannot_be_is_refused(cuff: float):
    rest = RestHand(ASSET.template, ASSET.joints)
    with pytest.raises(ValueError, match=f"cuff is {cuff}; allowed for a rolled sleeve is 0.09 to 0.2 m"):
        build_arm(ASSET, rest, "rolled", np.random.default_rng(0), cuff)
