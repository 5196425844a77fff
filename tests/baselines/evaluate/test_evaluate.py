"""What an estimator says of a data set is told in the order of its samples, beside the labels, and scored."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from standing_in import Memory, StandingIn, a_config

from baselines.data import opening as opening_module
from baselines.evaluate.predict import Predictions, each_batch, predict
from baselines.evaluate.score import scored, scores, table_text
from baselines.registry import create_estimator
from baselines.train.loop import train
from rigging.command_line import main
from rigging.errors import InputError


@pytest.fixture
def estimator():
    torch.manual_seed(2)
    return create_estimator("standing_in")


def test_predictions_come_in_order_with_their_labels(estimator):
    data = Memory(samples=5, views=2)
    told = predict(estimator, data, a_config(), "cpu", batch=4)
    assert len(told) == 10 and told.sample.tolist() == np.repeat(data.numbers, 2).tolist()
    assert told.view.tolist() == [0, 1] * 5 and told.subject.tolist() == np.repeat(data.subjects, 2).tolist()
    labels = np.concatenate([data.read(i)["joints_cam"] for i in range(5)])
    np.testing.assert_allclose(told.true_joints_cam, labels, atol=1e-6)
    projected = np.einsum("nij,nkj->nki", told.K, told.true_joints_cam)
    np.testing.assert_allclose(projected[..., :2] / projected[..., 2:], told.true_joints_2d, atol=1e-3)
    np.testing.assert_allclose(told.oracle_joints_cam[:, 0], told.true_joints_cam[:, 0], atol=1e-6)
    assert not np.allclose(told.joints_cam[:, 0], told.true_joints_cam[:, 0], atol=1e-3)
    assert told.joint_valid.all() and told.vertices_cam is None


def test_it_does_not_matter_how_many_crops_go_at_a_time(estimator):
    one, many = (predict(estimator, Memory(), a_config(), "cpu", batch=batch) for batch in (1, 12))
    np.testing.assert_allclose(one.joints_cam, many.joints_cam, atol=1e-6)


def test_nothing_is_learnt_or_dropped_while_predicting(estimator):
    before = {name: one.clone() for name, one in estimator.state_dict().items()}
    first, second = (predict(estimator.train(), Memory(), a_config(), "cpu") for _ in range(2))
    assert (first.joints_cam == second.joints_cam).all()
    assert all(torch.equal(before[name], one) for name, one in estimator.state_dict().items())


def test_predictions_are_kept_and_read_again(estimator, tmp_path):
    told = predict(estimator, Memory(), a_config(), "cpu")
    told.save(tmp_path / "told.npz")
    again = Predictions.load(tmp_path / "told.npz")
    assert again.views == told.views and again.joints_2d is None
    assert all((getattr(again, name) == one).all() for name, one in vars(told).items() if isinstance(one, np.ndarray))
    np.savez(tmp_path / "other.npz", x=1)
    with pytest.raises(InputError, match=r"other\.npz: these are no predictions"):
        Predictions.load(tmp_path / "other.npz")


def test_scores_are_those_of_the_errors(estimator):
    told = predict(estimator, Memory(), a_config(), "cpu")
    error = 1000 * np.linalg.norm(told.joints_cam - told.true_joints_cam, axis=-1)
    table = scores(told)
    assert table["absolute"]["epe"] == pytest.approx(error.mean(), rel=1e-6)
    oracle = 1000 * np.linalg.norm(told.oracle_joints_cam - told.true_joints_cam, axis=-1)
    assert table["mvhm"]["epe"] == pytest.approx(oracle.mean(), rel=1e-6)
    assert table["image"]["samples"] == 0 and table["mpvpe"]["samples"] == 0  # the stand-in says neither
    parts = scored(each_batch(estimator, Memory(), a_config(), "cpu", batch=3)).table()
    assert parts["absolute"]["epe"] == pytest.approx(table["absolute"]["epe"], rel=1e-6)
    text = table_text({"val": table})
    assert "| val   | absolute " in text and "image" not in text
    assert "- mvhm: joints in mm, absolute, own scale, root depth and scale of the labels" in text


def test_data_without_labels_cannot_be_scored(estimator):
    with pytest.raises(InputError, match="joints_cam"):
        predict(estimator, Memory(without=["joints_cam"]), a_config(), "cpu")


def test_out_of_memory_says_what_to_do(estimator, monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(StandingIn, "forward", full)
    with pytest.raises(InputError, match=r"^out of memory with 4 crops at a time; --batch sets fewer$"):
        predict(estimator, Memory(), a_config(), "cpu")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A trained stand-in, and a data set of two splits under any name."""

    def opened(path, split="", fields=()):
        data = Memory(samples=3 if split else 6)
        data.splits = np.array(["train", "val", "test_all"] * 2)
        return data

    monkeypatch.setattr(opening_module, "open_source", opened)
    return train(a_config(), Memory(), tmp_path / "run", device="cpu")


def test_the_command_scores_every_split_but_that_of_training(run, capsys):
    assert main(["evaluate", str(run), "DATA", "--threads", "1", "--device", "cpu", "--save"], ("baselines",)) == 0
    told = capsys.readouterr().out
    kept = json.loads((run / "evaluation" / "scores.json").read_text())
    assert set(kept["splits"]) == {"val", "test_all"} and kept["format"] == "mvhm-scores"
    assert f"{kept['splits']['val']['absolute']['epe']:.2f}" in told
    assert (run / "evaluation" / "scores.md").read_text() == told.rstrip("\n")
    curves = kept["curves"]["val"]
    assert curves["absolute"][int(20 / kept["curve_step"])] == pytest.approx(
        kept["splits"]["val"]["absolute"]["pck_20"], abs=1e-5
    )
    assert len(curves["projected"]) == 61 and "image" not in curves  # the stand-in finds none in the image
    assert (run / "evaluation" / "pck.png").read_bytes().startswith(b"\x89PNG")
    assert len(Predictions.load(run / "evaluation" / "val.npz")) == 6


def test_the_command_scores_what_it_is_told_to(run, tmp_path):
    words = ["evaluate", str(run / "weights.safetensors"), "DATA", "--split", "train", "--out", str(tmp_path / "told")]
    assert main([*words, "--threads", "1", "--device", "cpu"], ("baselines",)) == 0
    assert set(json.loads((tmp_path / "told" / "scores.json").read_text())["splits"]) == {"train"}


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["nowhere", "DATA"], "nowhere: no folder of a run"),
        (["RUN", "DATA", "--device", "cuda:99"], "--device cuda:99: no such GPU"),
    ],
)
def test_what_is_wrong_is_one_line(words, line, run, capsys):
    assert main(["evaluate", *(str(run) if word == "RUN" else word for word in words)], ("baselines",)) == 2
    told = capsys.readouterr().err
    assert line in told and told.count("\n") == 1
    assert not (run / "evaluation").exists()


def test_estimators_of_several_views_get_whole_samples(monkeypatch):
    seen = []
    forward = StandingIn.forward
    monkeypatch.setattr(StandingIn, "multi_view", True)
    monkeypatch.setattr(
        StandingIn,
        "forward",
        lambda self, batch, *a: seen.append((len(batch), batch.views)) or forward(self, batch, *a),
    )
    told = predict(create_estimator("standing_in"), Memory(samples=5, views=2), a_config(), "cpu", batch=5)
    assert told.views == 2 and seen == [(4, 2), (4, 2), (2, 2)]


def test_any_number_of_views_can_be_seen_together(run, monkeypatch):
    """Each camera is in as many groups as any other: 4 cameras by threes are 4 groups, 12 crops a sample."""
    monkeypatch.setattr(StandingIn, "multi_view", True)
    config, estimator = a_config(), create_estimator("standing_in")
    told = predict(estimator, Memory(samples=2, views=4), config, "cpu", views=3)
    assert told.views == 3 and len(told) == 24
    assert (
        np.bincount(told.view).tolist() == [6, 6, 6, 6]
        and told.sample.tolist() == [told.sample[0]] * 12 + [told.sample[12]] * 12
    )
    words = ["evaluate", str(run), "DATA", "--split", "val", "--views", "1", "--views", "2", "--save"]
    assert main([*words, "--threads", "1", "--device", "cpu"], ("baselines",)) == 0
    kept = json.loads((run / "evaluation" / "scores.json").read_text())["splits"]
    assert set(kept) == {"val-1-views", "val-2-views"}
    assert [Predictions.load(run / "evaluation" / f"val-{k}-views.npz").views for k in (1, 2)] == [1, 2]


def test_views_that_cannot_be_seen_together_are_one_line(estimator, monkeypatch):
    with pytest.raises(InputError, match=r"^--views 2: standing_in sees one view at a time$"):
        predict(estimator, Memory(views=4), a_config(), "cpu", views=2)
    monkeypatch.setattr(StandingIn, "multi_view", True)
    with pytest.raises(InputError, match=r"^--views 5: .* has 4$"):
        predict(estimator, Memory(views=4), a_config(), "cpu", views=5)
