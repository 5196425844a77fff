"""The loop: stages one after the other, each changing its own parts alone, reproducibly, with all that is kept."""

from __future__ import annotations

import dataclasses
import errno
import itertools
import json
import math

import pytest
import torch
from standing_in import STAGES, Memory, StandingIn, a_config

from baselines.config import Augment, Stage, load_config
from baselines.train import checkpoint, loop
from baselines.train.faults import Diverged
from baselines.train.loop import train
from baselines.train.run_folder import RunFolder, load_run
from rigging.errors import InputError


def weights(path) -> dict[str, torch.Tensor]:
    return checkpoint.read(RunFolder(path).weights, "mvhm-weights")[0]


def same(first: dict, second: dict) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_a_run_leaves_weights_settings_and_a_log(tmp_path):
    config = a_config(ema=0.9)
    path = train(config, Memory(), tmp_path / "run", device="cpu")
    estimator, read = load_run(path)
    assert read == config == load_config(path / "config.toml")
    assert not estimator.training and same(estimator.state_dict(), weights(path))
    lines = [json.loads(line) for line in (path / "log.jsonl").read_text().splitlines()]
    assert [(line["stage"], line["epoch"]) for line in lines] == [
        ("first", 0),
        ("first", 1),
        ("second", 0),
        ("second", 1),
    ]
    assert all(line["images_per_second"] > 0 and 0 <= line["waiting"] <= 1 for line in lines)
    assert lines[2]["loss"] == pytest.approx(lines[2]["pose"] + 0.1 * lines[2]["size"], rel=1e-5)
    about = json.loads((path / "run.json").read_text())
    assert about["estimator"] == "standing_in" and about["data"][0]["samples"] == 6 and about["threads"] >= 1
    assert not RunFolder(path).state.exists() and any((path / "tensorboard").iterdir())


def test_the_same_seed_gives_the_same_weights_and_another_does_not(tmp_path):
    augment = Augment(rotate=20, scale=0.1, colour=0.2, noise=0.02, erase=0.5)
    runs = [
        train(a_config(augment=augment, seed=seed), Memory(), tmp_path / str(i)) for i, seed in enumerate((3, 3, 4))
    ]
    assert same(weights(runs[0]), weights(runs[1]))
    assert not same(weights(runs[0]), weights(runs[2]))


def test_torchs_own_generator_is_left_as_it_was(tmp_path):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    train(a_config(), Memory(), tmp_path / "run")
    assert torch.equal(before, torch.get_rng_state())


def test_frozen_parts_do_not_change_and_learning_ones_do(tmp_path):
    both = weights(train(a_config(), Memory(), tmp_path / "both"))
    first = weights(train(a_config(STAGES[:1]), Memory(), tmp_path / "first"))
    changed = {name for name in both if not torch.equal(both[name], first[name])}
    assert changed == {"head.1.weight", "head.1.bias"}  # not the eye: neither weights nor what its norm has counted


def test_losses_fall(tmp_path):
    stage = dataclasses.replace(STAGES[0], learns=("eye", "head"), epochs=30)
    path = train(a_config((stage,), model={"dropout": 0.0}), Memory(), tmp_path / "run")
    losses = [json.loads(line)["loss"] for line in (path / "log.jsonl").read_text().splitlines()]
    assert losses[-1] < 0.2 * losses[0]


def test_the_average_is_what_is_kept_and_lags_behind(tmp_path, monkeypatch):
    stage = Stage("one", ("eye", "head"), {"pose": 1.0}, 1, 1e-2, schedule="constant")
    averaged = weights(train(a_config((stage,), ema=0.999), Memory(), tmp_path / "averaged"))["head.1.weight"]
    seen, step = [], loop.take_step

    def spy(run, *arguments):
        live = run.estimator.head[1].weight
        seen[:] = seen or [live.detach().clone()]
        answer = step(run, *arguments)
        seen.append(live.detach().clone())
        return answer

    monkeypatch.setattr(loop, "take_step", spy)
    train(a_config((stage,)), Memory(), tmp_path / "plain")
    mean = seen[0]
    for number, present in enumerate(seen[1:]):
        decay = min(0.999, (1 + number) / (10 + number))
        mean = decay * mean + (1 - decay) * present
    torch.testing.assert_close(averaged, mean)
    assert len(seen) == 4 and not torch.equal(mean, seen[-1])


def test_bf16_is_for_networks_and_neither_for_losses_nor_for_weights(tmp_path, monkeypatch):
    kinds, losses, forward = [], StandingIn.losses, StandingIn.forward

    def seeing_losses(self, output, batch):
        kinds.append(("loss", output["joints"].dtype))
        return losses(self, output, batch)

    def seeing_forward(self, *arguments, **more):
        output = forward(self, *arguments, **more)
        kinds.append(("network", output["joints"].dtype))
        return output

    monkeypatch.setattr(StandingIn, "losses", seeing_losses)
    monkeypatch.setattr(StandingIn, "forward", seeing_forward)
    rough = weights(train(a_config(precision="bf16"), Memory(), tmp_path / "rough"))
    assert set(kinds) == {("network", torch.bfloat16), ("loss", torch.float32)}
    assert {one.dtype for one in rough.values() if one.is_floating_point()} == {torch.float32}


def test_a_cached_stage_learns_what_an_uncached_one_does_without_augmentation(tmp_path):
    plain = Stage("head", ("head",), {"pose": 1.0}, 3, 1e-2)
    model = {"dropout": 0.0}
    slow = weights(train(a_config((plain,), batch=4, model=model), Memory(), tmp_path / "slow"))
    cached = dataclasses.replace(plain, cached=True)
    fast = weights(train(a_config((cached,), batch=4, model=model), Memory(), tmp_path / "fast"))
    for name in slow:
        torch.testing.assert_close(fast[name], slow[name], rtol=1e-4, atol=1e-6)


def test_clipping_bounds_what_a_step_does(tmp_path):
    stage = Stage("one", ("eye", "head"), {"pose": 1e4}, 1, 1e-3, optimiser="rmsprop", schedule="constant")
    path = train(a_config((stage,), clip=1e-12), Memory(), tmp_path / "run")
    line = json.loads((path / "log.jsonl").read_text().splitlines()[-1])
    assert line["gradient_norm"] > 1.0  # what was logged is before clipping
    free = weights(train(a_config((stage,), clip=0.0), Memory(), tmp_path / "free"))["head.1.bias"]
    assert weights(path)["head.1.bias"].sub(free).abs().max() > 1e-4


# ---- what goes wrong


def test_a_loss_that_is_no_number_stops_the_run_says_where_and_keeps_the_state_before(tmp_path):
    config = a_config(model={"bad": 103}, save_seconds=0.0)
    with pytest.raises(Diverged, match=r"stage 'first', epoch 0, step \d: pose = nan, .* from samples .*103") as caught:
        train(config, Memory(), tmp_path / "run")
    assert "\n" not in str(caught.value) and str(tmp_path / "run") in str(caught.value)
    kept = checkpoint.load_state(tmp_path / "run" / "state.safetensors", "standing_in")
    assert all(tensor.isfinite().all() for tensor in kept.tensors.values())
    assert not (tmp_path / "run" / "weights.safetensors").exists()


def test_a_full_disk_leaves_the_state_before(tmp_path, monkeypatch):
    calls = []
    write = checkpoint.write_atomic

    def filling(path, data):
        calls.append(path)
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write(path, data)

    monkeypatch.setattr(checkpoint, "write_atomic", filling)
    with pytest.raises(OSError, match="No space left"):
        train(a_config(save_seconds=0.0), Memory(), tmp_path / "run")
    monkeypatch.undo()
    assert checkpoint.load_state(calls[0], "standing_in").position.step == 1
    resumed = weights(train(a_config(save_seconds=0.0), Memory(), tmp_path / "run", resume=True))
    assert same(resumed, weights(train(a_config(), Memory(), tmp_path / "other")))


def test_out_of_memory_says_what_fits(tmp_path):
    with pytest.raises(
        InputError, match=r"stage 'first': out of memory with a batch of 12; 3 fit: --set data\.batch=3$"
    ):
        train(a_config(batch=12, model={"most": 5}), Memory(), tmp_path / "run")


def test_out_of_memory_with_a_single_crop_is_said_too(tmp_path, monkeypatch):
    def never(self, batch, wanted=None, precomputed=None):
        if self.training_any():
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return {"joints": torch.zeros(len(batch), 21, 3)}

    monkeypatch.setattr(StandingIn, "forward", never)
    with pytest.raises(InputError, match=r"out of memory with a batch of 4, and with a single sample"):
        train(a_config(), Memory(), tmp_path / "run")


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        (Stage("a", ("ey",), {"pose": 1.0}, 1, 1e-3), r"stage 'a': there is no part 'ey'; did you mean 'eye'\?"),
        (Stage("a", ("eye",), {"mesh": 1.0}, 1, 1e-3), r"stage 'a': no loss 'mesh' can be had, only pose, size"),
    ],
)
def test_parts_and_losses_are_checked_before_anything_is_written(stage, message, tmp_path):
    with pytest.raises(InputError, match=message):
        train(a_config((STAGES[0], stage)), Memory(), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_data_without_a_field_that_is_needed(tmp_path):
    with pytest.raises(
        InputError, match=r"stage 'first': no loss 'pose' can be had, only size \(the data have no joints_cam"
    ):
        train(a_config(), Memory(without=["joints_cam"]), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_stage_of_no_epochs_is_passed_over_whatever_it_names(tmp_path):
    none = Stage("none", ("eye",), {"mesh": 1.0}, 0, 1e-3, cached=True)
    first, second = (
        train(a_config(stages), Memory(), tmp_path / str(len(stages))) for stages in (STAGES, (*STAGES, none))
    )
    assert same(weights(first), weights(second))


def test_two_sources_are_mixed(tmp_path):
    real, made = Memory(samples=4), Memory(samples=8)
    path = train(a_config(batch=4), [(real, 0.5), (made, 0.5)], tmp_path / "run")
    told = json.loads((path / "run.json").read_text())["data"]
    assert [(one["samples"], one["weight"]) for one in told] == [(4, 0.5), (8, 0.5)]


def test_a_gpu_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match=r"--device cuda: no such GPU, PyTorch .* sees none here"):
        train(a_config(), Memory(), tmp_path / "run", device="cuda")
    with pytest.raises(InputError, match="--device gpu: cpu, cuda or cuda:N is wanted"):
        train(a_config(), Memory(), tmp_path / "run", device="gpu")
    assert not (tmp_path / "run").exists()


def test_a_folder_that_is_in_use_is_left_alone(tmp_path):
    path = train(a_config(), Memory(), tmp_path / "run")
    before = {one: one.read_bytes() for one in path.iterdir() if one.is_file()}
    with pytest.raises(InputError, match="holds a run that is finished"):
        train(a_config(), Memory(), path)
    with pytest.raises(InputError, match=r"other settings: train\.seed = 0 there, 7 asked for"):
        train(a_config(seed=7), Memory(), path, resume=True)
    assert train(a_config(save_seconds=9.0), Memory(), path, resume=True) == path
    assert before == {one: one.read_bytes() for one in path.iterdir() if one.is_file()}
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").touch()
    with pytest.raises(InputError, match="is there already and no run"):
        train(a_config(), Memory(), tmp_path / "notes")


def test_rates_warm_up_and_fall():
    from baselines.train.optimise import learning_rate

    stage = Stage("a", ("eye",), {"pose": 1.0}, 1, 0.1, warmup=4)
    rates = [learning_rate(stage, step, 20) for step in range(20)]
    assert rates[:5] == pytest.approx([0.02, 0.04, 0.06, 0.08, 0.1])
    assert rates[12] == pytest.approx(0.05) and 0 < rates[-1] < 0.001
    assert all(a > b for a, b in itertools.pairwise(rates[4:]))
    flat = dataclasses.replace(stage, schedule="constant", warmup=0)
    assert {learning_rate(flat, step, 20) for step in range(20)} == {0.1}
    assert math.isfinite(learning_rate(dataclasses.replace(stage, warmup=30), 25, 20))
