"""Ge et al.'s Graph CNN: where its graph starts, what is linear, what learns, and poses exact when the network is."""

from __future__ import annotations

import dataclasses

import model_cases
import pytest
import torch

from baselines import create_estimator
from baselines.batch import Batch
from baselines.config import load_config
from baselines.estimator import Output
from baselines.layers.graph_conv import GraphConv
from baselines.layers.heatmap import gaussian_maps
from baselines.layers.hierarchy import load_hierarchy
from baselines.models.common import MESH_LOSSES
from baselines.models.ge_gcn import GeGraphCnn
from baselines.models.uvd import lift_uvd, true_depth, true_mesh, true_root, true_scale
from rigging.errors import InputError

LOSSES = MESH_LOSSES | {"heatmap", "pose", "regress", "size"}


@pytest.fixture
def estimator() -> GeGraphCnn:
    torch.manual_seed(0)
    return create_estimator("ge_gcn", **model_cases.SMALL)


def truth(batch: Batch) -> Output:
    """What a perfect network would answer."""
    joints = torch.cat([batch.joints_2d / batch.size, true_depth(batch)[..., None]], -1)
    heatmaps = gaussian_maps(batch.joints_2d, batch.size, batch.size // 4, 1.0)[:, None]
    size = torch.ones(len(batch))
    return {"heatmaps": heatmaps, "mesh": true_mesh(batch), "joints": joints, "regressed": joints, "size": size}


def shaken(estimator: GeGraphCnn) -> GeGraphCnn:
    """The same with the weights drawn that start at zero."""
    for layer in (estimator.mesh.last, estimator.regressor.joints):
        torch.nn.init.normal_(layer.weight, std=0.05)
    return estimator


def test_output(estimator):
    output = estimator(model_cases.batch(3))
    shapes = {name: tuple(value.shape) for name, value in output.items()}
    points = {"mesh": (3, 2651, 3), "joints": (3, 21, 3), "regressed": (3, 21, 3)}
    assert shapes == {"heatmaps": (3, 1, 21, 16, 16), "size": (3,)} | points
    assert all(value.dtype == torch.float32 for value in output.values())


def test_the_graph_starts_at_a_sixteenth_of_the_nodes_and_has_four_convolutions(estimator):
    assert estimator.mesh.to_nodes.out_features == 166 * model_cases.SMALL["coarse"]
    convolutions = [one for one in estimator.mesh.modules() if isinstance(one, GraphConv)]
    assert [one.laplacian.nodes for one in convolutions] == [664, 664, 2656, 2656]
    published = create_estimator("ge_gcn", size=64, levels=4, shortcut=False).mesh
    assert published.shortcut is None
    widths = [tuple(one.weight.shape[1:]) for one in published.modules() if isinstance(one, GraphConv)]
    assert widths == [(64, 64), (64, 32), (32, 32), (32, 3)]


def test_a_shortcut_moves_the_descendants_of_a_coarse_node_and_nothing_else(estimator):
    latent = torch.randn(2, estimator.mesh.hidden.in_features, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        before = estimator.mesh.eval()(latent)
        estimator.mesh.shortcut.bias[3 * 7 : 3 * 8] += torch.tensor([0.1, -0.2, 0.3])
        moved = estimator.mesh(latent) - before
    order = load_hierarchy("matching", 4).order[16 * 7 : 16 * 8]  # tree order: node 7 of 166 has these 16 vertices
    assert moved.abs().amax((0, 2)).nonzero()[:, 0].tolist() == sorted(order.tolist())
    torch.testing.assert_close(moved[:, order], torch.tensor([0.1, -0.2, 0.3]).expand(2, 16, 3))


def test_joints_are_linear_in_the_mesh_and_move_with_it(estimator):
    regressor = shaken(estimator).regressor
    one, other = torch.randn(2, 4, 2651, 3, generator=torch.Generator().manual_seed(1))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        between = regressor(0.3 * one + 0.7 * other)
        torch.testing.assert_close(between, 0.3 * regressor(one) + 0.7 * regressor(other), rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(regressor(one + 0.5), regressor(one) + 0.5, rtol=1e-4, atol=1e-4)
    assert (regressor(one) - one.mean(1, keepdim=True)).norm() > 0.1


def test_losses_vanish_for_the_truth_and_only_for_it(estimator):
    batch = model_cases.batch(2)
    true = estimator.losses(truth(batch), batch)
    assert set(true) == LOSSES
    assert all(loss.item() == pytest.approx(0, abs=1e-6) for loss in true.values())
    begun = estimator.losses(shaken(estimator)(batch), batch)
    assert all(loss > 0.01 for name, loss in begun.items() if name != "size")


def test_what_is_not_learnt_yet_lies_in_the_middle_of_the_crop(estimator):
    batch = model_cases.batch(2)
    output = estimator(batch)
    for name in ("mesh", "joints"):
        assert torch.allclose(output[name], torch.tensor([0.5, 0.5, 0.0]).expand_as(output[name]), atol=1e-6)
    assert estimator.losses(output, batch)["edge"] < 1  # cm^4 a vertex; of a random mesh it is hundreds of thousands


def test_the_pose_loss_is_in_cm_of_joints_lifted_with_the_labels_root_and_scale(estimator):
    batch = model_cases.batch(2)
    output = truth(batch)
    output["joints"] = output["joints"] + torch.tensor([0.0, 0.0, 0.1])
    lifted = lift_uvd(output["joints"], batch, true_scale(batch), true_root(batch))
    expected = sum(float(((100 * (lifted[b] - batch.joints_cam[b])) ** 2).sum()) for b in range(2)) / 42
    assert estimator.losses(output, batch)["pose"].item() == pytest.approx(expected, rel=1e-4)
    assert expected == pytest.approx((0.1 * 100 * model_cases.MEAN_SCALE) ** 2, rel=0.05)  # along the rays, nearly z


def test_sums_are_the_papers_means_ours():
    torch.manual_seed(0)
    small, batch = model_cases.SMALL, model_cases.batch(2)
    estimators = [create_estimator("ge_gcn", **small | {"reduction": how}) for how in ("mean", "sum")]
    output = shaken(estimators[0])(batch)
    mean, total = (one.losses(output, batch) for one in estimators)
    count = {name: 2651 for name in MESH_LOSSES} | {"heatmap": 21, "pose": 21, "regress": 21, "size": 1}
    for name, number in count.items():
        torch.testing.assert_close(total[name], number * mean[name])


def test_the_pose_regressor_learns_from_true_meshes_without_a_look_at_the_picture(estimator):
    batch = dataclasses.replace(model_cases.batch(2), rgb=torch.full((2, 3, 64, 64), torch.nan))
    output = estimator(batch, frozenset({"regress"}))
    assert set(output) == {"regressed"}
    loss = estimator.losses(output, batch)["regress"]
    loss.backward()
    learnt = {name.split(".")[0] for name, one in estimator.named_parameters() if one.grad is not None}
    assert loss.isfinite() and learnt == {"regressor"}


@pytest.mark.parametrize(
    ("wanted", "names"), [("heatmap", {"heatmaps"}), ("edge", {"heatmaps", "mesh", "joints", "size"})]
)
def test_only_what_is_wanted_is_computed(estimator, wanted, names):
    assert set(estimator(model_cases.batch(2), frozenset({wanted}))) == names


def test_a_mesh_of_other_heatmaps_is_another_mesh(estimator):
    batch = model_cases.batch(2)
    shaken(estimator).eval()
    with torch.no_grad():
        maps, given, features = estimator.hourglass(batch.rgb - 0.5)
        own = estimator.shaped(maps[:, -1], given, features)
        of_labels = estimator.shaped(gaussian_maps(batch.joints_2d, 64, 16, 1.0), given, features)
        torch.testing.assert_close(own["mesh"], estimator(batch)["mesh"])
    assert (own["mesh"] - of_labels["mesh"]).norm() > 1e-3


@pytest.mark.parametrize("sizes", [(1.0, 1.0), (0.8, 1.3)])
def test_with_the_oracle_a_pose_is_exact(estimator, sizes):
    batch = model_cases.batch(2, sizes=sizes)
    pose = estimator.pose(truth(batch), batch, oracle=True)
    torch.testing.assert_close(pose.joints_cam, batch.joints_cam, atol=2e-6, rtol=0)
    torch.testing.assert_close(pose.vertices_cam, batch.vertices_cam, atol=2e-6, rtol=0)
    torch.testing.assert_close(pose.joints_2d, batch.joints_2d, atol=1e-3, rtol=0)


def test_without_it_a_pose_is_exact_if_the_size_is_known(estimator):
    batch = model_cases.batch(2, sizes=(0.8, 1.3))
    seen = dataclasses.replace(batch, joints_cam=None, joints_2d=None, vertices_cam=None)
    pose = estimator.pose(truth(batch) | {"size": torch.tensor([0.8, 1.3])}, seen)
    torch.testing.assert_close(pose.joints_cam, batch.joints_cam, atol=2e-5, rtol=0)
    torch.testing.assert_close(pose.vertices_cam, batch.vertices_cam, atol=2e-5, rtol=0)


def test_hands_without_a_mesh_and_joints_without_a_label_do_not_count(estimator):
    batch = model_cases.batch(3)
    output = {name: one.detach().requires_grad_() for name, one in shaken(estimator)(batch).items()}
    expected = estimator.losses({k: v[:2] for k, v in output.items()}, batch.map(lambda one: one[:2]))
    vertices, valid = batch.vertices_cam.clone(), batch.joint_valid.clone()
    vertices[2], valid[2] = torch.nan, False
    batch = dataclasses.replace(batch, vertices_cam=vertices, joint_valid=valid)
    found = estimator.losses(output, batch)
    sum(found.values()).backward()
    assert all(one.grad.isfinite().all() for one in output.values())
    for name, loss in found.items():
        torch.testing.assert_close(loss, expected[name])


def test_data_without_meshes_or_labels_have_fewer_losses(estimator):
    bare = dataclasses.replace(model_cases.batch(2), vertices_cam=None)
    assert set(estimator.losses(estimator(bare), bare)) == {"heatmap", "pose", "size"}
    unlabelled = dataclasses.replace(bare, joints_cam=None, joints_2d=None)
    assert estimator.losses(estimator(unlabelled), unlabelled) == {}


def test_the_parts_are_the_papers_and_what_is_fixed_stays(estimator):
    assert [name for name, _ in estimator.named_children()] == ["hourglass", "encoder", "mesh", "regressor", "size"]
    estimator.regressor.requires_grad_(False)
    batch = model_cases.batch(2)
    estimator.losses(shaken(estimator)(batch, frozenset({"pose"})), batch)["pose"].backward()
    assert estimator.mesh.last.weight.grad.any() and estimator.encoder.from_maps.weight.grad.any()
    assert all(one.grad is None for one in estimator.regressor.parameters())


@pytest.mark.parametrize("loss", [*sorted(MESH_LOSSES), "pose"])
def test_an_ablation_is_a_setting(loss):
    stage = load_config("nano", "ge_gcn", [f"stages.all.losses.{loss}=0"]).stages[-1]
    assert stage.losses.pop(loss) == 0 and all(stage.losses.values()) and stage.name == "all"


def test_a_few_steps_bring_the_mesh_nearer(estimator):
    batch = model_cases.batch(2)
    optimiser = torch.optim.Adam(estimator.parameters(), 1e-2)
    losses = []
    for _ in range(7):
        found = estimator.losses(estimator(batch, frozenset({"vertex"})), batch)
        optimiser.zero_grad()
        (found["vertex"] + 50 * found["laplacian"]).backward()
        optimiser.step()
        losses.append(found["vertex"].item())
    assert losses[-1] < 0.95 * losses[0]


def test_bf16_gives_nearly_the_same(estimator):
    batch = model_cases.batch(2)
    shaken(estimator).eval()
    with torch.no_grad():
        plain = estimator(batch)
        with torch.autocast("cpu", torch.bfloat16):
            fast = estimator(batch)
    for name, value in plain.items():
        assert fast[name].dtype == torch.float32
        assert (fast[name] - value).norm() < 0.03 * (value - value.mean()).norm() + 1e-3, name


def test_crops_of_another_size_are_refused(estimator):
    batch = dataclasses.replace(model_cases.batch(1), rgb=torch.rand(1, 3, 128, 128))
    with pytest.raises(InputError, match="ge_gcn: crops of 128 px, the estimator is made for 64"):
        estimator(batch)
    with pytest.raises(InputError, match="'mean', 'sum'"):
        create_estimator("ge_gcn", **model_cases.SMALL | {"reduction": "all"})
