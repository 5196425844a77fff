"""What Ge et al. compare with: joints without a mesh, with one beside them, and from a feature that is taken over."""

from __future__ import annotations

import dataclasses

import model_cases
import pytest
import torch
from safetensors.torch import save_file

from baselines import create_estimator
from baselines.config import load_config
from baselines.layers.heatmap import gaussian_maps
from baselines.models.common import MESH_LOSSES
from baselines.models.ge_joints import GeJoints
from baselines.models.uvd import true_depth
from baselines.train.initial import initialise
from baselines.train.optimise import learn
from rigging.errors import InputError


def create(mesh: bool = False, seed: int = 0) -> GeJoints:
    torch.manual_seed(seed)
    estimator = create_estimator("ge_joints", **model_cases.SMALL, mesh=mesh)
    torch.nn.init.normal_(estimator.joints.joints.weight, std=0.05)
    return estimator


def test_without_a_mesh_there_are_joints_alone():
    batch, estimator = model_cases.batch(2), create()
    output = estimator(batch)
    assert set(output) == {"heatmaps", "joints", "size"} and output["joints"].shape == (2, 21, 3)
    assert set(estimator.losses(output, batch)) == {"heatmap", "pose", "size"}
    assert estimator.pose(output, batch).vertices_cam is None


def test_joints_that_are_true_give_exact_poses():
    batch, estimator = model_cases.batch(2, sizes=(0.8, 1.3)), create()
    output = {
        "heatmaps": gaussian_maps(batch.joints_2d, 64, 16, 1.0)[:, None],
        "joints": torch.cat([batch.joints_2d / 64, true_depth(batch)[..., None]], -1),
        "size": torch.tensor([0.8, 1.3]),
    }
    for oracle, near in ((True, 2e-6), (False, 2e-5)):
        pose = estimator.pose(output, batch, oracle)
        torch.testing.assert_close(pose.joints_cam, batch.joints_cam, atol=near, rtol=0)
    assert all(loss < 1e-6 for loss in estimator.losses(output, batch).values())


def test_a_mesh_beside_them_shapes_the_feature_that_joints_are_read_from():
    batch, estimator = model_cases.batch(2), create(mesh=True)
    torch.nn.init.normal_(estimator.mesh.last.weight, std=0.05)
    output = estimator(batch, MESH_LOSSES)
    losses = estimator.losses(output, batch)
    assert set(losses) >= MESH_LOSSES
    losses["vertex"].backward()
    assert estimator.encoder.from_maps.weight.grad.any()
    assert all(one.grad is None for one in estimator.joints.parameters())
    assert estimator.pose(output, batch).vertices_cam.shape == (2, 2651, 3)


def test_a_mesh_that_no_loss_wants_is_not_computed():
    assert "mesh" not in create(mesh=True)(model_cases.batch(2), frozenset({"pose"}))
    assert set(create(mesh=True)(model_cases.batch(2), frozenset({"heatmap"}))) == {"heatmaps"}


def test_task_transfer_takes_the_feature_over_and_leaves_it_as_it_is(tmp_path):
    torch.manual_seed(1)
    graph, estimator = create_estimator("ge_gcn", **model_cases.SMALL), create()
    drawn = {name: one.clone() for name, one in estimator.joints.state_dict().items()}
    save_file(graph.state_dict(), tmp_path / "weights.safetensors")
    initialise(estimator, tmp_path)
    own, theirs = estimator.state_dict(), graph.state_dict()
    taken = [name for name in own if name.split(".")[0] in ("hourglass", "encoder")]
    assert len(taken) > 50 and all(own[name].equal(theirs[name]) for name in taken)
    assert all(one.equal(drawn[name]) for name, one in estimator.joints.state_dict().items())

    stage = load_config("baselines/presets/nano/ge_joints_transfer.toml").stages[0]
    learn(estimator, stage)
    batch = model_cases.batch(2)
    estimator.losses(estimator(batch, frozenset(stage.losses)), batch)["pose"].backward()
    learnt = {name.split(".")[0] for name, one in estimator.named_parameters() if one.grad is not None}
    assert learnt == {"joints"}
    assert all(one.equal(theirs[name]) for name, one in estimator.state_dict().items() if name in taken)


def test_baseline_1_and_the_graph_network_see_the_same_feature(tmp_path):
    """Their networks differ in what is read from the latent feature, in nothing before it."""
    batch = model_cases.batch(2)
    graph, estimator = create_estimator("ge_gcn", **model_cases.SMALL).eval(), create().eval()
    estimator.hourglass.load_state_dict(graph.hourglass.state_dict())
    estimator.encoder.load_state_dict(graph.encoder.state_dict())
    with torch.no_grad():
        latents = []
        for one in (graph, estimator):
            maps, *rest = one.hourglass(batch.rgb - 0.5)
            latents.append(one.encoder(maps[:, -1], *rest))
    assert torch.equal(*latents) and latents[0].shape == (2, 16 * model_cases.SMALL["width"])


def test_crops_of_another_size_are_refused():
    batch = dataclasses.replace(model_cases.batch(1), rgb=torch.rand(1, 3, 32, 32))
    with pytest.raises(InputError, match="ge_joints: crops of 32 px, the estimator is made for 64"):
        create()(batch)
