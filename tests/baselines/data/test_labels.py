"""Pseudo labels: files of them, a source that shows nothing else, batches and crops that know how sure they are."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from stand_in_source import StandInSource

from baselines.batch import Batch
from baselines.config import Augment, Data
from baselines.data import crop
from baselines.data.batches import Batches
from baselines.data.label_file import Labels, identity, load_labels
from baselines.data.labels import PseudoLabelled, with_true_view
from baselines.data.mixture import MixedBatches
from baselines.data.source import require
from rigging.errors import InputError

SMALL = Data(size=16, batch=8, views=4, workers=0)


def labels_of(source: StandInSource, seed: int = 0) -> Labels:
    """Random joints for its samples, the last first."""
    rng = np.random.default_rng(seed)
    shape = (source.samples, source.views, 21)
    joints = rng.uniform(4, 20, (*shape, 2)).astype(np.float32)
    return Labels(source.numbers[::-1].copy(), joints, rng.random(shape, np.float32), {"data": identity(source)})


@pytest.fixture
def labelled() -> PseudoLabelled:
    return PseudoLabelled(StandInSource(), labels_of(StandInSource()))


def test_a_file_gives_back_what_was_written_and_says_its_hash(tmp_path):
    labels = labels_of(StandInSource())
    for name in ("a.npz", "b.npz"):
        labels.save(tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    again = load_labels(tmp_path / "a.npz")
    for name in ("sample", "joints_2d", "confidence"):
        np.testing.assert_array_equal(getattr(again, name), getattr(labels, name))
        assert getattr(again, name).dtype == getattr(labels, name).dtype
    assert again.about["data"] == identity(StandInSource()) and len(again.about["sha256"]) == 64


ABOUT = np.array(json.dumps({"format": "mvhm-labels", "version": 1}))
GOOD = {
    "sample": np.arange(2),
    "joints_2d": np.zeros((2, 3, 21, 2)),
    "confidence": np.zeros((2, 3, 21)),
    "about": ABOUT,
}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"sample": np.arange(3)}, r"shapes .* are wanted"),
        ({"sample": np.zeros(2, int)}, "a sample has labels twice"),
        ({"confidence": np.full((2, 3, 21), 1.1)}, "a confidence is not in 0 to 1"),
        ({"confidence": np.full((2, 3, 21), np.nan)}, "a confidence is not in 0 to 1"),
        ({"about": np.array("{}")}, "format None, version None"),
        ({"about": np.array("[]")}, "has no attribute"),
        ({"joints_2d": np.array("x")}, "could not convert"),
        ({"joints_2d": None}, "'joints_2d'"),
    ],
)
def test_files_of_something_else_are_refused(change, told, tmp_path):
    path = tmp_path / "odd.npz"
    np.savez(path, **{name: value for name, value in (GOOD | change).items() if value is not None})
    with pytest.raises(InputError, match=rf"odd\.npz: no labels that this mvhm reads \(.*{told}"):
        load_labels(path)


def test_damaged_and_missing_files_are_refused(tmp_path):
    path = tmp_path / "half.npz"
    labels_of(StandInSource()).save(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"half\.npz: no labels"):
        load_labels(path)
    with pytest.raises(FileNotFoundError, match="mvhm label"):
        load_labels(tmp_path / "none.npz")


def test_the_truth_cannot_be_seen(labelled):
    told = labelled.read(2)
    assert set(told) == labelled.fields == {"rgb", "K", "world_to_cam", "joints_2d", "label_confidence"}
    with pytest.raises(InputError, match="training needs joints_cam, which the data do not have"):
        require(labelled, ("joints_cam",))
    batch = next(Batches(labelled, SMALL, Augment(background=1, erase=1), multi_view=True).epoch(0, 0))
    there = {field.name for field in dataclasses.fields(Batch) if getattr(batch, field.name) is not None}
    assert there == {"rgb", "K", "world_to_cam", "sample", "subject", "views", "joints_2d", "joint_valid", "view",
                     "label_confidence"}  # fmt: skip


@pytest.mark.parametrize("views", [None, (2,), (3, 0)])
def test_labels_are_found_by_the_number_of_the_sample(labelled, views):
    given, chosen = labelled.labels, list(range(4) if views is None else views)
    for sample in range(6):
        told = labelled.read(sample, views)
        np.testing.assert_array_equal(told["joints_2d"], given.joints_2d[5 - sample, chosen])
        np.testing.assert_array_equal(told["label_confidence"], given.confidence[5 - sample, chosen])
        np.testing.assert_array_equal(told["rgb"], StandInSource().read(sample, views)["rgb"])


def test_labels_that_do_not_fit_are_refused():
    labels = labels_of(StandInSource())
    with pytest.raises(InputError, match=r"labels: no labels of 2 of 8 samples of stand-in, such as number 106"):
        PseudoLabelled(StandInSource(samples=8), labels)
    with pytest.raises(InputError, match="labels: labels of 4 views, stand-in has 3"):
        PseudoLabelled(StandInSource(views=3), labels)
    with pytest.raises(InputError, match=r"another data set than stand-in: its image_size is \[24, 32\]"):
        PseudoLabelled(StandInSource(size=(48, 64)), labels)
    known = StandInSource()
    known.configuration_hash = "1234"
    with pytest.raises(InputError, match="its configuration_hash is abcd"):
        PseudoLabelled(known, dataclasses.replace(labels, about={"data": {"configuration_hash": "abcd"}}))
    PseudoLabelled(known, labels)


def test_one_view_s_labels_can_be_the_true_ones():
    source, labels = StandInSource(), labels_of(StandInSource())
    weak = PseudoLabelled(source, with_true_view(labels, source, 1))
    for sample in range(6):
        told, before, true = weak.read(sample), labels.joints_2d[5 - sample], source.read(sample)["joints_2d"]
        np.testing.assert_array_equal(told["joints_2d"][1], true[1])
        assert (told["label_confidence"][1] == 1).all()
        np.testing.assert_array_equal(told["joints_2d"][[0, 2, 3]], before[[0, 2, 3]])
    assert weak.labels.about["true_view"] == 1
    with pytest.raises(InputError, match="--true-view 4: stand-in has the views 0 to 3"):
        with_true_view(labels, source, 4)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31), st.floats(0, 180))
def test_augmentation_moves_labels_with_the_pictures(seed, degrees):
    source = StandInSource()
    labelled = PseudoLabelled(source, labels_of(source))
    augment = Augment(rotate=degrees, scale=0.1, shift=0.05, colour=0.2)
    batch = next(Batches(labelled, SMALL, augment, seed, multi_view=True).epoch(0, 0))
    for row in range(len(batch)):
        told = labelled.read(int(batch.sample[row]) - 100, (int(batch.view[row]),))
        ray = np.linalg.inv(told["K"][0]) @ np.c_[told["joints_2d"][0], np.ones(21)].T  # in the camera's axes
        turn = batch.world_to_cam[row, :3, :3].double().numpy() @ told["world_to_cam"][0, :3, :3].T
        pixels = batch.K[row].double().numpy() @ turn @ ray
        np.testing.assert_allclose((pixels[:2] / pixels[2]).T, batch.joints_2d[row], atol=1e-3)
        np.testing.assert_array_equal(batch.label_confidence[row], told["label_confidence"][0])


def hand(**changes: tuple[tuple[float, float], float]) -> tuple[torch.Tensor, torch.Tensor]:
    """A fan of five fingers, all labels sure; `j4=((x, y), confidence)` puts joint 4 elsewhere."""
    angles = torch.linspace(-0.8, 0.8, 5).repeat_interleave(4)
    reach = torch.tensor([20.0, 30, 40, 50]).repeat(5)
    joints = torch.cat([torch.zeros(1, 2), torch.stack([reach * angles.sin(), -reach * angles.cos()], -1)]) + 60
    sure = torch.full((21,), 0.8)
    for name, (place, confidence) in changes.items():
        joints[int(name[1:])], sure[int(name[1:])] = torch.tensor(place), confidence
    return joints[None], sure[None]


@pytest.mark.parametrize(
    ("changes", "left_out"),
    [
        ({}, []),
        ({"j20": ((4.0, 200.0), 0.1)}, [20]),  # unsure
        ({"j20": ((600.0, 60.0), 0.99)}, [20]),  # confidently elsewhere
        ({"j20": ((600.0, 60.0), 0.99), "j4": ((-500.0, 0.0), 0.9)}, [4, 20]),
    ],
)
def test_crops_lie_about_labels_that_can_be_trusted(changes, left_out):
    (joints, sure), valid = hand(**changes), torch.ones(1, 21, dtype=torch.bool)
    found = crop.trusted(joints, valid, sure)
    assert torch.nonzero(~found)[:, 1].tolist() == left_out
    square = crop.squares(joints, found, 1.3)
    np.testing.assert_allclose(square.side, crop.squares(hand()[0], valid, 1.3).side, rtol=0.2)
    np.testing.assert_allclose(square.centre, crop.squares(hand()[0], valid, 1.3).centre, atol=10)


def test_where_no_label_is_sure_the_surest_say_where_the_hand_is():
    joints, sure = hand()
    valid = torch.ones(1, 21, dtype=torch.bool)
    valid[0, 3] = False
    assert crop.trusted(joints, valid, 0.05 * sure)[0].tolist() == valid[0].tolist()
    assert crop.trusted(joints, valid, 0 * sure)[0].tolist() == valid[0].tolist()


def test_mixed_with_true_labels_these_are_sure(labelled):
    batch = next(MixedBatches([labelled, StandInSource(seed=1)], (1, 1), SMALL, multi_view=True).epoch(0, 0))
    assert (batch.label_confidence[4:] == 1).all() and (batch.label_confidence[:4] < 1).any()
    plain = next(MixedBatches([StandInSource(), StandInSource(seed=1)], (1, 1), SMALL).epoch(0, 0))
    assert plain.label_confidence is None


def test_views_come_in_an_order_of_each_batch_s_own():
    data, source = dataclasses.replace(SMALL, shuffle_views=True), StandInSource()
    batches = list(Batches(source, data, seed=2, multi_view=True).epoch(0, 0))
    orders = [batch.view.reshape(2, 4).tolist() for batch in batches]
    assert all(first == second and sorted(first) == [0, 1, 2, 3] for first, second in orders)
    assert len({tuple(first) for first, _ in orders}) > 1
    again = list(Batches(source, data, seed=2, multi_view=True).epoch(0, 0, start_step=1))
    assert [batch.view.reshape(2, 4).tolist() for batch in again] == orders[1:]
    for batch in batches:
        rows = [source.read(int(s) - 100)["world_to_cam"][v] for s, v in zip(batch.sample, batch.view)]
        np.testing.assert_allclose(batch.world_to_cam, rows, atol=1e-6)
    assert next(Batches(source, data, multi_view=True).ordered()).view.tolist() == [0, 1, 2, 3] * 2
