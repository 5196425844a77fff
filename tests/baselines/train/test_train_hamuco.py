"""HaMuCo through the loop: 2D labels are all it learns from, its turns go on after a kill, one run scores thrice."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from standing_in import Memory

from baselines.config import Augment, Config, Data, Stage, Training, as_table, complete
from baselines.evaluate.predict import predict
from baselines.train import keeper
from baselines.train.loop import train
from baselines.train.run_folder import load_run
from rigging.errors import InputError

PARTS = ("single", "graph", "interaction", "regression")
FIRST = {"single_2d": 1.0, "interact_2d": 1.0, "single_prior": 1.0, "interact_prior": 1.0}
SECOND = FIRST | {"consistency_2d": 1.0, "consistency_fused": 1.0, "distillation": 1.0}
MODEL = {"single": {"size": 32, "width": 2, "skinning": "linear"}, "embedding": 2, "maps": 1}
STAGES = (Stage("views", PARTS, FIRST, 1, 1e-3), Stage("together", PARTS, SECOND, 1, 1e-3))
DATA, AUGMENT = Data(size=32, batch=4, views=2, workers=0), Augment(rotate=30, scale=0.1)
TABLE = as_table(Config("hamuco", STAGES, MODEL | {"masks": True}, DATA, AUGMENT, Training(save_seconds=0)))
CONFIG = complete(TABLE, "hamuco")
BLIND = ("joints_cam", "joint_visible")
STEPS = 3  # of an epoch: 6 samples, two at a time


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a run on data that have no 3D labels."""
    return train(CONFIG, Memory(size=32, without=BLIND), tmp_path_factory.mktemp("hamuco") / "run", device="cpu")


def test_it_trains_on_pictures_cameras_and_2d_labels_alone(whole):
    rows = [json.loads(line) for line in (whole / "log.jsonl").read_text().splitlines()]
    assert set(SECOND) <= set(rows[-1]) and all(row["loss"] < float("inf") for row in rows)
    assert int(load_run(whole)[0].interaction.steps) == 2 * STEPS


def test_after_a_kill_terms_go_on_with_their_turn(whole, tmp_path, monkeypatch):
    save, left = keeper.save_state, [STEPS + 1]  # in the middle of the second stage

    def killed(*arguments: object) -> None:
        save(*arguments)
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    monkeypatch.setattr(keeper, "save_state", killed)
    with pytest.raises(KeyboardInterrupt):
        train(CONFIG, Memory(size=32, without=BLIND), tmp_path / "run", device="cpu")
    monkeypatch.setattr(keeper, "save_state", save)
    train(CONFIG, Memory(size=32, without=BLIND), tmp_path / "run", device="cpu", resume=True)
    assert (tmp_path / "run/weights.safetensors").read_bytes() == (whole / "weights.safetensors").read_bytes()


def test_one_run_is_scored_as_single_interact_and_fusion(whole):
    joints = []
    for who in ("single", "interact", "fused"):
        estimator, config = load_run(whole, [f"model.scored={who}"])
        assert config.model["scored"] == who
        joints.append(predict(estimator, Memory(size=32), config, "cpu").joints_cam)
    assert all(abs(one - other).max() > 1e-4 for one, other in pairwise(joints))


def test_what_weights_hang_on_cannot_be_changed_afterwards(whole):
    with pytest.raises(InputError, match=r"weights of another estimator or settings: "):
        load_run(whole, ["model.attention=false"])
    with pytest.raises(InputError, match=r"with --set model\.scored=best: .*'fused'"):
        load_run(whole, ["model.scored=best"])
