"""Codecs keep the errors that the schema states, also for the values nobody expects."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dataset_tools.format.codecs import CODECS

SIZE = (6, 7)
few = settings(max_examples=60, deadline=None)


def round_trip(codec: str, values: np.ndarray) -> np.ndarray:
    parts = CODECS[codec].encode(values)
    decoded = CODECS[codec].decode(parts, values.shape[1:3], CODECS[codec].constants)
    assert decoded.dtype == values.dtype
    assert decoded.shape == values.shape
    return decoded


def depth_bound(view: np.ndarray) -> float:
    """As the schema states it, with float32's rounding of the largest value."""
    seen = view[view > 0].astype(float)
    return max(np.ptp(seen), 0.524) / 131068 + 1.2e-7 * seen.max() if seen.size else 0.0


@few
@given(arrays(np.float32, (2, *SIZE), elements=st.one_of(st.just(0), st.floats(2**-10, 3, width=32))))
def test_depth_is_kept_within_the_stated_error_and_background_exactly(depth):
    decoded = round_trip("depth", depth)
    assert ((decoded > 0) == (depth > 0)).all()
    for before, after in zip(depth, decoded):
        assert np.abs(after.astype(float) - before).max() <= depth_bound(before)


@pytest.mark.parametrize("kind", ["empty", "one pixel", "constant", "as near as it gets", "a long arm"])
def test_depth_of_strange_views(kind):
    depth = np.zeros((1, *SIZE), np.float32)
    depth[0, 2:4] = {"constant": 0.7, "as near as it gets": 1e-9, "a long arm": 0.3}.get(kind, 0)
    if kind == "one pixel":
        depth[0, 3, 3] = 0.4123456
    if kind == "a long arm":
        depth[0, 2] = 0.82
    decoded = round_trip("depth", depth)
    assert ((decoded > 0) == (depth > 0)).all()
    assert np.abs(decoded - depth).max() <= 4.1e-6  # m: 0.0041 mm


def test_depth_behind_the_camera_is_refused():
    with pytest.raises(ValueError, match="behind the camera"):
        CODECS["depth"].encode(np.full((1, *SIZE), -0.1, np.float32))


def angles(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Angles between unit vectors, degrees; by the chord, which is exact for small angles."""
    return np.degrees(2 * np.arcsin(np.linalg.norm(a.astype(float) - b, axis=-1) / 2))


def naive_octahedral(code: np.ndarray) -> np.ndarray:
    """One vector from its two codes, word by word from docs/format.md."""
    x, y = (float(c) - 8192 for c in code)
    x, y = x / 8191, y / 8191
    z = 1 - abs(x) - abs(y)
    t = max(-z, 0)
    x -= t * (1 if x >= 0 else -1)
    y -= t * (1 if y >= 0 else -1)
    return np.array([x, y, z]) / np.sqrt(x * x + y * y + z * z)


@few
@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_normals_are_kept_within_a_hundredth_of_a_degree_and_a_half(seed, flatness):
    rng = np.random.default_rng(seed)
    normals = rng.normal(size=(1, *SIZE, 3)) * [1, 1, flatness]  # flatness 0: all on the octahedron's crease
    normals = (normals / np.linalg.norm(normals, axis=-1, keepdims=True)).astype(np.float32)
    decoded = round_trip("octahedral", normals)
    assert angles(decoded, normals).max() < 0.015
    assert np.abs(np.linalg.norm(decoded, axis=-1) - 1).max() < 1e-6
    code = CODECS["octahedral"].encode(normals)["code"]
    for one, fast in zip(code.reshape(-1, 2), decoded.reshape(-1, 3)):
        assert np.abs(naive_octahedral(one) - fast).max() < 1e-5


def test_normals_along_axes_diagonals_and_the_background():
    corners = np.array([[x, y, z] for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1)], np.float32)
    lengths = np.linalg.norm(corners, axis=-1, keepdims=True)
    normals = np.divide(corners, lengths, out=np.zeros_like(corners), where=lengths > 0).reshape(1, 3, 9, 3)
    decoded = round_trip("octahedral", normals)
    assert ((decoded != 0).any(-1) == (normals != 0).any(-1)).all()
    assert angles(decoded, normals).max() < 0.015


@few
@given(
    arrays(np.float32, (1, *SIZE, 2), elements=st.floats(-1, 1, width=32)),
    st.sampled_from([0.0, 1e-3, 0.5, 3.0, 100.0, 511.0, 30_000.0]),
)
def test_flow_is_kept_within_the_stated_error_and_zero_exactly(flow, scale):
    flow = (flow * np.float32(scale)).astype(np.float32)
    decoded = round_trip("flow", flow)
    bound = max(1 / 128, np.abs(flow).max() / 65534)
    assert np.abs(decoded.astype(float) - flow).max() <= bound * 1.005
    assert not decoded[flow == 0].any()


def test_one_view_of_huge_flow_does_not_coarsen_the_others():
    flow = np.full((2, *SIZE, 2), 1.2345, np.float32)
    flow[0, 0, 0] = (-20_000, 7)
    decoded = round_trip("flow", flow)
    assert np.abs(decoded[1] - flow[1]).max() <= 1 / 128


@few
@given(st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(lambda size: arrays(bool, (2, *size))))
def test_bits_come_back_as_they_went(values):
    assert (round_trip("bits", values) == values).all()


def test_colour_has_the_same_bytes_every_time_and_keeps_edges_of_hue():
    rgb = np.zeros((2, 32, 32, 3), np.uint8)
    rgb[:, :, :15] = (200, 40, 40)
    rgb[:, :, 15:] = (40, 40, 200)
    first, second = CODECS["jpeg"].encode(rgb), CODECS["jpeg"].encode(rgb.copy())
    assert first["jpeg"] == second["jpeg"]
    decoded = CODECS["jpeg"].decode(first, (32, 32), CODECS["jpeg"].constants)
    assert np.abs(decoded.astype(int) - rgb).max() < 12  # 4:2:0 is off by about 60 at this edge


def test_a_broken_colour_stream_is_named():
    with pytest.raises(ValueError, match="broken JPEG"):
        CODECS["jpeg"].decode({"jpeg": [b"\xff\xd8 no more"]}, SIZE, CODECS["jpeg"].constants)
