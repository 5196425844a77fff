"""The hand asset: what the shipped one holds, and what is said about a bad one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rigging.geometry.mesh import volume
from rigging.hand.asset import DEFAULT_ASSET, check_hash, load_asset, read_arrays
from rigging.joints import BONE_PARTS, PALM_BONES, TIP_JOINTS

ASSET = load_asset()


def write(path: Path, **changes: np.ndarray | None) -> Path:
    """The shipped asset with some fields changed, or left out where None."""
    arrays = {**read_arrays(DEFAULT_ASSET), **changes}
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


def edge_faces() -> dict[tuple[int, int], int]:
    """How many faces each undirected edge has."""
    counts: dict[tuple[int, int], int] = {}
    for face in ASSET.faces.tolist():
        for a, b in zip(face, face[1:] + face[:1]):
            counts[min(a, b), max(a, b)] = counts.get((min(a, b), max(a, b)), 0) + 1
    return counts


def test_the_mesh_has_the_papers_counts_and_is_a_closed_sphere():
    edges = edge_faces()
    assert ASSET.template.shape == (2651, 3)
    assert ASSET.faces.shape == (5298, 3)
    assert set(edges.values()) == {2}
    assert len(ASSET.template) - len(edges) + len(ASSET.faces) == 2
    assert np.array_equal(np.unique(ASSET.faces), np.arange(2651))


def test_faces_look_outwards():
    assert 2e-4 < volume(ASSET.template, ASSET.faces) < 6e-4  # m3: a hand is about 0.35 litre


def test_the_frame_is_that_of_a_right_hand():
    joints = ASSET.joints
    np.testing.assert_allclose(joints[0], 0, atol=1e-7)
    np.testing.assert_allclose(joints[9] / np.linalg.norm(joints[9]), [0, 1, 0], atol=1e-5)
    assert joints[17, 0] > joints[13, 0] > joints[5, 0] > joints[2, 0]
    assert (ASSET.nail_axes[1:, 2, 2] > 0.5).all(), "fingernails look out of the back of the hand"


def test_weights_are_few_and_sum_to_one():
    np.testing.assert_allclose(ASSET.weight_values.sum(1), 1, atol=1e-15)
    assert ASSET.weight_values.shape == (2651, 4)
    assert ASSET.weight_values.min() >= 0
    assert set(np.unique(ASSET.weight_bones)) == set(range(21)), "every bone moves some skin"


def test_the_skin_of_a_segment_hangs_on_its_own_bone():
    strongest = ASSET.weight_bones[np.arange(2651), ASSET.weight_values.argmax(1)]
    for bone in set(range(1, 21)) - set(PALM_BONES):
        middle = (ASSET.joints[bone] + ASSET.joints[bone - 1]) / 2
        nearest = np.linalg.norm(ASSET.template - middle, axis=1).argsort()[:6]
        assert (strongest[nearest] == bone).all(), bone


def test_every_part_is_labelled_and_lies_on_its_bone():
    assert set(np.unique(ASSET.face_part)) == set(BONE_PARTS)
    centres = ASSET.template[ASSET.faces].mean(1)
    for tip in TIP_JOINTS:
        assert ASSET.face_part[np.linalg.norm(centres - ASSET.joints[tip], axis=1).argmin()] == BONE_PARTS[tip]


def test_nail_frames_hold_their_nails():
    for finger, tip in enumerate(TIP_JOINTS):
        axes = ASSET.nail_axes[finger]
        np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-6)
        corners = ASSET.template[np.unique(ASSET.faces[ASSET.face_nail == finger + 1])]
        local = (corners - ASSET.nail_centre[finger]) @ axes.T
        np.testing.assert_allclose(np.abs(local[:, :2]).max(0), ASSET.nail_half_size[finger], rtol=1e-3)
        assert np.abs(local[:, 2]).max() < 0.003
        assert axes[0] @ (ASSET.joints[tip] - ASSET.joints[tip - 1]) > 0
        assert (ASSET.nail_half_size[finger] > 0.003).all()
        assert (ASSET.nail_half_size[finger] < 0.008).all()


def test_the_cut_is_a_ring_that_the_cap_closes():
    cap = set(np.unique(ASSET.faces[ASSET.face_cap]).tolist())
    rest = set(np.unique(ASSET.faces[~ASSET.face_cap]).tolist())
    assert cap & rest == set(ASSET.cut_loop.tolist())
    assert len(ASSET.cut_loop) == 20


def test_texture_triangles_are_upright_inside_the_atlas_and_do_not_overlap():
    uv = ASSET.uv
    assert uv.min() > 0
    assert uv.max() < 1
    a, b, c = np.moveaxis(uv, 1, 0)
    area = np.cross(b - a, c - a)
    assert (area > 0).all()
    size = 512
    covered = np.zeros((size, size), int)
    for triangle in uv * size:
        low, high = np.floor(triangle.min(0)).astype(int), np.ceil(triangle.max(0)).astype(int)
        grid = np.stack(np.meshgrid(np.arange(low[0], high[0]) + 0.5, np.arange(low[1], high[1]) + 0.5), -1)
        edges = np.roll(triangle, -1, axis=0) - triangle
        inside = (np.cross(edges, grid[..., None, :] - triangle) > 1e-9).all(-1)
        covered[low[1] : high[1], low[0] : high[0]] += inside
    assert covered.max() == 1
    assert covered.mean() > 0.28


def test_a_texel_covers_nearly_as_much_skin_everywhere():
    a, b, c = np.moveaxis(ASSET.uv, 1, 0)
    p, q, r = np.moveaxis(ASSET.template[ASSET.faces], 1, 0)
    density = np.sqrt(np.cross(b - a, c - a) / np.linalg.norm(np.cross(q - p, r - p), axis=1))[~ASSET.face_cap]
    low, high = np.percentile(density / np.median(density), [1, 99])
    assert 0.8 < low < high < 1.2


def test_the_shape_space_has_principal_and_named_directions():
    named = ("age", "gender", "muscle", "finger_length", "finger_girth", "palm_width")
    assert ASSET.shape_names[-6:] == named
    assert sum(name.startswith("pca_") for name in ASSET.shape_names) >= 12


def test_the_shipped_asset_has_the_hash_of_its_provenance():
    arrays = read_arrays(DEFAULT_ASSET)
    provenance = DEFAULT_ASSET.with_name("hand.provenance.json")
    check_hash(arrays, provenance)
    arrays["template"] = arrays["template"] + np.float32(1e-6)
    with pytest.raises(ValueError, match=r"content hash .* differs from"):
        check_hash(arrays, provenance)


def test_a_users_own_asset_loads(tmp_path: Path):
    path = write(tmp_path / "mine.npz", template=1.1 * ASSET.template, joints=1.1 * ASSET.joints)
    np.testing.assert_allclose(load_asset(path).template, 1.1 * ASSET.template)


def test_no_such_file_is_said(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"none\.npz: no such hand asset"):
        load_asset(tmp_path / "none.npz")


@pytest.mark.parametrize("size", [0, 100, 200_000])
def test_a_truncated_file_is_said(tmp_path: Path, size: int):
    path = tmp_path / "cut.npz"
    path.write_bytes(DEFAULT_ASSET.read_bytes()[:size])
    with pytest.raises(ValueError, match=r"cut\.npz: not a readable \.npz"):
        load_asset(path)


def broken(name: str, index: tuple | int, value: float) -> dict[str, np.ndarray]:
    array = read_arrays(DEFAULT_ASSET)[name].copy()
    array[index] = value
    return {name: array}


BAD = {
    "field uv is missing": {"uv": None},
    r"template has shape \(2650, 3\)|weight_bones has shape \(2651, 4\)": {"template": ASSET.template[:2650]},
    "joints has values that are not finite": broken("joints", (3, 1), np.nan),
    "faces is float64, expected integer": {"faces": ASSET.faces.astype(float)},
    "faces refers to vertex 3000": broken("faces", (5, 1), 3000),
    "not a closed manifold": {"faces": ASSET.faces[np.r_[1:5298, 1]]},
    "wind inwards": {"faces": ASSET.faces[:, ::-1], "cut_loop": ASSET.cut_loop[::-1]},
    "weight_values sum to": broken("weight_values", (7, 0), 0.2),
    "refers to bone 21": broken("weight_bones", (7, 0), 21),
    "face_part must name a part": broken("face_part", 3, 18),
    "expected the origin": {"joints": ASSET.joints + 0.01},
    "expected about 0.1": {"template": 1000 * ASSET.template, "joints": 1000 * ASSET.joints},
    "cut_loop does not run along": {"cut_loop": ASSET.cut_loop[::-1].copy()},
}


@pytest.mark.parametrize("message", BAD)
def test_what_is_wrong_is_said_in_one_line_with_the_file(tmp_path: Path, message: str):
    path = write(tmp_path / "bad.npz", **BAD[message])
    with pytest.raises(ValueError, match=message) as caught:
        load_asset(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
