"""An opened data set in other processes, tried in a process that has no threads of other tests."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

CASES = Path(__file__).with_name("in_other_processes.py")


def test_forked_and_spawned_processes_and_workers_read_what_their_parent_does():
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", CASES]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert re.search(r"\b6 passed", done.stdout), done.stdout[-500:]
