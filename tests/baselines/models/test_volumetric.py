"""The volumetric estimator: cubes about the hand, what views show in them, and means of what a network finds."""

from __future__ import annotations

import dataclasses

import model_cases
import pytest
import torch
from torch import Tensor, nn

from baselines import create_estimator
from baselines.batch import Batch
from baselines.geometry.camera import to_world
from baselines.layers.heatmap import gaussian_maps
from baselines.models.learnable_triangulation import LtVolumetric, view_weights


def create(**settings: object) -> LtVolumetric:
    """A small estimator in eval mode."""
    torch.manual_seed(0)
    return create_estimator("lt_vol", **model_cases.settings("lt_vol") | settings).eval()


def seeing(batch: Batch, **settings: object) -> tuple[LtVolumetric, dict[str, Tensor]]:
    """An estimator whose features are true heat-maps and whose network sharpens what it is given; what to give it."""
    estimator = create(features=21, side=0.3, resolution=24, levels=1, **settings)
    together = batch.views if estimator.config.aggregation == "sum" else 1
    estimator.features, estimator.volume = nn.Identity(), Sharpened(16 / together)
    said = {
        "upsampled": gaussian_maps(batch.joints_2d, batch.size, batch.size, 8.0),
        "confidence": torch.full((len(batch), 21), 0.5),
        "joints": batch.joints_cam,
    }
    return estimator, said


class Sharpened(nn.Module):
    """Nothing but a factor: (B, 21, r, r, r) to the same shape."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, volumes: Tensor) -> Tensor:
        return self.factor * volumes


@pytest.mark.parametrize("aggregation", ["sum", "softmax"])
@pytest.mark.parametrize("training", [False, True])
def test_true_features_give_the_true_joints_however_the_cube_is_turned(aggregation, training):
    batch = model_cases.batch(2, views=8)
    estimator, said = seeing(batch, aggregation=aggregation)
    estimator.volume.train(training)
    output = estimator(batch, precomputed=said)
    error = (output["volume_joints"] - batch.joints_cam).norm(dim=-1)
    assert error.mean() < 0.3 / 24 / 4, "a quarter of a voxel"
    torch.testing.assert_close(output["volumes"].sum(-1), torch.ones(2, 21))


def test_the_cube_is_about_the_median_joint_and_turned_while_training():
    batch, estimator = model_cases.batch(2, views=3), create()
    far = batch.joints_cam.clone()
    far[:, 7] += 5.0  # a joint that was triangulated badly
    true = to_world(batch.joints_cam[::3], batch.world_to_cam[::3])
    points = estimator.cubes(far, batch)
    assert (points.mean(1) - true.median(1).values).norm(dim=-1).max() < 0.02
    side = torch.full((2, 3), 0.32 * 7 / 8)  # between the centres of the outermost voxels
    torch.testing.assert_close(points.amax(1) - points.amin(1), side)
    estimator.volume.train()
    torch.manual_seed(5)
    turned = estimator.cubes(far, batch)
    torch.testing.assert_close(turned.mean(1), points.mean(1), atol=1e-6, rtol=0)
    assert (turned - points).norm(dim=-1).mean() > 0.02
    torch.manual_seed(5)
    torch.testing.assert_close(estimator.cubes(far, batch), turned, atol=0, rtol=0)


def test_views_are_brought_together_by_sum_confidence_or_softmax(monkeypatch):
    """At one voxel that three views show as 0.5, 2 and -1."""
    batch = model_cases.batch(1, views=3)
    shown = torch.tensor([0.5, 2.0, -1.0])
    confidence = torch.tensor([0.2, 0.6, 0.2])[:, None].expand(3, 21)
    monkeypatch.setattr("baselines.models.learnable_triangulation.seen_at", lambda *_: shown[:, None, None])
    share = shown.exp() / shown.exp().sum()
    expected = {"sum": 1.5, "softmax": (share * shown).sum(), "confidence": 0.2 * 0.5 + 0.6 * 2.0 - 0.2 + 1.5e-5}
    for name, value in expected.items():
        found = create(aggregation=name).fill(torch.zeros(3, 1, 2, 2), torch.zeros(1, 1, 3), confidence, batch)
        assert found.shape == (1, 1, 1) and found.item() == pytest.approx(float(value), rel=1e-5), name
    assert view_weights(confidence, batch).shape == (1, 3, 21)


def test_what_was_computed_before_gives_the_same_without_pictures():
    batch, estimator = model_cases.batch(2, views=3), create()
    with torch.no_grad():
        said = estimator.precompute(batch)
        assert all(len(one) == len(batch) for one in said.values())
        black = dataclasses.replace(batch, rgb=torch.zeros_like(batch.rgb))
        found, again = estimator(black, precomputed=said), estimator(batch)
    torch.testing.assert_close(found["volume_joints"], again["volume_joints"])
    assert "upsampled" in said and "upsampled" not in found


def test_a_few_steps_find_joints_that_the_algebra_gets_wrong():
    """Heat-maps that are all off the same way: triangulation cannot mend it, what is learned on the volume does."""
    batch, estimator = model_cases.batch(1, views=4), create(features=21, side=0.3, resolution=8, levels=1)
    estimator.features = nn.Identity()
    estimator.volume.train()
    shifted = batch.joints_2d + 4.0
    said = {
        "upsampled": gaussian_maps(shifted, batch.size, batch.size // 4, 1.0),
        "confidence": torch.full((len(batch), 21), 0.5),
        "joints": batch.joints_cam,
    }
    optimiser = torch.optim.Adam(estimator.volume.parameters(), 1e-2)
    losses = []
    for step in range(30):
        torch.manual_seed(step % 2)
        loss = estimator.losses(estimator(batch, precomputed=said), batch)
        total = loss["volume_joints"] + 0.01 * loss["volume"]
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        losses.append(total.item())
    assert losses[-1] < 0.6 * losses[0]
