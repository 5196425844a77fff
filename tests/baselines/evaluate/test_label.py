"""Labels by what was trained before: true to the picture, as sure as views agree, never of hands it learnt from."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from standing_in import Memory, StandingIn, a_config

from baselines.batch import Pose
from baselines.config import Stage, as_table, to_toml
from baselines.data import opening as opening_module
from baselines.data.label_file import Labels, load_labels
from baselines.data.labels import PseudoLabelled
from baselines.evaluate.label import agreement, check_apart, estimated_labels, labels_of
from baselines.geometry.camera import project
from baselines.registry import create_estimator
from baselines.train.loop import train
from rigging.command_line import main
from rigging.errors import InputError

BLIND = (Stage("only", ("eye", "head"), {"size": 1.0}, 1, 1e-2),)  # looks at no label


class Knowing(StandingIn):
    """Finds every joint where it is, by looking it up, and is as sure as the view's number says."""

    data = Memory()

    def forward(self, batch, wanted=None, precomputed=None):
        true = [self.data.read(int(s) - 100)["joints_cam"][v] for s, v in zip(batch.sample, batch.view)]
        return {"joints": torch.from_numpy(np.stack(true))}

    def pose(self, output, batch, oracle=False):
        sure = (batch.view / 4).float()[:, None].expand(-1, 21)
        return Pose(output["joints"], project(output["joints"], batch.K), sure)


class Fusing(Knowing):
    """Fuses to the truth; the first view's own is a bone's length off, the others' are not."""

    multi_view = True

    def forward(self, batch, wanted=None, precomputed=None):
        fused = super().forward(batch)["joints"]
        bone = (fused[:, 10] - fused[:, 9]).norm(dim=-1)
        off = torch.where(batch.view == 0, bone, 0)[:, None, None] * torch.tensor([0.0, 0.6, 0.8])
        return {"joints": fused, "fused_joints": fused, "interact_joints": fused + off}

    def pose(self, output, batch, oracle=False):
        return Pose(output["fused_joints"])


def a_config_of():
    return create_estimator("standing_in").config


def truth(data: Memory) -> np.ndarray:
    return np.stack([data.read(sample)["joints_2d"] for sample in range(data.samples)])


def around(data: Memory) -> PseudoLabelled:
    """The data with labels a few pixels off, about which crops then lie."""
    off = truth(data) + np.random.default_rng(0).normal(0, 2, (data.samples, data.views, 21, 2))
    return PseudoLabelled(data, Labels(data.numbers, off.astype(np.float32), np.ones(off.shape[:3], np.float32)))


@pytest.mark.parametrize("batch", [1, 5, 12])
@pytest.mark.parametrize("source", [lambda data: data, around])
def test_what_is_found_in_crops_is_where_it_is_in_the_pictures(batch, source):
    data = Memory()
    found, sure = estimated_labels(Knowing(a_config_of()), source(data), a_config(), device="cpu", batch=batch)
    np.testing.assert_allclose(found, truth(data), atol=1e-3)
    np.testing.assert_allclose(sure, np.broadcast_to([[[0.0], [0.25]]], sure.shape))
    assert found.dtype == sure.dtype == np.float32


def test_a_fused_hand_is_projected_into_every_view_as_sure_as_views_agree():
    data = Memory()
    found, sure = estimated_labels(Fusing(a_config_of()), around(data), a_config(), device="cpu")
    np.testing.assert_allclose(found, truth(data), atol=1e-3)
    np.testing.assert_allclose(sure, 1 / (1 + (0.5 / 0.3) ** 2), rtol=1e-4)


def test_agreement_is_of_the_sample_s_own_views_joint_by_joint():
    fused = torch.zeros(4, 21, 3)
    fused[:, 10, 0] = 5.0  # the middle finger's first bone, in any unit
    own = fused.clone()
    own[1, 5, 2] += 3.0  # of the first sample's two views one, by 0.6 bones: a mean of 0.3
    sure = agreement(own, fused, 2)
    np.testing.assert_allclose(sure[:2, 5], 0.5, rtol=1e-6)
    sure[:2, 5] = 1
    assert (sure == 1).all()


def test_a_hand_behind_the_camera_has_no_label():
    data = Memory(samples=1)
    estimator = Fusing(a_config_of())
    estimator.pose = lambda output, batch: Pose(-output["fused_joints"])
    found, sure = estimated_labels(estimator, data, a_config(), device="cpu")
    assert (found == 0).all() and (sure == 0).all()


def test_what_an_estimator_does_not_say_cannot_be_taken():
    seen = (Pose(torch.zeros(2, 21, 3)), {}, None, torch.eye(3).expand(2, 3, 3))
    with pytest.raises(InputError, match="--take 2d: this estimator does not say where"):
        labels_of(*seen, "")
    with pytest.raises(InputError, match="--take 3d: this estimator does not fuse"):
        labels_of(*seen, "3d")


@pytest.fixture
def run(tmp_path):
    """A run on the true labels of all six samples, of subjects 0 to 2."""
    return train(a_config(), Memory(), tmp_path / "run", device="cpu")


def others() -> Memory:
    data = Memory()
    data.subjects = data.subjects + 3
    return data


def test_hands_that_were_learnt_from_are_refused(run):
    with pytest.raises(InputError, match=r"run: it was trained on 3 of the subjects to be labelled \(subject 0\)"):
        check_apart(run, Memory())
    with pytest.raises(InputError, match="3 of the subjects"):
        check_apart(run / "weights.safetensors", Memory())
    assert check_apart(run, others())["data"][0]["subjects"] == [0, 1, 2]


def test_another_release_has_other_hands(run):
    elsewhere = Memory()
    elsewhere.name = "another"
    check_apart(run, elsewhere)
    about = json.loads((run / "run.json").read_text())
    about["data"][0]["configuration_hash"] = elsewhere.configuration_hash = "abc"  # the same one, moved
    (run / "run.json").write_text(json.dumps(about))
    with pytest.raises(InputError, match="3 of the subjects"):
        check_apart(run, elsewhere)


def test_what_a_run_began_from_counts(run, tmp_path):
    later = train(a_config(), others(), tmp_path / "later", init=run, device="cpu")
    with pytest.raises(InputError, match="run: it was trained on 3 of the subjects"):
        check_apart(later, Memory())


def test_who_learnt_from_pseudo_labels_may_label_the_same_hands_again(tmp_path):
    run = train(a_config(BLIND), around(Memory()), tmp_path / "run", device="cpu")
    assert check_apart(run, Memory())["data"][0]["labels"] == {}


def test_a_run_that_does_not_say_what_it_learnt_from_is_refused(run):
    about = json.loads((run / "run.json").read_text())
    del about["data"][0]["subjects"]
    (run / "run.json").write_text(json.dumps(about))
    with pytest.raises(InputError, match="does not say which subjects it was trained on; train it anew"):
        check_apart(run, Memory())
    (run / "run.json").unlink()
    with pytest.raises(InputError, match=r"no run\.json in it"):
        check_apart(run, Memory())


def command(*words: object) -> int:
    return main([*map(str, words), "--threads", "1", "--device", "cpu"], ("baselines",))


def opened(path, split="", fields=()):
    return Memory(without=set() if "rgb" in fields else {"rgb"})


@pytest.fixture
def data(monkeypatch):
    monkeypatch.setattr(opening_module, "open_source", opened)


def test_from_noise_to_a_run_that_says_by_which_labels(data, tmp_path, capsys):
    path, preset = tmp_path / "noise.npz", tmp_path / "blind.toml"
    preset.write_text(to_toml(as_table(a_config(BLIND))))
    assert command("label", "DATA", "--noise", "--seed", 4, "--true-view", 1, "--out", path) == 0
    assert f"{path}: labels of 6 samples, 2 views each; off by " in capsys.readouterr().out
    labels = load_labels(path)
    np.testing.assert_array_equal(labels.joints_2d[:, 1], truth(Memory())[:, 1])
    assert (labels.about["kind"], labels.about["seed"], labels.about["true_view"]) == ("noise", 4, 1)
    assert command("train", "DATA", "--preset", preset, "--labels", path, "--out", tmp_path / "run") == 0
    told = json.loads((tmp_path / "run" / "run.json").read_text())["data"][0]["labels"]
    assert told == labels.about


def test_a_run_does_not_go_on_with_other_labels(data, tmp_path, monkeypatch, capsys):
    path, preset = tmp_path / "noise.npz", tmp_path / "blind.toml"
    preset.write_text(to_toml(as_table(a_config(BLIND))))
    words = ("train", "DATA", "--preset", preset, "--labels", path, "--out", tmp_path / "run", "--resume")
    command("label", "DATA", "--noise", "--out", path)
    with monkeypatch.context() as interrupted:
        interrupted.setattr("baselines.train.loop._train_stage", Interrupted.now)
        assert command(*words) == 130
    before = path.read_bytes()
    command("label", "DATA", "--noise", "--seed", 1, "--out", path)
    assert command(*words) == 2
    assert f"--resume {tmp_path / 'run'}: that run learns from other labels: {path}" in capsys.readouterr().err
    path.write_bytes(before)
    assert command(*words) == 0


class Interrupted:
    """Ctrl-C."""

    @staticmethod
    def now(*_):
        raise KeyboardInterrupt


def test_a_trained_run_s_labels_say_which_weights_made_them(data, run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("baselines.train.run_folder.create_estimator", lambda *_, **__: Knowing(a_config_of()))
    path, noise = tmp_path / "found.npz", tmp_path / "noise.npz"
    words = ("label", "DATA", "--checkpoint", run, "--out", path)
    assert command(*words) == 2 and "3 of the subjects to be labelled" in capsys.readouterr().err
    assert not path.exists()
    monkeypatch.setattr(opening_module, "open_source", lambda *_, **__: others())
    command("label", "DATA", "--noise", "--out", noise)
    assert command(*words, "--labels", noise) == 0
    labels = load_labels(path)
    np.testing.assert_allclose(labels.joints_2d, truth(Memory()), atol=1e-3)
    assert labels.about["crops_about"] == str(noise) and len(labels.about["weights_sha256"]) == 64


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--out", "x.npz"], "one of the arguments --noise --checkpoint is required"),
        (["--noise", "--out", "x.txt"], "--out x.txt: a file FILE.npz is wanted"),
        (["--noise", "--out", "nowhere/x.npz"], "--out nowhere/x.npz: there is no folder nowhere"),
        (["--noise", "--out", "x.npz", "--take", "3d"], "--take: goes with --checkpoint, not with --noise"),
        (["--noise", "--out", "x.npz", "--labels", "y"], "--labels: goes with --checkpoint, not with --noise"),
        (["--noise", "--out", "x.npz", "--seed", "-1"], "--seed -1: 0 or more is wanted"),
        (["--noise", "--out", "x.npz", "--true-view", "2"], "--true-view 2: memory has the views 0 to 1"),
        (["--checkpoint", "none", "--out", "x.npz"], "none: no run.json in it"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_written(words, line, data, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert command("label", "DATA", *words) == 2
    told = [one for one in capsys.readouterr().err.splitlines() if "samples/s" not in one]
    assert len(told) == 1 and line in told[0]
    assert list(tmp_path.iterdir()) == []


def test_without_labels_of_its_own_training_needs_a_loss_that_labels_give(data, tmp_path, capsys):
    path, preset = tmp_path / "noise.npz", tmp_path / "seeing.toml"
    preset.write_text(to_toml(as_table(a_config())))
    command("label", "DATA", "--noise", "--out", path)
    assert command("train", "DATA", "--preset", preset, "--labels", path, "--out", tmp_path / "run") == 2
    assert "no loss 'pose' can be had, only size (the data have no joints_cam)" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_out_of_memory_says_what_to_do(monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(Knowing, "forward", full)
    with pytest.raises(InputError, match=r"^out of memory with 4 crops at a time; --batch sets fewer$"):
        estimated_labels(Knowing(a_config_of()), Memory(), a_config(), device="cpu")
