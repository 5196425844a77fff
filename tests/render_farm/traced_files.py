"""Counts the system calls of a process and its children that change files below a folder, with strace."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

CALLS = (
    "open,openat,creat,write,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,fsync,fdatasync,utimensat"
)
IN_FOLDER = ("openat", "unlinkat", "mkdirat", "renameat", "renameat2")
LINE = re.compile(r"^(\w+)\((.*)$")
UNFINISHED = " <unfinished ...>"
PATH = re.compile(r'"([^"]*)"')
DESCRIPTOR = re.compile(r"^\d+<([^>]*)>")


def can_trace() -> bool:
    """Whether strace is there and allowed to trace."""
    strace = shutil.which("strace")
    return strace is not None and subprocess.run([strace, "-f", "true"], capture_output=True).returncode == 0


def trace(command: Sequence[str], log: Path, **run: Any) -> None:
    """Run `command` and write its calls to `log`."""
    strace = ["strace", "-f", "--seccomp-bpf", "-y", "-s", "0", "-e", f"trace={CALLS}", "-o", str(log)]
    subprocess.run([*strace, *command], check=True, capture_output=True, **run)


def count(log: Path, folder: Path, before: Collection[str]) -> Counter[str]:
    """What was changed in `folder` and below, where the files `before` were there, by kind (see `operations`)."""
    counts, known = Counter[str](), set(before)
    for line in _whole(log.read_text(errors="replace").splitlines()):
        match = LINE.match(line)
        if match is None or " = -1 " in line:
            continue
        call, rest = match.groups()
        path = _path(call, rest)
        if path == str(folder) or path.startswith(f"{folder}/"):
            counts[_kind(call, rest, path, known)] += 1
    counts.pop("", None)
    return counts


def _whole(lines: Iterable[str]) -> Iterator[str]:
    """Calls in the order in which they end, without the process; those that others interrupted are put together."""
    begun: dict[str, str] = {}
    for line in lines:
        process, _, text = line.partition(" ")
        text = text.strip()
        if text.endswith(UNFINISHED):
            begun[process] = text.removesuffix(UNFINISHED)
        elif text.startswith("<... "):
            yield begun.pop(process, "") + text.partition(" resumed>")[2]
        else:
            yield text


def _path(call: str, rest: str) -> str:
    """The file that a call is about: behind its descriptor, in the folder of that one, or named."""
    described, named = DESCRIPTOR.match(rest), PATH.search(rest)
    if described is None:
        return named.group(1) if named else ""
    return f"{described.group(1)}/{named.group(1)}" if call in IN_FOLDER else described.group(1)


def _kind(call: str, rest: str, path: str, known: set[str]) -> str:
    """Which count goes up; "" for none."""
    if call in ("open", "openat", "creat"):
        return _opened(rest, path, known)
    if call == "write":
        return "appended" if path.endswith(".jsonl") else ""
    if call.startswith("rename"):
        source, target = PATH.findall(rest)[:2]
        known.discard(source)
        known.add(target)
        return "renamed"
    if call in ("unlink", "unlinkat"):
        known.discard(path)
        return "removed"
    if call in ("mkdir", "mkdirat", "rmdir"):
        return "folders"
    return "flushed" if call in ("fsync", "fdatasync") else "touched"


def _opened(rest: str, path: str, known: set[str]) -> str:
    if "O_TMPFILE" in rest:
        return "created"
    if "O_CREAT" not in rest or path in known:
        return ""
    known.add(path)
    return "created"
