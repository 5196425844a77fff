"""Commands on shard 0 of the tiny release, each in a process of its own, and what they leave."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401  (registers the filters that h5py reads with)
import numpy as np
import psutil

ROOT = Path(__file__).parents[2]


def arguments(tiny, cache, out, *more):
    options = ("--release", tiny, "--shard", "0", "--out", out, "--cache", cache, *more)
    return ["render", *map(str, options)]


def command(tiny, cache, out, *more):
    return [sys.executable, "-m", "render_farm", *arguments(tiny, cache, out, *more)]


def run(words, **environment):
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)


def render(*options):
    return run(command(*options))


def complaint(result):
    """The one line that says what is wrong."""
    assert "Traceback" not in result.stderr
    lines = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, result.stderr
    return lines[0]


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def assert_same_shard(found, expected):
    """The same bytes; where they are not, what differs and by how much: a rare difference is hard to see twice."""
    if sha256(found) != sha256(expected):
        raise AssertionError("\n".join(differences(found, expected)) or "only bytes that hold no data differ")


def differences(found, expected):
    """One line for each attribute and data set that two HDF5 files do not share."""
    mine, other = contents(found), contents(expected)
    lines = [f"{name}: in one file only" for name in sorted(mine.keys() ^ other.keys())]
    for name in sorted(mine.keys() & other.keys()):
        a, b = mine[name], other[name]
        if a.shape != b.shape or a.dtype != b.dtype:
            lines.append(f"{name}: {a.dtype} {a.shape} and {b.dtype} {b.shape}")
        elif a.tobytes() != b.tobytes():
            places = np.argwhere(np.atleast_1d(a != b))
            lines.append(f"{name}: {len(places)} of {a.size}, from {places[:1].tolist()} on; {a!r} and {b!r}")
    return lines


def contents(path):
    """Every data set and attribute of an HDF5 file as an array, by its name."""
    found = {}

    def take(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = np.asarray(item[()])
        found.update({f"{name}@{key}": np.asarray(value) for key, value in item.attrs.items()})

    with h5py.File(path) as file:
        take("/", file)
        file.visititems(take)
    return found


def shard_of(out):
    return out / "tiny" / "shard-00000.h5"


def staged(out):
    return sorted((out / "tiny" / ".staging" / "shard-00000").glob("*.staged"))


def events(out, *kinds):
    """What the shard's log tells, of these kinds."""
    lines = (out / "tiny" / ".events" / "shard-00000.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["event"] in kinds]


def all_gone(processes):
    """Whether processes have ended or soon do."""
    _, alive = psutil.wait_procs(processes, timeout=10)
    return all(process.status() == psutil.STATUS_ZOMBIE for process in alive)
