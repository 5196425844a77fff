"""The metrics are for everybody: numpy and scipy, no torch; of the rest of the project, errors and the bootstrap."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BLOCKED = ("torch", "h5py", "cv2", "matplotlib", "networkx", "tensorboard")
USE = f"""
import sys
for name in {BLOCKED}:
    sys.modules[name] = None
import numpy as np
from baselines import metrics
scores = metrics.Scores()
scores.add(np.zeros((2, 21, 3)), np.ones((2, 21, 3)))
print(scores.table()["procrustes"]["epe"], metrics.auc(np.ones((1, 21)), 0, 50))
roots = ("rigging", "dataset_tools", "blender_scripts", "render_farm")
print(*sorted(name for name, module in sys.modules.items() if module and name.split(".")[0] in roots))
"""


def test_metrics_work_with_torch_blocked():
    done = subprocess.run([sys.executable, "-c", USE], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    figures, modules = done.stdout.splitlines()
    assert figures == "0.0 0.98"
    bootstrap = ["dataset_tools", "dataset_tools.statistics", "dataset_tools.statistics.bootstrap"]
    assert modules.split() == [*bootstrap, "rigging", "rigging.errors", "rigging.settings"]
