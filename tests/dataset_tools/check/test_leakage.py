"""What each split promises to hold out, and that nothing else is called a leak."""

from __future__ import annotations

import json

import numpy as np
import pytest

from dataset_tools.check.leakage import HOLDS_OUT, Strata, leakage, read_strata
from rigging.errors import InputError

PAIRS = 40
TESTS = ("test_subject", "test_pose", "test_background", "test_camera", "test_all")


@pytest.fixture
def plain() -> dict[str, np.ndarray]:
    """The index of 40 pairs in train, val and test, each with subjects of its own."""
    pair = np.repeat(np.arange(PAIRS), 2)
    split = np.array(["train"] * 24 + ["val"] * 8 + ["test"] * 8)[pair]
    first = {"train": 0, "val": 10, "test": 20}
    return {
        "shard": np.arange(2 * PAIRS) // 20, "row": np.arange(2 * PAIRS) % 20, "split": split, "pair": pair,
        "pair_role": np.tile([0, 1], PAIRS).astype(np.uint8), "subject": np.array([first[s] for s in split]) + pair % 4,
        "pose_source": np.full(2 * PAIRS, "nyu"), "clip": np.full(2 * PAIRS, "hand"),
        "source_frame": np.arange(2 * PAIRS).astype(str), "background": np.full(2 * PAIRS, "hdri"),
        "light": np.array(["forest", "city"])[pair % 2],
    }  # fmt: skip


@pytest.fixture
def held(plain) -> tuple[dict[str, np.ndarray], Strata]:
    """The index of 40 pairs in train, val and all test_X, with what its plan says of poses and cameras."""
    names = np.array(["train"] * 14 + ["val"] * 6 + [name for name in TESTS for _ in range(4)])
    holds = {f: np.array([f in HOLDS_OUT.get(n, ()) for n in names]) for f in HOLDS_OUT["test_all"]}
    pair = plain["pair"]
    index = plain | {
        "split": names[pair],
        "subject": np.where(holds["subject"], 100, 0)[pair] + pair % 4,
        "background": np.where(holds["background"], np.array(["hdri", "folder"])[np.arange(PAIRS) % 2], "hdri")[pair],
        "light": np.where(holds["background"] & (np.arange(PAIRS) % 2 == 0), "night", "city")[pair],
    }
    cluster = np.where(holds["pose"], 7, np.arange(PAIRS) % 5)
    phase = np.where(holds["camera"], 0.3, 0.6 + np.arange(PAIRS) / 1000)
    tilt = np.where(holds["camera"], 0.5, 0.1)
    bands = {"phase": [0.25, 0.5], "tilt": [0.4, 0.6], "clusters": [7], "backgrounds": ["folder"]}
    return index, Strata(np.stack([cluster, cluster], 1), phase, tilt, bands)


def first_of(index: dict, split: str) -> int:
    return int(np.flatnonzero(index["split"] == split)[0])


def moved(index: dict, column: str, row: int, value: object) -> dict:
    """The index with another value in one place."""
    changed = index[column].astype(object)
    changed[row] = value
    return index | {column: np.array(changed.tolist())}


def test_clean_splits_have_no_findings(plain, held):
    assert leakage(plain) == []
    assert leakage(*held) == []
    assert leakage(held[0]) == []


def test_a_subject_in_two_plain_splits(plain):
    row = first_of(plain, "test")
    (finding,) = leakage(moved(plain, "subject", row, 2))
    assert finding.check == "leakage" and "subject 2 in several splits (test, train)" in finding.message
    assert (int(plain["shard"][row]), int(plain["row"][row])) in finding.samples
    assert len(finding.samples) == 1 + (plain["subject"] == 2).sum()


def test_a_pair_that_is_torn(plain):
    row = first_of(plain, "val")
    found = leakage(moved(moved(plain, "split", row, "train"), "subject", row, 0))
    assert any("pair 24 in several splits (train, val)" in finding.message for finding in found)


def test_a_recorded_frame_in_two_splits(plain):
    (finding,) = leakage(moved(plain, "source_frame", first_of(plain, "test"), "3"))
    assert "recorded frame nyu/hand/3" in finding.message and len(finding.samples) == 2


def test_val_shares_subjects_where_splits_hold_factors_out(held):
    index, strata = held
    assert set(index["subject"][index["split"] == "val"]) <= set(index["subject"][index["split"] == "train"])
    assert leakage(index, strata) == []


@pytest.mark.parametrize("name", ["test_subject", "test_all"])
def test_a_subject_that_is_not_held_out(held, name):
    index, strata = held
    (finding,) = leakage(moved(index, "subject", first_of(index, name), 1), strata)
    assert finding.message.startswith(f"{name}: subject 1 also in ") and "train" in finding.message


@pytest.mark.parametrize("name", ["test_background", "test_all"])
@pytest.mark.parametrize(("kind", "light"), [("hdri", "city"), ("clutter", "city")])
def test_a_background_that_is_not_held_out(held, name, kind, light):
    index, strata = held
    index = moved(index, "background", first_of(index, "train"), "clutter")
    assert leakage(index, strata) == []
    row = first_of(index, name)
    (finding,) = leakage(moved(moved(index, "background", row, kind), "light", row, light), strata)
    assert finding.message.startswith(f"{name}: {'panorama city' if kind == 'hdri' else 'background clutter'} also in ")


def test_a_held_out_panorama_that_lights_train(held):
    index, strata = held
    row = first_of(index, "train")
    found = leakage(moved(moved(index, "background", row, "clutter"), "light", row, "night"), strata)
    assert {finding.message.split(" also")[0] for finding in found} == {
        "test_background: panorama night", "test_all: panorama night"}  # fmt: skip


def test_a_kind_that_is_held_out_may_use_the_panoramas_that_light_others(held):
    index, strata = held
    own = np.isin(index["split"], ["test_background", "test_all"])
    index = index | {"background": np.where(own, "hdri", "clutter"), "light": np.full(len(own), "city")}
    assert leakage(index, strata) == []


def test_a_pose_cluster_that_is_not_held_out(held):
    index, strata = held
    pair, role = (int(index[name][first_of(index, "test_pose") + 1]) for name in ("pair", "pair_role"))
    clusters = strata.pose_cluster.copy()
    clusters[pair, role] = 0
    (finding,) = leakage(index, Strata(clusters, strata.ring_phase, strata.ring_tilt, strata.held))
    assert finding.message.startswith("test_pose: pose cluster 0 also in ")


@pytest.mark.parametrize(
    ("name", "phase", "told"), [("test_camera", 0.2, "test_camera"), ("train", 0.3, "test_camera")]
)
def test_a_ring_on_the_wrong_side_of_the_band(held, name, phase, told):
    index, strata = held
    phases = strata.ring_phase.copy()
    phases[index["pair"][first_of(index, name)]] = phase
    found = leakage(index, Strata(strata.pose_cluster, phases, strata.ring_tilt, strata.held))
    assert any(finding.message.startswith(f"test_camera: ring phase {phase}, held out is 0.250") for finding in found)
    assert len({finding.samples for finding in found}) == 1 and len(found[0].samples) == 2


def test_a_pair_that_the_plan_does_not_have(held):
    index, strata = held
    (finding,) = leakage(moved(index, "pair", 3, 99), strata)[-1:]
    assert finding.message.startswith("pair 99 is not in the plan") and len(finding.samples) == 1


@pytest.mark.parametrize("content", [b"", b"no plan", b"PK\x03\x04 cut"])
def test_a_damaged_plan_is_said_in_one_line(tmp_path, content):
    (tmp_path / "plan.npz").write_bytes(content)
    with pytest.raises(InputError, match="not a whole plan"):
        read_strata(tmp_path / "plan.npz")


def test_strata_are_read_from_a_plan(held, tmp_path):
    _, strata = held
    arrays = {name: getattr(strata, name) for name in ("pose_cluster", "ring_phase", "ring_tilt")}
    np.savez(tmp_path / "plan.npz", split=np.zeros(3), hold_out=json.dumps(strata.held), **arrays)
    found = read_strata(tmp_path / "plan.npz")
    assert np.array_equal(found.pose_cluster, strata.pose_cluster) and found.held == strata.held
    np.savez(tmp_path / "plain.npz", split=np.zeros(3))
    assert read_strata(tmp_path / "plain.npz") is None
