"""`mvhm gate` on releases on disk: broken ones fail, and so do those that are too small."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from quick_estimators import write_preset

from baselines.gate import run as gate_run
from baselines.gate import tier0
from dataset_tools.check.mutate import mutate
from dataset_tools.check.mutations import MUTATIONS
from dataset_tools.store.layout import ReleaseFolder
from rigging.command_line import main


def judge(data: Path, out: Path, preset: Path | str = "nano", *more: str) -> int:
    """The command's exit code."""
    words = ["gate", str(data), "--preset", str(preset), "--out", str(out), "--device", "cpu", "--workers", "1", *more]
    return main(words, ("baselines",))


def report_in(out: Path, name: str) -> dict:
    return json.loads((out / "gates" / name / "gate.json").read_text())


@pytest.mark.parametrize("name", ["labels-shuffled", "cameras-swapped", "joints-reordered"])
def test_a_release_with_broken_labels_fails(small_release, tmp_path, capsys, name):
    mutate(small_release, tmp_path / "broken", name, "one", np.random.default_rng(0))
    assert judge(tmp_path / "broken", tmp_path / "out") == 1
    assert "fail: Preset nano: tier 0: validation: fail" in capsys.readouterr().out
    report = report_in(tmp_path / "out", "test-nano")
    assert report["verdict"] == "fail" and report["tier2"] is None
    assert any(line.startswith("tier 0: shard 0 row ") for line in report["problems"])


def test_right_labels_alone_are_no_pass(small_release, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(tier0, "MUTATIONS", {name: MUTATIONS[name] for name in ("hand-renamed", "normals-world")})
    assert judge(small_release, tmp_path / "out") == 1
    report = report_in(tmp_path / "out", "test-nano")
    assert report["tier0"]["valid"] and [one["noticed"] for one in report["tier0"]["broken"]] == [True, True]
    wanted = ["there is no split 'val'", "there is no split 'test_subject'", "tiers 1 to 3: not run"]
    assert report["problems"] == wanted
    assert "no split 'val'" in capsys.readouterr().out


def test_a_small_release_is_judged_and_too_small(split_release, quick_names, tmp_path, monkeypatch):
    good = tier0.Tier0("pass", True, (), 4, True, (), (), 1e-5)
    monkeypatch.setattr(gate_run, "tier0", lambda *_: good)
    preset = write_preset(tmp_path / "few", overfit_share=0.2)
    assert judge(split_release, tmp_path / "out", preset) == 1
    report = report_in(tmp_path / "out", "test-few")
    assert len(report["problems"]) == 3 and all(line.endswith(": too small") for line in report["problems"])
    assert [one["split"] for one in report["tier3"]["scores"]] == ["test_subject", "val"] * 2
    assert report["about"]["splits"] == {"test_subject": 2, "train": 2, "val": 2}


def test_the_data_hash_is_that_of_the_bytes(small_release, tmp_path):
    shards = [ReleaseFolder(small_release).shard(0)]
    before = gate_run.hash_of(shards)
    mutate(small_release, tmp_path / "broken", "depth-millimetres", "one", np.random.default_rng(0))
    assert before == gate_run.hash_of(shards) != gate_run.hash_of([ReleaseFolder(tmp_path / "broken").shard(0)])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--preset", "nan"), "--preset nan: no preset is called so; did you mean 'nano'?"),
        (("--device", "tpu"), "--device tpu"),
        (("--previous", "/nowhere"), "--previous /nowhere: no gate report there"),
        (("--stb", "/nowhere"), "/nowhere: no such folder"),
        (("--other", "/nowhere"), "/nowhere: no such data set"),
        (("--other", "SAME"), "split: no sample has 'test_subject'"),
    ],
)
def test_bad_input_is_told_before_any_work(small_release, tmp_path, capsys, words, message):
    words = [str(small_release) if word == "SAME" else word for word in words]
    assert main(["gate", str(small_release), "--out", str(tmp_path / "out"), *words], ("baselines",)) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1 and not (tmp_path / "out").exists()


def test_what_is_no_release_is_told(tmp_path, capsys):
    assert judge(tmp_path, tmp_path / "out") == 2
    assert "no release; a folder of shards is wanted" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
