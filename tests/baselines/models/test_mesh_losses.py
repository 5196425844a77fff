"""Ge et al.'s losses: against their equations in loops, values by hand, and the units in which weights hold."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from baselines.mesh_losses import edge_loss, laplacian_loss, mesh_edges, normal_loss, pose_loss, vertex_loss
from rigging.hand.asset import load_asset

TETRAHEDRON = torch.tensor([[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]])
TRIANGLE = torch.tensor([[0, 1, 2]])
LOSSES = {
    "vertex": lambda mesh, true, how="mean": vertex_loss(mesh, true, mesh[..., :2], true[..., :2], how),
    "normal": lambda mesh, true, how="mean": normal_loss(mesh, true, TETRAHEDRON, how),
    "edge": lambda mesh, true, how="mean": edge_loss(mesh, true, mesh_edges(TETRAHEDRON), how),
    "laplacian": lambda mesh, true, how="mean": laplacian_loss(mesh, true, mesh_edges(TETRAHEDRON), how),
}


def meshes(count: int = 2, vertices: int = 4, seed: int = 0) -> tuple[Tensor, Tensor]:
    """A mesh (count, vertices, 3) m of a few centimetres, and another as its truth."""
    mesh, true = 0.02 * torch.randn(2, count, vertices, 3, generator=torch.Generator().manual_seed(seed))
    return mesh, true


def metres(*points: tuple[float, float, float]) -> Tensor:
    """(1, N, 3) m of points in cm."""
    return torch.tensor([points]) / 100


def naive_normal(mesh: Tensor, true: Tensor, faces: Tensor) -> float:
    total = 0.0
    for t in faces.tolist():
        a, b, c = (100 * true[i] for i in t)
        normal = torch.linalg.cross(b - a, c - a)
        for i, j in ((0, 1), (1, 2), (2, 0)):
            edge = 100 * (mesh[t[i]] - mesh[t[j]])
            total += float((edge @ (normal / normal.norm())) ** 2)
    return total


def naive_edge(mesh: Tensor, true: Tensor, faces: Tensor) -> float:
    sides = {tuple(sorted(pair)) for t in faces.tolist() for pair in itertools.combinations(t, 2)}
    lengths = [[float(((100 * (one[i] - one[j])) ** 2).sum()) for i, j in sorted(sides)] for one in (mesh, true)]
    return sum((a - b) ** 2 for a, b in zip(*lengths))


def naive_laplacian(mesh: Tensor, true: Tensor, faces: Tensor) -> float:
    delta, total = 100 * (mesh - true), 0.0
    for i in range(len(mesh)):
        neighbours = sorted({k for t in faces.tolist() if i in t for k in t} - {i})
        mean = sum(delta[k] for k in neighbours) / len(neighbours)
        total += float(((delta[i] - mean) ** 2).sum())
    return total


@pytest.mark.parametrize("loss", ["normal", "edge", "laplacian"])
def test_each_term_is_its_equation(loss):
    mesh, true = meshes(3)
    naive = {"normal": naive_normal, "edge": naive_edge, "laplacian": naive_laplacian}[loss]
    expected = sum(naive(mesh[b], true[b], TETRAHEDRON) for b in range(3)) / 3
    assert LOSSES[loss](mesh, true, "sum").item() == pytest.approx(expected, rel=1e-4)
    assert LOSSES[loss](mesh, true).item() == pytest.approx(expected / 4, rel=1e-4)


def test_on_the_hand_they_are_their_equations_too():
    asset = load_asset()
    faces, true = torch.from_numpy(asset.faces).long(), torch.from_numpy(asset.template).float()
    mesh = true + 0.001 * torch.randn(true.shape, generator=torch.Generator().manual_seed(1))
    assert len(mesh_edges(faces)) == 3 * len(faces) // 2 == 7947  # a closed surface
    faces = faces[::20]
    edges = mesh_edges(faces)
    pair = (mesh[None], true[None])
    assert normal_loss(*pair, faces, "sum").item() == pytest.approx(naive_normal(mesh, true, faces), rel=1e-3)
    assert edge_loss(*pair, edges, "sum").item() == pytest.approx(naive_edge(mesh, true, faces), rel=1e-3)


def test_the_vertex_loss_by_hand():
    """3 cm off in space and 0.1 of the crop in the picture: 9 + 0.01."""
    true, uv = metres((0, 0, 50), (1, 0, 50)), torch.full((1, 2, 2), 0.5)
    moved, shifted = true.clone(), uv.clone()
    moved[0, 1, 2] += 0.03
    shifted[0, 0, 1] += 0.1
    assert vertex_loss(moved, true, shifted, uv, "sum").item() == pytest.approx(9.01, rel=1e-4)
    assert vertex_loss(moved, true, shifted, uv).item() == pytest.approx(9.01 / 2, rel=1e-4)


def test_the_normal_loss_by_hand():
    """A corner 1 cm above its true triangle's plane: two of three edges leave the plane by 1 cm."""
    true = metres((0, 0, 0), (1, 0, 0), (0, 1, 0))
    assert normal_loss(metres((0, 0, 1), (1, 0, 0), (0, 1, 0)), true, TRIANGLE, "sum").item() == pytest.approx(2)
    assert normal_loss(metres((5, 0, 1), (1, 7, 1), (0, 1, 1)), true, TRIANGLE, "sum").item() == pytest.approx(0)


def test_the_edge_loss_by_hand():
    """Edges of 3, 4, 5 cm that should be 6, 8, 10: (9 - 36)^2 + (16 - 64)^2 + (25 - 100)^2."""
    mesh, true = metres((0, 0, 0), (3, 0, 0), (0, 4, 0)), metres((0, 0, 0), (6, 0, 0), (0, 8, 0))
    assert edge_loss(mesh, true, mesh_edges(TRIANGLE), "sum").item() == pytest.approx(27**2 + 48**2 + 75**2)


def test_the_laplacian_loss_by_hand():
    """One corner of a tetrahedron 3 cm off: 3^2 of itself, and of each of three neighbours the mean's (3 / 3)^2."""
    true = metres((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))
    mesh = true.clone()
    mesh[0, 0, 2] += 0.03
    assert laplacian_loss(mesh, true, mesh_edges(TETRAHEDRON), "sum").item() == pytest.approx(12)
    assert laplacian_loss(true + 0.05, true, mesh_edges(TETRAHEDRON), "sum").item() == pytest.approx(0, abs=1e-9)


def test_the_pose_loss_by_hand():
    true = torch.zeros(2, 21, 3)
    joints, valid = true.clone(), torch.ones(2, 21, dtype=torch.bool)
    joints[0, 3, 0], joints[1, 4] = 0.02, 7.0
    valid[1, 4] = False
    assert pose_loss(joints, true, valid).item() == pytest.approx(4 / 41)
    assert pose_loss(joints[:1], true[:1], reduction="sum").item() == pytest.approx(4)


@pytest.mark.parametrize(("loss", "power"), [("normal", 2), ("edge", 4), ("laplacian", 2)])
def test_a_scene_twice_as_large_says_what_unit_a_loss_has(loss, power):
    mesh, true = meshes()
    assert LOSSES[loss](2 * mesh, 2 * true).item() == pytest.approx(
        2**power * LOSSES[loss](mesh, true).item(), rel=1e-4
    )


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from(["normal", "edge", "laplacian"]))
def test_moving_both_meshes_alike_changes_nothing(seed, loss):
    generator = torch.Generator().manual_seed(seed)
    turn, _ = torch.linalg.qr(torch.randn(3, 3, generator=generator))
    shift = 0.1 * torch.randn(3, generator=generator)
    mesh, true = meshes(seed=seed)
    moved = LOSSES[loss](mesh @ turn.T + shift, true @ turn.T + shift)
    torch.testing.assert_close(moved, LOSSES[loss](mesh, true), rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize("how", ["mean", "sum"])
@pytest.mark.parametrize("loss", list(LOSSES))
def test_meshes_that_are_not_known_do_not_count(loss, how):
    mesh, true = meshes(3)
    expected = LOSSES[loss](mesh[:2], true[:2], how)
    mesh, true[2] = mesh.requires_grad_(), torch.nan
    found = LOSSES[loss](mesh, true, how)
    found.backward()
    torch.testing.assert_close(found, expected)
    assert mesh.grad.isfinite().all() and (mesh.grad[2] == 0).all() and mesh.grad[:2].any()


@pytest.mark.parametrize("loss", list(LOSSES))
def test_gradients_are_finite_differences(loss):
    mesh, true = (one.double() for one in meshes(1))
    assert torch.autograd.gradcheck(lambda one: LOSSES[loss](one, true), mesh.requires_grad_())


def test_a_true_triangle_without_area_has_no_normal_and_no_nan():
    mesh = metres((0, 0, 0), (1, 0, 0), (0, 1, 0)).requires_grad_()
    normal_loss(mesh, torch.zeros(1, 3, 3), TRIANGLE).backward()
    assert (mesh.grad == 0).all()
