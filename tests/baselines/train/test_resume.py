"""A training that was killed goes on to the weights of one that was not, in real processes; torchrun shares batches."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from standing_in import STAGES, Memory, a_config

from baselines.config import Augment, as_table, to_toml
from baselines.train import checkpoint
from baselines.train.loop import train
from baselines.train.run_folder import RunFolder

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = Path(__file__).with_name("standing_in.py")
AUGMENT = Augment(rotate=20, scale=0.1, colour=0.2, noise=0.02, erase=0.5)
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return checkpoint.read(RunFolder(folder).weights, "mvhm-weights")[0]


def same(first: dict, second: dict) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def run(out: Path, config, *words: str, before: tuple[str, ...] = (), **environment: str) -> subprocess.CompletedProcess:
    """`train` with the stand-in, in a process of its own."""
    file = out.with_suffix(".toml")
    file.write_text(to_toml(as_table(config)))
    command = [sys.executable, *before, str(SCRIPT), "train", "DATA", "--preset", str(file), "--out", str(out), *words]
    return subprocess.run(
        command, env=ENVIRONMENT | environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture(scope="module")
def steady(tmp_path_factory):
    """Settings that keep a state after every step, and the weights of an undisturbed run with them."""
    from standing_in import register

    register()
    config = a_config(augment=AUGMENT, ema=0.9, save_seconds=0.0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    path = train(config, Memory(), tmp_path_factory.mktemp("steady") / "run", device="cpu")
    torch.set_num_threads(threads)
    return config, path


@pytest.mark.parametrize("saves", [3, 8, 10], ids=["in the first stage", "at its end", "in the second stage"])
def test_killed_and_resumed_it_ends_with_the_same_weights(saves, steady, tmp_path):
    config, undisturbed = steady
    out = tmp_path / "run"
    killed = run(out, config, KILLED_AFTER=str(saves))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert RunFolder(out).state.exists() and not RunFolder(out).weights.exists()
    resumed = run(out, config, "--resume", "--device", "cpu")
    assert resumed.returncode == 0, resumed.stderr
    assert same(weights(out), weights(undisturbed))
    assert not list(out.glob(".*")) and not RunFolder(out).state.exists()
    logs = [[json.loads(line) for line in (one / "log.jsonl").read_text().splitlines()] for one in (out, undisturbed)]
    first, second = ([{k: v for k, v in line.items() if k not in ("images_per_second", "waiting")} for line in log] for log in logs)
    assert first == second  # no line is missing or there twice


def test_an_interrupted_command_says_how_to_go_on(steady, tmp_path):
    config, out = dataclasses.replace(steady[0], stages=(dataclasses.replace(STAGES[0], epochs=10**6),)), tmp_path / "run"
    file = tmp_path / "config.toml"
    file.write_text(to_toml(as_table(config)))
    command = [sys.executable, str(SCRIPT), "train", "DATA", "--preset", str(file), "--out", str(out)]
    process = subprocess.Popen(command, env=ENVIRONMENT, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        while not (out / "log.jsonl").exists() or not (out / "log.jsonl").stat().st_size:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=60)[1]
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130 and told.splitlines()[-1].startswith("interrupted: ") and "--resume" in told
    assert "Traceback" not in told and not list(out.glob(".*"))
    checkpoint.load_state(RunFolder(out).state, "standing_in")


def test_two_processes_learn_what_one_does(tmp_path):
    stages = (dataclasses.replace(STAGES[0], learns=("eye", "head")), STAGES[1])
    config = a_config(stages, batch=4, model={"norm": False, "dropout": 0.0}, ema=0.5)
    alone = weights(train(config, Memory(), tmp_path / "alone", device="cpu"))
    launcher = ("-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-addr", "127.0.0.1", "--master-port", "0")
    done = run(tmp_path / "two", config, "--device", "cpu", before=launcher, GLOO_SOCKET_IFNAME="lo")
    assert done.returncode == 0, done.stderr[-3000:]
    together = weights(tmp_path / "two")
    assert json.loads((tmp_path / "two" / "run.json").read_text())["processes"] == 2
    for name in alone:
        torch.testing.assert_close(together[name], alone[name], rtol=1e-3, atol=1e-4)
