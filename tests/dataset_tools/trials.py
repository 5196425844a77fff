"""Trials of corruption: a shard is damaged in one of many ways and read; what is told is compared with the original.

Run as a script it makes the trials of one JSON task (see `Task`) and prints a line for each, so that a crash or a hang
of the interpreter is the death of a child process.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from dataset_tools import HandDataset
from dataset_tools.store.errors import ShardError

MEMORY = 2 << 30  # bytes of address space that reading a damaged shard of 100 KB may add
Spans = list[tuple[int, int]]  # of stored bytes: start, length


@dataclass(frozen=True)
class Task:
    """Trials `first` to `first + count - 1` of the shard `path` (its manifest beside it), in a folder of their own."""

    path: str
    other: str  # a shard whose blocks may turn up in this one
    folder: str
    first: int
    count: int
    verify: bool = True


@dataclass
class Trial:
    """One damage: bytes of the shard and of another, where, and what is random of it."""

    data: bytes
    other: bytes
    at: int
    spans: Spans  # of the dataset that is aimed at
    rng: np.random.Generator

    def put(self, new: bytes, at: int | None = None) -> bytes:
        """The file with `new` written over what is there."""
        at = self.at if at is None else at
        return (self.data[:at] + new)[: len(self.data)] + self.data[at + len(new) :]

    def swapped(self, size: int) -> bytes:
        """Two blocks in each other's place."""
        to = int(self.rng.integers(0, max(1, len(self.data) - size)))
        one, two = self.data[self.at : self.at + size], self.data[to : to + size]
        data = bytearray(self.data)
        data[to : to + len(one)] = one
        data[self.at : self.at + len(two)] = two
        return bytes(data)

    def swapped_chunks(self) -> bytes:
        """Two stored pieces of the dataset in each other's place, as far as the shorter one goes."""
        (a, n), (b, m) = (self.spans[int(i)] for i in self.rng.integers(0, len(self.spans), 2))
        size = min(n, m) if a != b else n // 2
        b = b if a != b else a + size
        data = bytearray(self.data)
        data[a : a + size], data[b : b + size] = self.data[b : b + size], self.data[a : a + size]
        return bytes(data)


KINDS: dict[str, Callable[[Trial], bytes]] = {
    "bit flipped": lambda t: t.put(bytes([t.data[t.at] ^ 1 << int(t.rng.integers(8))])),
    "byte changed": lambda t: t.put(t.rng.bytes(1)),
    "64 zeroed": lambda t: t.put(bytes(64)),
    "512 random": lambda t: t.put(t.rng.bytes(512)),
    "page zeroed": lambda t: t.put(bytes(4096), t.at & ~4095),
    "blocks swapped": lambda t: t.swapped(512),
    "pieces swapped": lambda t: t.swapped_chunks(),
    "truncated": lambda t: t.data[: t.at],
    "bytes inserted": lambda t: t.data[: t.at] + t.rng.bytes(int(t.rng.integers(1, 65))) + t.data[t.at :],
    "bytes removed": lambda t: t.data[: t.at] + t.data[t.at + int(t.rng.integers(1, 65)) :],
    "garbage appended": lambda t: t.data + t.rng.bytes(int(t.rng.integers(1, 4096))),
    "stale block": lambda t: t.put(t.other[t.at & ~511 : (t.at & ~511) + int(t.rng.choice([512, 4096]))], t.at & ~511),
}


def stored_spans(path: Path) -> dict[str, Spans]:
    """Where the bytes of every dataset lie in a file."""
    out: dict[str, Spans] = {}

    def visit(name: str, node: Any) -> None:
        if not isinstance(node, h5py.Dataset):
            return
        if node.chunks is None:
            out[name] = [(node.id.get_offset(), node.id.get_storage_size())]
        else:
            infos = [node.id.get_chunk_info(i) for i in range(node.id.get_num_chunks())]
            out[name] = [(info.byte_offset, info.size) for info in infos]

    with h5py.File(path) as file:
        file.visititems(visit)
    return out


def damaged(number: int, data: bytes, other: bytes, spans: dict[str, Spans]) -> tuple[str, str, bytes]:
    """Kind, place ("" for anywhere) and bytes of trial `number`; every other one anywhere, else in datasets in turn."""
    rng, turn = np.random.default_rng((8, number)), number // 2
    kind = list(KINDS)[turn % len(KINDS)]
    name = list(spans)[(turn + turn // len(KINDS)) % len(spans)]  # so that every kind meets every dataset
    aimed = number % 2 == 0 or kind == "pieces swapped"
    start, length = spans[name][int(rng.integers(len(spans[name])))] if aimed else (0, len(data))
    trial = Trial(data, other, start + int(rng.integers(length)), spans[name], rng)
    return kind, name if aimed else "", KINDS[kind](trial)


def everything(path: Path, verify: bool = True) -> dict[str, Any]:
    """All that a loader gives of a shard."""
    dataset = HandDataset(path, verify=verify)
    out: dict[str, Any] = {name: getattr(dataset, name) for name in ("faces", "face_part", "arm_faces", "attrs")}
    for row in range(len(dataset)):
        sample = dataset[row]
        out |= {f"{row} {name}": value for name, value in (sample | sample.pop("meta")).items()}
    dataset.close()
    return out


def difference(one: dict[str, Any], other: dict[str, Any]) -> str:
    """The first entry in which two readings differ; "" for none."""
    if one.keys() != other.keys():
        return "names"
    return next((name for name, value in one.items() if not _equal(value, other[name])), "")


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    return bool(one == other) and type(one) is type(other)


def outcome(path: Path, expected: dict[str, Any], verify: bool) -> str:
    """ "right", "error: ..." for one clear ShardError, or what must not be."""
    try:
        wrong = difference(expected, everything(path, verify))
    except ShardError as error:
        clear = str(error).startswith(f"{path}: ") and "\n" not in str(error)
        return f"error: {error}" if clear else f"unclear: {error!r}"
    except Exception as error:
        return f"exception: {error!r}"
    return f"wrong: {wrong}" if wrong else "right"


def trials(task: Task) -> Iterator[dict[str, Any]]:
    """The trials of a task, one after another."""
    path, folder = Path(task.path), Path(task.folder)
    data, other, spans = path.read_bytes(), Path(task.other).read_bytes(), stored_spans(path)
    manifest, expected = json.loads(path.with_suffix(".json").read_bytes()), everything(path)
    for number in range(task.first, task.first + task.count):
        kind, place, new = damaged(number, data, other, spans)
        copy = folder / f"{number}.h5"
        copy.write_bytes(new)
        fitting = manifest | {"file": copy.name, "bytes": len(new)}  # so that more than the size is put to the test
        copy.with_suffix(".json").write_text(json.dumps(fitting))
        told = outcome(copy, expected, task.verify)
        copy.unlink()
        copy.with_suffix(".json").unlink()
        yield {"number": number, "kind": kind, "place": place, "same": new == data, "told": told}


def command(task: Task) -> list[str]:
    """The command line of a child process that makes the trials of a task."""
    return [sys.executable, __file__, json.dumps(asdict(task))]


if __name__ == "__main__":
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    for told in trials(Task(**json.loads(sys.argv[1]))):
        print(json.dumps(told), flush=True)
