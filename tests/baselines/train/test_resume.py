"""A training that was killed goes on to the weights of one that was not, in real processes; torchrun shares batches."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
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


def start(out: Path, config, *words: str, before: tuple[str, ...] = (), **environment: str) -> subprocess.Popen:
    """`train` with the stand-in, in a process of its own."""
    file = out.with_suffix(".toml")
    file.write_text(to_toml(as_table(config)))
    command = [sys.executable, *before, str(SCRIPT), "train", "DATA", "--preset", str(file), "--out", str(out)]
    command += ["--threads", "1", "--device", "cpu", *words]
    return subprocess.Popen(command, env=ENVIRONMENT | environment, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen, seconds: float = 120.0) -> tuple[int, str]:
    """Exit code and stderr of a process; one that takes too long is told to end, then killed."""
    try:
        told = process.communicate(timeout=seconds)[1]
    except subprocess.TimeoutExpired:
        process.terminate()  # a launcher ends its workers then
        try:
            told = process.communicate(timeout=20)[1]
        finally:
            process.kill()
    return process.returncode, told


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


def test_killed_in_a_stage_at_its_end_and_in_the_next_it_ends_with_the_same_weights(steady, tmp_path):
    config, undisturbed = steady
    out, positions = tmp_path / "run", []
    for saves in (2, 5, 2):  # after each of the six steps of a stage, and at its end
        code, told = ended(start(out, config, "--resume", KILLED_AFTER=str(saves)))
        assert code == -signal.SIGKILL, told
        positions.append(checkpoint.load_state(RunFolder(out).state, "standing_in").position)
        assert not RunFolder(out).weights.exists()
    assert [(at.stage, at.epoch, at.step) for at in positions] == [(0, 0, 2), (1, 0, 0), (1, 0, 2)]
    code, told = ended(start(out, config, "--resume"))
    assert code == 0, told
    assert RunFolder(out).weights.read_bytes() == RunFolder(undisturbed).weights.read_bytes()
    assert not list(out.glob(".*")) and not RunFolder(out).state.exists()
    logs = [[json.loads(line) for line in (one / "log.jsonl").read_text().splitlines()] for one in (out, undisturbed)]
    told = [[(line["stage"], line["epoch"], line["step"], line["loss"]) for line in lines] for lines in logs]
    assert told[0] == told[1]  # no line is missing or there twice


def test_an_interrupted_command_says_how_to_go_on(steady, tmp_path):
    stage = dataclasses.replace(STAGES[0], epochs=10**6)
    config, out = dataclasses.replace(steady[0], stages=(stage,)), tmp_path / "run"
    process = start(out, config)
    while process.poll() is None and not ((out / "log.jsonl").exists() and (out / "log.jsonl").stat().st_size):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    code, told = ended(process)
    assert code == 130 and told.splitlines()[-1].startswith("interrupted: ") and "--resume" in told
    assert "Traceback" not in told and not list(out.glob(".*"))
    checkpoint.load_state(RunFolder(out).state, "standing_in")


def test_two_processes_learn_what_one_does(tmp_path):
    stages = (dataclasses.replace(STAGES[0], learns=("eye", "head")), STAGES[1])
    config = a_config(stages, batch=4, model={"norm": False, "dropout": 0.0}, ema=0.5)
    alone = weights(train(config, Memory(), tmp_path / "alone", device="cpu"))
    launcher = ("-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1", "--nproc-per-node", "2")
    code, told = ended(start(tmp_path / "two", config, before=launcher, GLOO_SOCKET_IFNAME="lo"))
    assert code == 0, told[-3000:]
    together = weights(tmp_path / "two")
    assert json.loads((tmp_path / "two" / "run.json").read_text())["processes"] == 2
    for name in alone:
        torch.testing.assert_close(together[name], alone[name], rtol=1e-3, atol=1e-4)
