"""The scripts that start a farm, run in processes of their own."""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
STARTERS = ROOT / "render_farm" / "starters"


def start(script, *arguments, **variables):
    """A script with `arguments` and environment variables, its output in one stream."""
    return subprocess.Popen(
        [STARTERS / script, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"PYTHON": sys.executable, "PAUSE": "1"} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_until(condition, process):
    while process.poll() is None and not condition():
        time.sleep(0.02)
