"""Folders of a release as a farm leaves them: logs, staged samples, shards, locks, plans."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil

import numpy as np

from dataset_tools.store.incomplete import Quarantined
from render_farm.lock import Owner
from render_farm.planning.plan import Plan, save_plan
from render_farm.shard.events import Begin, Done, Entry, EventLog, Start

NOW = 1_000_000.0
VIEWS, SIZE, SHARDS = 2, 8, 10
TOML = f"""
name = "farm"
seed = 5
samples = {SIZE * SHARDS}
shard_size = {SIZE}
[cameras]
views = {VIEWS}
image_size = 64
"""


def add(log, time, event, host="n1"):
    log.append(Entry(time, host, 11, event))


def work(folder, shard, at, done, each=10.0, host="n1", total=SIZE, scratch=""):
    """Log and staging of a shard that was begun at time `at`, with `done` samples, one after another."""
    log = EventLog.of(folder, shard)
    staged = folder / ".staging" / f"shard-{shard:05d}"
    staged.mkdir(parents=True, exist_ok=True)
    there = len(list(staged.glob("*.staged")))
    add(log, at, Start(total, VIEWS, there, workers=4, device="cpu", scratch=scratch), host)
    for k in range(done):
        sample = shard * SIZE + k
        add(log, at + k * each, Begin(sample, 0), host)
        add(log, at + (k + 1) * each, Done(sample, 0, each, 500 + shard), host)
        (staged / f"sample-{sample:08d}.staged").touch()
    return log


def write(folder, shard, samples=SIZE, told=None, configuration="c1"):
    """A finished shard of ten bytes; its manifest says `told`."""
    path = folder / f"shard-{shard:05d}.h5"
    path.write_bytes(b"0123456789")
    sha256 = "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882"
    manifest = {"bytes": told or 10, "samples": samples, "sha256": sha256, "configuration_hash": configuration}
    path.with_suffix(".json").write_text(json.dumps(manifest))
    shutil.rmtree(folder / ".staging" / path.stem, ignore_errors=True)


def set_aside(log, at, sample, cause="crash"):
    add(log, at, Quarantined(sample, log.shard, cause, "SIGSEGV", 5, 3, f"alone --sample {sample}"))


def lock(folder, shard, heartbeat, **owner):
    path = folder / ".locks" / f"shard-{shard:05d}.lock"
    path.write_text(json.dumps(dataclasses.asdict(Owner.this()) | owner))
    os.utime(path, (heartbeat, heartbeat))


def elsewhere(folder, shard, heartbeat):
    lock(folder, shard, heartbeat, host="n2", namespace="elsewhere", pid=22)


def shard_of(status, number):
    return next(shard for shard in status.begun if shard.shard == number)


def plan(folder, release, pairs=SIZE * SHARDS // 2):
    """A plan of so many pairs, in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [field.name for field in dataclasses.fields(Plan) if field.type == "np.ndarray"]
    arrays = {name: np.zeros(1) for name in names} | {"joints": np.zeros((pairs, 2, 21, 3), np.float32)}
    save_plan(Plan(**arrays, clips=(), release=release.to_json(), inputs="", asset="", device=""), folder / "plan.npz")


def command(out, toml, *more):
    return ["status", "--release", str(toml), "--out", str(out), *map(str, more)]
