"""The quick estimators in the place of MVHM's, and releases with exact labels on disk."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for helpers of tests

import quick_estimators

from baselines.gate import runs
from baselines.gate.kept import Kept
from baselines.registry import ESTIMATORS
from dataset_tools.store.encode import encode_sample
from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.writer import write_manifest, write_shard

CHECKS = Path(__file__).parents[2] / "dataset_tools" / "check"
HELD_OUT = {1: "val", 2: "test_subject"}  # pair -> split


@pytest.fixture(scope="module")
def quick_names() -> None:
    """The quick estimators are `mvhm_sv` and `mvhm_mv`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "baselines.models.quick_estimators", quick_estimators)
        patch.setitem(ESTIMATORS, "mvhm_sv", ("quick_estimators", "QuickSingle"))
        patch.setitem(ESTIMATORS, "mvhm_mv", ("quick_estimators", "QuickMulti"))
        yield


@pytest.fixture
def quick(quick_names, tmp_path) -> Path:
    """A preset's folder for the quick estimators."""
    return quick_estimators.write_preset(tmp_path / "quick")


@pytest.fixture
def quick_runs(quick_names, tmp_path, monkeypatch) -> runs.Runs:
    """Runs of the quick estimators on hands in memory, in batches that whole samples of four views fit into."""
    release = quick_estimators.Hands({"train": 4})
    monkeypatch.setattr(runs, "open_source", lambda data, split, fields: release)
    preset = quick_estimators.write_preset(tmp_path / "small")
    for name in ("mvhm_sv", "mvhm_mv"):
        path = preset / f"{name}.toml"
        path.write_text(path.read_text().replace("batch = 16", "batch = 8"))
    return runs.Runs(Kept(tmp_path / "runs", {}), tmp_path, preset, "cpu")


@pytest.fixture(scope="session")
def write_pairs(tmp_path_factory) -> Callable[[dict[int, str]], Path]:
    """Writes a release of three pairs with exact labels; of all of one pose, so that splits share it."""
    sys.path[:0] = map(str, (CHECKS.parent, CHECKS))  # for helpers of other rooms' tests
    from paired import pair_records, paired_shard_record

    records = [record | {"subject": pair} for pair in range(3) for record in pair_records(pair)]

    def write(splits: dict[int, str]) -> Path:
        folder = ReleaseFolder(tmp_path_factory.mktemp("release") / "small")
        folder.path.mkdir()
        samples = (encode_sample(one | {"split": splits.get(one["pair"], "train")}) for one in records)
        digest = write_shard(folder.shard(0), samples, paired_shard_record(len(records), len(records)))
        write_manifest(folder.shard(0), digest)
        return folder.path

    return write


@pytest.fixture(scope="session")
def small_release(write_pairs) -> Path:
    """Three pairs to train on. Not to be changed."""
    return write_pairs({})


@pytest.fixture(scope="session")
def split_release(write_pairs) -> Path:
    """A pair to train on, one to validate, one to test. Not to be changed."""
    return write_pairs(HELD_OUT)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)
