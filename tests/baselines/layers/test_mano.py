"""A user's MANO file: read as published, never run, and posed as its paper says."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import mano_files
import numpy as np
import pytest
import torch
from mano_files import PARENTS, J, S, V
from scipy import sparse
from scipy.spatial.transform import Rotation

from baselines.geometry.rotations import from_axis_angle
from baselines.layers.mano import ManoLayer
from baselines.layers.mano_file import load_mano
from rigging.errors import InputError

ARRAYS = mano_files.arrays()


def written(folder: Path, content: bytes) -> Path:
    path = folder / "MANO_RIGHT.pkl"
    path.write_bytes(content)
    return path


def of_today(folder: Path, **changed: object) -> Path:
    """A pickle of today's numpy and scipy."""
    arrays = ARRAYS | {"J_regressor": sparse.csc_matrix(ARRAYS["J_regressor"])} | changed
    return written(folder, pickle.dumps({key: value for key, value in arrays.items() if value is not None}))


def check_equal(path: Path) -> None:
    mano = load_mano(path)
    for name, key in (("template", "v_template"), ("shape", "shapedirs"), ("correctives", "posedirs"), ("faces", "f")):
        np.testing.assert_array_equal(getattr(mano, name), ARRAYS[key])
    np.testing.assert_allclose(mano.regressor, ARRAYS["J_regressor"], atol=1e-15)
    np.testing.assert_array_equal(mano.weights, ARRAYS["weights"])
    assert mano.parents == PARENTS


@pytest.mark.parametrize("protocol", [0, 2])
def test_reads_pickles_of_python_2_with_chumpy_and_an_old_scipy(tmp_path, protocol):
    check_equal(written(tmp_path, mano_files.as_published(ARRAYS, protocol)))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_reads_pickles_of_today(tmp_path, protocol):
    arrays = ARRAYS | {"J_regressor": sparse.csc_matrix(ARRAYS["J_regressor"])}
    check_equal(written(tmp_path, pickle.dumps(arrays, protocol)))


def test_reads_an_npz(tmp_path):
    np.savez(tmp_path / "mano.npz", **ARRAYS)
    check_equal(tmp_path / "mano.npz")


class Calls:
    """Pickles as a call."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple:
        return self.call


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("where", ["alone", "in a key", "in an array"])
@pytest.mark.parametrize("function", [os.system, eval, getattr, np.load, np.lib.format.open_memmap])
def test_a_pickle_that_would_run_something_is_refused_before_it_runs(tmp_path, function, where, protocol):
    mark = tmp_path / "it ran"
    text = f"touch '{mark}'" if function is os.system else f"open({str(mark)!r}, 'w')"
    bad = Calls(function, text)
    array = np.empty(1, object)
    array[0] = bad
    made = {"alone": bad, "in a key": ARRAYS | {"f": bad}, "in an array": ARRAYS | {"f": array}}[where]
    path = written(tmp_path, pickle.dumps(made, protocol))
    with pytest.raises(InputError, match=r"MANO_RIGHT.pkl: not a MANO file .* it asks for .*; allowed are arrays"):
        load_mano(path)
    assert not mark.exists()


def test_nothing_of_chumpy_or_scipy_is_run_either(tmp_path):
    """By name these are the objects that may be there, but what they are called with is not theirs."""
    for text in (b"cchumpy.ch\nos.system\n", b"cscipy.sparse.csc\nload_npz\n", b"cchumpy.ch\nCh.__init__\n"):
        with pytest.raises(InputError, match="it asks for"):
            load_mano(written(tmp_path, text + b"(S'true'\ntR."))
    for text in (b"ccopy_reg\n_reconstructor\n(cnumpy\nndarray\nc__builtin__\nobject\nNtR.", b"cchumpy.ch\nCh\n."):
        with pytest.raises(InputError, match=r"no array|holds a type"):
            load_mano(written(tmp_path, text))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"posedirs": None}, "posedirs is missing; it holds v_template"),
        ({"posedirs": ARRAYS["posedirs"][..., :-1]}, r"posedirs has shape \(40, 3, 134\), expected \(40, 3, 135\)"),
        ({"J_regressor": ARRAYS["J_regressor"][:-1]}, r"J_regressor has shape \(15, 40\), expected \(16, 40\)"),
        ({"weights": ARRAYS["weights"] * 2}, "weights are not shares"),
        ({"v_template": ARRAYS["v_template"] * np.nan}, "v_template has values that are not finite"),
        ({"f": ARRAYS["f"] + 40}, "f refers to vertex"),
        ({"kintree_table": ARRAYS["kintree_table"][:, ::-1]}, "parents after their children"),
        ({"shapedirs": "none"}, "shapedirs is no array of numbers"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(tmp_path, changed, message):
    with pytest.raises(InputError, match=message) as caught:
        load_mano(of_today(tmp_path, **changed))
    assert "\n" not in str(caught.value)


def test_damaged_files_are_refused(tmp_path):
    whole = mano_files.as_published(ARRAYS, 2)
    for content in (b"", b"PK\x03\x04", b"hello", whole[:1000], whole[: len(whole) // 2], pickle.dumps([1, 2])):
        with pytest.raises(InputError, match="not a MANO file"):
            load_mano(written(tmp_path, content))
    with pytest.raises(FileNotFoundError):
        load_mano(tmp_path / "none.pkl")


def literal(rotations: np.ndarray, shape: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) and joints (J, 3), from 4 x 4 matrices, one vertex at a time (SMPL, equations 2 to 10)."""
    shaped = ARRAYS["v_template"] + sum(shape[s] * ARRAYS["shapedirs"][:, :, s] for s in range(S))
    joints = ARRAYS["J_regressor"] @ shaped
    feature = np.concatenate([(rotations[j] - np.eye(3)).ravel() for j in range(1, J)])
    posed = shaped + ARRAYS["posedirs"] @ feature
    world: list[np.ndarray] = []
    for j in range(J):
        local = np.eye(4)
        local[:3, :3] = rotations[j]
        local[:3, 3] = joints[j] - (joints[PARENTS[j]] if j else 0)
        world.append(world[PARENTS[j]] @ local if j else local)
    vertices = np.zeros((V, 3))
    for v in range(V):
        for j in range(J):
            from_rest = world[j] @ np.r_[posed[v] - joints[j], 1]
            vertices[v] += ARRAYS["weights"][v, j] * from_rest[:3]
    return vertices, np.stack([one[:3, 3] for one in world])


def test_the_layer_is_the_papers_skinning_with_correctives_of_the_pose(tmp_path):
    layer = ManoLayer(load_mano(written(tmp_path, mano_files.as_published(ARRAYS, 2))), torch.float64)
    rng = np.random.default_rng(1)
    pose, shape, root = rng.normal(0, 0.7, (3, J, 3)), rng.normal(size=(3, S)), rng.normal(size=(3, 3))
    rotations = from_axis_angle(torch.from_numpy(pose))
    hand = layer(rotations, torch.from_numpy(shape), torch.from_numpy(root))
    for b in range(3):
        vertices, joints = literal(Rotation.from_rotvec(pose[b]).as_matrix(), shape[b])
        np.testing.assert_allclose(hand.vertices[b], vertices + root[b], atol=1e-12)
        np.testing.assert_allclose(hand.joints[b], joints + root[b], atol=1e-12)


def test_its_gradients_are_finite_differences(tmp_path):
    layer, generator = ManoLayer(load_mano(of_today(tmp_path)), torch.float64), torch.Generator().manual_seed(0)
    pose, shape, mix = (
        torch.randn(1, *size, dtype=torch.float64, generator=generator) for size in ((J, 3), (S,), (V,))
    )

    def mixed(pose: torch.Tensor, shape: torch.Tensor) -> torch.Tensor:
        hand = layer(from_axis_angle(pose), shape)
        return torch.cat([mix @ hand.vertices, hand.joints], 1)

    assert torch.autograd.gradcheck(mixed, (pose.requires_grad_(), shape.requires_grad_()))
