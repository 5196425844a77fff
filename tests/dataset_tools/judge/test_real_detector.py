"""MediaPipe itself, in the environment of `make judge`, on a shard that was rendered: real pictures, no network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from dataset_tools.store.layout import ReleaseFolder

ROOT = Path(__file__).parents[3]
MIRRORED = """
import json, sys
from dataset_tools import HandDataset
from dataset_tools.judge.detector import Detector
look, out = Detector(), []
for sample in HandDataset(sys.argv[1], fields=["rgb"]):
    for view in sample["rgb"]:
        hands = look(view), look(view[:, ::-1])
        if all(hands):
            width = view.shape[1]
            flipped = [[width - x, y] for x, y in hands[1].points.tolist()]
            out.append([hands[0].side, hands[1].side, abs(hands[0].points - flipped).mean() / width])
print(json.dumps(out))
"""


@pytest.fixture(scope="module")
def judge_bin() -> Path:
    """The programs of the environment that `make test` sets up where Python 3.11 is."""
    folder = ROOT / os.environ.get("MVHM_JUDGE", ".venv-judge") / "bin"
    if not (folder / "mvhm").exists():
        pytest.skip("no environment of `make judge` is here: MediaPipe is not tested")
    return folder


@pytest.fixture(scope="module")
def data(real_shard, tmp_path_factory) -> Path:
    return Path(shutil.copytree(real_shard.parent, tmp_path_factory.mktemp("judged") / "data"))


def run(*words: object) -> str:
    """Run a program without any network where the machine lets us take it away; its output."""
    alone = ["unshare", "-rn"]
    can = shutil.which("unshare") and subprocess.run([*alone, "true"], capture_output=True, check=False).returncode == 0
    command, env = [*(alone if can else []), *map(str, words)], {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=env)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_real_pictures_have_hands_where_labels_say_and_workers_change_no_byte(judge_bin, data, tmp_path, measured):
    run(judge_bin / "mvhm", "judge", data, "--workers", "2")
    run(judge_bin / "mvhm", "judge", data, "--workers", "1", "--out", tmp_path / "alone")
    folder = ReleaseFolder(data)
    for path in folder.judge.iterdir():
        assert path.read_bytes() == (tmp_path / "alone" / path.name).read_bytes(), path.name
    table = json.loads(folder.judge_table.read_text())
    every = table["all"]
    measured(f"judge: {every['found']['mean']:.0%} of {every['views']} views found, error {every['error']['mean']:.3f}")
    assert (every["views"], table["picture_px"]) == (32, 256)
    assert every["found"]["mean"] > 0.6
    assert every["error"]["median"] < 0.08
    assert every["side"]["mean"] > 0.7
    assert table["joints"]["wrist"] < 0.08, "0.1 before the joint map"


def test_a_mirrored_picture_shows_the_other_hand(judge_bin, data):
    found = json.loads(run(judge_bin / "python", "-c", MIRRORED, data))
    assert len(found) > 16
    assert sum(side == "right" for side, _, _ in found) > 0.7 * len(found)
    assert sum(side == "left" for _, side, _ in found) > 0.7 * len(found)
    assert sorted(apart for _, _, apart in found)[len(found) // 2] < 0.03
