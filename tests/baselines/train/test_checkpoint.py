"""Weights are read only into what they are of, and a user's own by name, as far as they fit."""

from __future__ import annotations

import json
import logging

import pytest
import torch
from safetensors.torch import save_file
from standing_in import Memory, StandingIn, a_config
from torch import nn

from baselines.config import Training
from baselines.registry import create_estimator
from baselines.train import checkpoint
from baselines.train.checkpoint import Position, load_state, read, restore, save_state, save_weights
from baselines.train.forward import place
from baselines.train.initial import initialise
from baselines.train.loop import train
from baselines.train.optimise import start_learning
from baselines.train.run_folder import RunFolder, load_run
from rigging.errors import InputError


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run that is finished; tests copy what they change."""
    from standing_in import register

    register()
    return train(a_config(), Memory(), tmp_path_factory.mktemp("finished") / "run", device="cpu")


@pytest.fixture
def run(finished, tmp_path):
    """A copy of its folder."""
    import shutil

    return shutil.copytree(finished, tmp_path / "run")


def test_a_run_is_loaded_by_its_folder_or_its_weights(run):
    first, _ = load_run(run)
    second, _ = load_run(run / "weights.safetensors")
    assert all(torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values()))


def test_weights_of_other_settings_are_refused(run):
    text = (run / "config.toml").read_text()
    (run / "config.toml").write_text(text.replace("width = 8", "width = 4"))
    with pytest.raises(
        InputError, match=r"weights of another estimator or settings: \S+ is \(.*8.*\), \(.*4.*\) is wanted"
    ):
        load_run(run)


def test_another_estimators_weights_are_refused(run):
    tensors, _ = read(run / "weights.safetensors", "mvhm-weights")
    told = {"format": "mvhm-weights", "version": 1, "estimator": "mvhm_sv"}
    save_file(tensors, run / "weights.safetensors", {"mvhm": json.dumps(told)})
    with pytest.raises(InputError, match=r"weights\.safetensors: is of the estimator 'mvhm_sv', not of 'standing_in'"):
        load_run(run)


def test_another_version_is_refused(run, monkeypatch):
    monkeypatch.setattr(checkpoint, "VERSION", 2)
    with pytest.raises(InputError, match=r"weights\.safetensors: is of version 1, this mvhm reads version 2"):
        load_run(run)
    monkeypatch.undo()
    about = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(about | {"version": 3}))
    with pytest.raises(InputError, match=r"run\.json: is of version 3, this mvhm reads version 1"):
        load_run(run)


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"x" * 100])
def test_damaged_weights_are_refused(damage, run):
    path = run / "weights.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=r"weights\.safetensors: damaged, or not safetensors"):
        load_run(run)


def test_what_is_no_finished_run_is_said(run, tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder of a run"):
        load_run(tmp_path)
    (run / "weights.safetensors").rename(run / "state.safetensors")
    with pytest.raises(InputError, match="this training has not ended"):
        load_run(run)
    with pytest.raises(InputError, match="its format is 'mvhm-weights', 'mvhm-state' is wanted"):
        train(a_config(), Memory(), run, resume=True)


def test_a_state_gives_everything_back(tmp_path):
    torch.manual_seed(0)
    config = a_config()
    made = []
    for _ in range(2):
        estimator = create_estimator("standing_in", **config.model).to(memory_format=torch.channels_last)
        made.append((estimator, start_learning(estimator, config.stages[0], 0.9)))
    (estimator, learning), (other, fresh) = made
    for _ in range(3):
        estimator.eye(torch.rand(4, 3, 16, 16)).sum().backward()
        learning.optimiser.step()
        learning.average.update()
    position = Position(1, 2, 3, 4)
    save_state(tmp_path / "state.safetensors", estimator, position, learning)
    state = load_state(tmp_path / "state.safetensors", "standing_in")
    other.load_state_dict(state.of("model"))
    restore(state, other, fresh)
    assert state.position == position and fresh.average.updates == 3
    for first, second in zip(learning.parameters, fresh.parameters):
        kept, given = learning.optimiser.state[first], fresh.optimiser.state[second]
        assert kept.keys() == given.keys() and kept
        assert all(torch.equal(kept[key], given[key]) and kept[key].stride() == given[key].stride() for key in kept)
    assert all(torch.equal(one, fresh.average.tensors[name]) for name, one in learning.average.tensors.items())


# ---- a user's own weights


def test_weights_are_taken_over_by_name_whatever_wraps_them(tmp_path, caplog):
    donor, taker = (create_estimator("standing_in") for _ in range(2))
    weights = {f"module.{name}": one for name, one in donor.eye.state_dict(prefix="eye.").items()}
    weights["module.head.1.weight"] = torch.zeros(3, 3)  # of another shape
    torch.save({"epoch": 3, "state_dict": weights}, tmp_path / "mine.pt")
    with caplog.at_level(logging.INFO):
        assert initialise(taker, tmp_path / "mine.pt") == 7
    assert all(torch.equal(a, b) for a, b in zip(taker.eye.state_dict().values(), donor.eye.state_dict().values()))
    assert "7 of its 8 tensors fit, of 9 in the estimator" in caplog.text
    assert "as drawn: head.1.weight, head.1.bias" in caplog.text


def test_weights_of_a_part_fit_the_estimator_that_has_it(tmp_path):
    class Both(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.single, self.other = StandingIn(StandingIn.Config()), torch.nn.Linear(2, 2)

    donor, taker = create_estimator("standing_in"), Both()
    save_weights(tmp_path / "weights.safetensors", donor)
    assert initialise(taker, tmp_path) == len(donor.state_dict())  # a folder of a run
    assert torch.equal(taker.single.head[1].weight, donor.head[1].weight)


def test_training_begins_from_them(finished, tmp_path):
    stage = a_config().stages[1]
    path = train(a_config((stage,)), Memory(), tmp_path / "run", init=finished, device="cpu")
    eyes = [read(RunFolder(one).weights, "mvhm-weights")[0]["eye.0.weight"] for one in (path, finished)]
    assert torch.equal(*eyes)  # the eye is frozen in that stage


def test_what_does_not_fit_or_cannot_be_read_is_said(tmp_path):
    taker = create_estimator("standing_in")
    save_file({"x": torch.zeros(2)}, tmp_path / "x.safetensors")
    with pytest.raises(InputError, match="of its 1 tensors none has a name and shape of this estimator's"):
        initialise(taker, tmp_path / "x.safetensors")
    (tmp_path / "y.pt").write_bytes(b"nonsense")
    with pytest.raises(InputError, match=r"y\.pt: no"):
        initialise(taker, tmp_path / "y.pt")
    torch.save(taker, tmp_path / "z.pt")  # a whole module, whose reading would run code
    with pytest.raises(InputError, match=r"z\.pt: no"):
        initialise(taker, tmp_path / "z.pt")
    with pytest.raises(FileNotFoundError):
        initialise(taker, tmp_path / "none.pt")


def test_weights_of_pictures_go_channels_last_and_those_of_volumes_stay():
    network = nn.ModuleList([nn.Conv2d(3, 4, 3), nn.Conv3d(2, 4, 3), nn.Linear(2, 2)])
    before = [one.clone() for one in network.parameters()]
    place(network, torch.device("cpu"), Training())
    assert network[0].weight.is_contiguous(memory_format=torch.channels_last) and network[1].weight.is_contiguous()
    assert all(torch.equal(one, two) for one, two in zip(before, network.parameters()))
