"""Reads panoramas in a Blender of its own, to tell those that cannot light a hand before any is rendered."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .hdri import usable_panorama


def panorama_faults(files: Sequence[Path]) -> dict[Path, str]:
    """Why panoramas of `files` cannot be used, by file; a file that Blender dies of is one of them.

    Raises ImportError if there is no Blender here.
    """
    faults: dict[Path, str] = {}
    left = list(files)
    while left:
        answers, code, errors = _ask(left)
        faults |= {file: answer for file, answer in zip(left, answers) if answer}
        if len(answers) < len(left) and code >= 0:
            raise ImportError(f"panoramas cannot be read: Blender does not start ({errors or f'exit code {code}'})")
        if len(answers) < len(left):
            faults[left[len(answers)]] = "Blender crashes while reading it"
        left = left[len(answers) + 1 :]
    return faults


def _ask(files: Sequence[Path]) -> tuple[list[str], int, str]:
    """Answers, one for each file until Blender ends: "" for a good one; its exit code, and its last line of errors."""
    command = [sys.executable, "-P", "-m", __name__]
    ours = str(Path(__file__).parents[2])  # not all of sys.path: a Blender that runs has put its own modules there
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (ours, os.environ.get("PYTHONPATH"))))}
    done = subprocess.run(
        command, input=json.dumps([str(file) for file in files]), capture_output=True, text=True, env=environment
    )
    lines = done.stderr.strip().splitlines()
    return [json.loads(line) for line in done.stdout.splitlines()], done.returncode, lines[-1] if lines else ""


def main() -> None:
    """Answer for each file of the JSON list on stdin: one line of JSON, the fault or ""."""
    with os.fdopen(os.dup(1), "w", buffering=1) as answers:
        os.dup2(2, 1)  # Blender writes to stdout past Python
        for file in json.load(sys.stdin):
            print(json.dumps(_fault(Path(file))), file=answers)


def _fault(file: Path) -> str:
    try:
        usable_panorama(file)
    except ValueError as error:
        return " ".join(str(error).removeprefix(f"HDRI {file}").lstrip(": ").split())
    return ""


if __name__ == "__main__":
    main()
