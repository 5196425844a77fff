"""Tier 0: a release whose labels are right and whose mutations are noticed; anything else is a problem."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from baselines.gate import tier0
from dataset_tools.check.mutate import mutate
from dataset_tools.check.mutations import MUTATIONS
from dataset_tools.check.validate import validate
from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.shard_file import ShardFile
from rigging.errors import InputError

FEW = ("hand-renamed", "joints-reordered")


@pytest.fixture
def few_mutations(monkeypatch) -> None:
    monkeypatch.setattr(tier0, "MUTATIONS", {name: MUTATIONS[name] for name in FEW})


def test_right_labels_pass_and_what_is_broken_is_noticed(small_release, tmp_path, few_mutations):
    found = tier0.tier0(small_release, 4, 0, 1, tmp_path)
    assert found.problems == () and found.valid and found.intact and found.mutated == 4
    assert [(one.mutation, one.tried, one.named) for one in found.broken] == [(name, 5, 5) for name in FEW]
    assert found.triangulated < 0.001 and list(tmp_path.iterdir()) == []


def test_wrong_labels_fail_and_are_not_broken_once_more(small_release, tmp_path):
    mutate(small_release, tmp_path / "broken", "depth-millimetres", "one", np.random.default_rng(0))
    found = tier0.tier0(tmp_path / "broken", 4, 0, 1, tmp_path)
    assert not found.valid and found.broken == () and found.problems[0].startswith("validation: fail")
    assert any("depth" in line for line in found.problems[1:])


def test_a_validation_that_notices_nothing_is_a_problem(small_release, tmp_path, few_mutations):
    report = validate(ReleaseFolder(small_release)).report
    lines, _ = tier0.mutants(small_release, tmp_path, 0, lambda path: report)
    blind = tier0.Tier0("pass", True, (), 8, True, tier0.summed(lines), ())
    assert blind.problems == tuple(f"{name}: noticed in 0 of 7" for name in FEW)


def test_what_a_release_does_not_have_cannot_be_broken(small_release, tmp_path, few_mutations, monkeypatch):
    part, _ = tier0.first_samples(small_release, tmp_path / "part", 2)
    report, table = validate(ReleaseFolder(part)).report, tier0.mutation_table

    def without_hands(part, workspace, check, rng, names):
        if "hand-renamed" in names:
            raise InputError("no sample has what hand-renamed breaks")
        return table(part, workspace, check, rng, names)

    monkeypatch.setattr(tier0, "mutation_table", without_hands)
    lines, without = tier0.mutants(part, tmp_path, 0, lambda path: report)
    assert without == ("hand-renamed",) and {line.mutation.name for line in lines if line.mutation} == {FEW[1]}


def test_the_copy_holds_the_first_samples_byte_for_byte(small_release, tmp_path):
    part, count = tier0.first_samples(small_release, tmp_path / "part", 2)
    with ShardFile(ReleaseFolder(part).shard(0)) as copy, ShardFile(ReleaseFolder(small_release).shard(0)) as whole:
        assert count == len(copy) == 2
        assert [copy.streams(row) for row in range(2)] == [whole.streams(row) for row in range(2)]


def test_cameras_that_contradict_labels_are_a_problem():
    good = tier0.Tier0("pass", True, (), 4, True, (), (), 1e-4)
    assert good.problems == () and len(replace(good, triangulated=0.02).problems) == 1
    assert len(replace(good, triangulated=float("nan")).problems) == 1
    assert replace(good, intact=False).problems == ("the untouched copy of the first samples does not pass",)
