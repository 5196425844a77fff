"""Silhouettes of predicted meshes against masks: a square by hand, what is not known, and a whole prediction."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))

import model_cases

from baselines.batch import Pose
from baselines.evaluate import masks
from baselines.evaluate.masks import overlap, silhouettes
from baselines.evaluate.predict import _predictions
from baselines.evaluate.score import scored
from baselines.metrics import mask_iou


def test_the_labels_own_mesh_fills_the_mask_and_a_moved_one_less():
    batch = model_cases.batch(2)
    assert overlap(batch.vertices_cam, batch).tolist() == [1, 1]
    moved = batch.vertices_cam + torch.tensor([0.02, 0, 0])
    both = (silhouettes(one, batch.K, batch.size).numpy() for one in (moved, batch.vertices_cam))
    assert overlap(moved, batch) == pytest.approx(mask_iou(*both)) and (overlap(moved, batch) < 0.9).all()


def test_a_square_by_hand(monkeypatch):
    """A square of 4 x 4 px beside one of 4 x 4 px that shares half of it: 8 of 24 px are common."""
    monkeypatch.setattr(masks, "_faces", lambda: torch.tensor([[0, 1, 2], [0, 2, 3]]))
    batch = model_cases.batch(1)
    K = torch.tensor([[[10.0, 0, 0], [0, 10, 0], [0, 0, 1]]])
    corners = torch.tensor([[[0.2, 0.2, 1], [0.6, 0.2, 1], [0.6, 0.6, 1], [0.2, 0.6, 1]]])  # 2 to 6 px
    mask = torch.zeros_like(batch.mask)
    mask[0, 2:6, 4:8] = True
    assert overlap(corners, dataclasses.replace(batch, K=K, mask=mask)) == pytest.approx(8 / 24)


def test_what_is_behind_the_camera_covers_nothing():
    batch = model_cases.batch(1)
    assert overlap(batch.vertices_cam * torch.tensor([1, 1, -1]), batch).tolist() == [0]


def test_a_crop_without_a_mask_does_not_count_and_meshes_without_any_say_nothing():
    batch = model_cases.batch(2)
    batch.mask[0] = False
    found = overlap(batch.vertices_cam, batch)
    assert np.isnan(found[0]) and found[1] == 1
    assert overlap(batch.vertices_cam, dataclasses.replace(batch, mask=None)) is None
    assert overlap(None, batch) is None


def test_scores_tell_both_overlaps():
    batch = dataclasses.replace(model_cases.batch(2), view=torch.zeros(2, dtype=torch.int64))
    exact = Pose(batch.joints_cam, vertices_cam=batch.vertices_cam)
    off = Pose(batch.joints_cam, vertices_cam=batch.vertices_cam + 0.01)
    table = scored(_predictions(batch, off, exact, True)).table()
    assert table["mask_oracle"]["iou"] == 1 and 0.3 < table["mask"]["iou"] < 0.99
    assert table["mask"]["iou"] == pytest.approx(overlap(off.vertices_cam, batch).mean())
    assert table["projected"]["epe"] == pytest.approx(0, abs=1e-3)
    assert "mask" not in scored(_predictions(batch, off, exact, False)).table()
