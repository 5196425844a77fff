"""Weak supervision: rendered and measured depth agree for the true mesh, the teacher stays, no label is needed."""

from __future__ import annotations

import copy
import dataclasses
import tomllib
from pathlib import Path

import model_cases
import pytest
import torch
from safetensors.torch import save_file

import baselines
from baselines import create_estimator
from baselines.batch import Batch
from baselines.layers.heatmap import gaussian_maps
from baselines.mesh_losses import depth_map_loss, edge_loss, laplacian_loss
from baselines.models.ge_weak import SIDE, GeWeak, rendered, sampled
from baselines.models.uvd import true_mesh, true_root, true_scale
from baselines.train.checkpoint import fill
from baselines.train.initial import initialise

PRESETS = Path(baselines.__file__).parent / "presets"


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory) -> Path:
    """Weights of a ge_gcn that finds something as large as a hand, and whose size head has learnt something, too."""
    torch.manual_seed(0)
    network = create_estimator("ge_gcn", **model_cases.SMALL)
    torch.nn.init.normal_(network.mesh.last.weight, std=0.02)
    torch.nn.init.normal_(network.size.size.weight, std=0.01)
    path = tmp_path_factory.mktemp("weak") / "weights.safetensors"
    save_file(network.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def begun(pretrained) -> GeWeak:
    torch.manual_seed(1)
    made = create_estimator("ge_gcn_weak", **model_cases.SMALL)
    initialise(made, pretrained)
    return made.eval()


@pytest.fixture
def network(begun) -> GeWeak:
    return copy.deepcopy(begun)


@pytest.fixture(scope="module")
def batch() -> Batch:
    return model_cases.batch(3, sizes=(0.9, 1.0, 1.15))


def test_depth_maps_are_compared_by_hand_where_both_show_the_hand():
    """0.3 cm is 0.5 x 0.09 of smooth L1, 2 cm are 1.5; the last hand is nowhere seen by both."""
    depth = torch.tensor([[[0.5, 0.5], [0.5, 0.0]], [[0.5, 0.0], [0.0, 0.0]], [[0.5, 0.0], [0.0, 0.0]]])
    true = torch.tensor([[[0.503, 0.52], [0.0, 0.7]], [[0.5, 0.6], [0.6, 0.6]], [[0.0, 0.4], [0.4, 0.4]]])
    assert depth_map_loss(depth, true, "sum").item() == pytest.approx((0.045 + 1.5) / 2, rel=1e-4)
    assert depth_map_loss(depth, true, "mean").item() == pytest.approx((0.045 + 1.5) / 4, rel=1e-4)


def test_depth_maps_are_compared_as_in_a_loop():
    generator = torch.Generator().manual_seed(0)
    maps = 0.5 + 0.02 * torch.randn(2, 4, 5, 6, generator=generator)
    depth, true = maps * (torch.rand(maps.shape, generator=generator) < 0.7)
    total = 0.0
    for item in range(4):
        terms = []
        for ours, theirs in zip(depth[item].flatten().tolist(), true[item].flatten().tolist()):
            error = 100 * abs(ours - theirs)
            if ours > 0 and theirs > 0:
                terms.append(0.5 * error**2 if error < 1 else error - 0.5)
        total += sum(terms) / len(terms) / 4
    assert depth_map_loss(depth, true).item() == pytest.approx(total, rel=1e-4)


def test_the_true_mesh_is_rendered_as_the_sensor_sees_it(network, batch):
    """Pixel by pixel: the pixels compared are those of the crop, not half a pixel away."""
    seen = rendered(true_mesh(batch), batch, true_scale(batch), true_root(batch), network.faces)
    assert seen.shape == (3, SIDE, SIDE) and (seen > 0).float().mean() > 0.1
    differ = (seen - sampled(batch.depth)).abs() > 1e-5
    assert differ.float().mean() < 0.002  # rounding moves a few edges across a centre


@pytest.mark.parametrize("size", [64, 256])
def test_every_32nd_part_of_a_crop_gives_one_pixel(size):
    depth = torch.arange(size * size).view(1, size, size)
    step = size // 32
    assert sampled(depth).tolist() == [[[row * size + step // 2 + column for column in range(0, size, step)]
                                        for row in range(step // 2, size, step)]]  # fmt: skip


def test_without_labels_the_root_is_where_the_sensor_sees_the_hand(network, batch):
    size = torch.tensor([0.9, 1.0, 1.15])
    scale, root = network.solved_frame(true_mesh(batch), size, batch)
    torch.testing.assert_close(scale, true_scale(batch), rtol=1e-4, atol=0)
    torch.testing.assert_close(root, true_root(batch), rtol=0, atol=3e-4)


def test_a_sensor_that_sees_nothing_gives_no_loss_and_no_gradient(network, batch):
    blind = dataclasses.replace(batch, depth=torch.zeros_like(batch.depth))
    found = network.losses(network(blind), blind)
    assert found["depth_map"] == 0 and found["depth_map_unlabelled"] == 0
    assert all(loss.isfinite() for loss in found.values())


def test_nothing_of_the_labels_is_needed(network, batch):
    names = ("joints_cam", "joints_2d", "joint_valid", "vertices_cam")
    bare = dataclasses.replace(batch, **dict.fromkeys(names))
    found = network.losses(network(bare), bare)
    assert set(found) == {"depth_map_unlabelled", "pseudo_mesh_unlabelled"}
    whole = network.losses(network(batch), batch)
    assert all(found[name] == whole[name] for name in found)


def test_joints_in_pictures_alone_give_heat_maps_to_the_teacher(network, batch):
    flat = dataclasses.replace(batch, joints_cam=None, vertices_cam=None)
    found = network.losses(network(flat), flat)
    assert set(found) == {"heatmap", "pseudo_mesh", "depth_map_unlabelled", "pseudo_mesh_unlabelled"}
    assert found["pseudo_mesh"] != found["pseudo_mesh_unlabelled"]
    assert set(network.losses(network(flat, frozenset({"pseudo_mesh"})), flat)) >= {"pseudo_mesh"}


def test_meshes_of_the_labels_are_not_looked_at(network, batch):
    blind = dataclasses.replace(batch, vertices_cam=torch.full_like(batch.vertices_cam, torch.nan))
    found, without = (network.losses(network(one), one) for one in (batch, blind))
    assert found.keys() == without.keys() >= {"heatmap", "pose", "depth_map", "pseudo_mesh"}
    assert "vertex" not in found and all(torch.equal(found[name], without[name]) for name in found)


def test_the_teacher_is_what_training_begins_from_and_stays(network, batch):
    output = network(batch)
    torch.testing.assert_close(output["pseudo_unlabelled"], output["mesh"])
    assert network.losses(output, batch)["pseudo_mesh_unlabelled"] < 1e-8
    before = {name: one.clone() for name, one in network.teacher.state_dict().items()}
    optimiser = torch.optim.SGD(network.mesh.parameters(), 1e-2)
    network.losses(output, batch)["pseudo_mesh"].backward()
    optimiser.step()
    after = network(batch)
    assert not torch.equal(after["mesh"], output["mesh"])
    assert torch.equal(after["pseudo_unlabelled"], output["pseudo_unlabelled"])
    assert all(torch.equal(one, before[name]) for name, one in network.teacher.state_dict().items())


def test_the_labels_heat_maps_are_given_to_the_teacher(network, batch):
    valid = torch.ones(3, 21, dtype=torch.bool)
    valid[0, 4] = False
    partly = dataclasses.replace(batch, joint_valid=valid)
    maps, given, features = network.hourglass(batch.rgb - 0.5)
    true = gaussian_maps(batch.joints_2d, batch.size, 16, network.config.sigma)
    true[0, 4] = maps[0, -1, 4]
    torch.testing.assert_close(network(partly)["pseudo"], network.shaped(true, given, features)["mesh"])


def test_pseudo_meshes_bind_shapes_not_places(network, batch):
    """L_pM = 1 L_e + 50 L_l, both blind to where the mesh is."""
    mesh, other = batch.vertices_cam, batch.vertices_cam.flip(0)
    terms = [loss(mesh, other, network.edges) for loss in (edge_loss, laplacian_loss)]
    torch.testing.assert_close(network.pseudo_mesh_loss(mesh, other), terms[0] + 50 * terms[1])
    assert network.pseudo_mesh_loss(mesh + torch.tensor([0.01, -0.02, 0.03]), mesh) < 1e-5 * terms[1]


def test_weights_of_a_weak_run_hold_its_teacher(network):
    torch.nn.init.normal_(network.mesh.last.weight)
    tensors = network.state_dict()
    again = create_estimator("ge_gcn_weak", **model_cases.SMALL)
    fill(again, tensors, "run")
    assert all(torch.equal(one, tensors[name]) for name, one in again.state_dict().items())
    assert not torch.equal(again.teacher["mesh"].last.weight, again.mesh.last.weight)


def test_only_what_is_wanted_is_computed(network, batch):
    assert set(network(batch, frozenset({"heatmap"}))) == {"heatmaps"}
    assert "pseudo" not in network(batch, frozenset({"depth_map"}))
    assert "depth" not in network(batch, frozenset({"pseudo_mesh"}))


@pytest.mark.parametrize("labelled", [True, False])
def test_the_loss_of_depth_makes_flat_hands_as_deep_as_they_are(network, batch, labelled):
    true, sizes = true_mesh(batch), torch.tensor([0.9, 1.0, 1.15])
    share = torch.full((3, 1), 0.67, requires_grad=True)  # of their depth
    optimiser = torch.optim.Adam([share], 0.08)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimiser, 0.88)
    for _ in range(30):
        mesh = torch.cat([true[..., :2], (true[..., 2] * share)[..., None]], -1)
        frame = network.solved_frame(mesh, sizes, batch)
        if labelled:
            frame = true_scale(batch), true_root(batch)
        optimiser.zero_grad()
        depth_map_loss(rendered(mesh, batch, *frame, network.faces), sampled(batch.depth)).backward()
        optimiser.step()
        schedule.step()
    torch.testing.assert_close(share, torch.ones(3, 1), atol=0.04, rtol=0)


@pytest.mark.parametrize("preset", [path.parent.name for path in PRESETS.glob("*/ge_gcn.toml")])
def test_presets_fine_tune_the_network_of_the_same_preset_in_the_papers_two_steps(preset):
    weak, full = (
        tomllib.loads((PRESETS / preset / f"{name}.toml").read_text(encoding="utf-8"))
        for name in ("ge_gcn_weak", "ge_gcn")
    )
    assert {key: weak.get(key) for key in ("model", "data", "augment", "train")} == {
        key: full.get(key) for key in ("model", "data", "augment", "train")
    }
    assert [stage["learns"] for stage in weak["stages"]] == [["hourglass"], ["hourglass", "encoder", "mesh"]]
    assert weak["stages"][1]["losses"] == {"heatmap": 0.1, "depth_map": 0.1, "pseudo_mesh": 1.0}
    assert weak["stages"][1]["lr"] < full["stages"][-1]["lr"]
