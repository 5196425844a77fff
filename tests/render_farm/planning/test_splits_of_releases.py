"""Splits of the releases that come with the package: what was there before stays, and what each has."""

import dataclasses
import hashlib

import numpy as np
import pytest
from held_out_release import levels

from blender_scripts.looks.hdri import BLENDERS_OWN, hdri_files
from blender_scripts.looks.look import LookSettings
from render_farm.planning.ensure_plan import ensure_plan
from render_farm.planning.release import load_release
from render_farm.planning.release_tables import SubjectSettings
from render_farm.planning.split_table import split_table
from render_farm.planning.splits import HOLDS_OUT, SPLITS
from rigging.command_line import main
from rigging.skin.appearance import SKIN_ROUGHNESS

# What was there before stays


def test_blenders_panoramas_have_the_names_that_plans_are_made_with():
    assert tuple(sorted(hdri_files())) == BLENDERS_OWN


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("demo", "000aca1c48f146caeed6905e6cfd94548b91e6c92ba5a6b351e17bb4fd1fa5ca"),
        ("mvhm", "0c59415281796f14e945c0bf29cbbfd1ff9acff328cd6da7743563d1ba190305"),
        ("mvhm-nyu", "f347f6d2fe503ed688e28f96a42443181052bd3e28c1eff522a55da3b01f6f43"),
    ],
)
def test_releases_keep_the_canonical_text_that_they_had_before_keys_came_that_they_do_not_use(name, digest):
    """Looks and skin have changed since: what was there before is the text without [look], roughness, tones, litres."""
    release = load_release(name)
    usual = SubjectSettings()
    subjects = dataclasses.replace(release.subjects, roughness=SKIN_ROUGHNESS, ita=usual.ita, litres=usual.litres)
    release = dataclasses.replace(release, look=LookSettings(), subjects=subjects)
    assert hashlib.sha256(release.to_json().encode()).hexdigest() == digest


def test_a_plan_without_held_out_factors_is_decided_as_ever(tmp_path):
    """Digest of all whole numbers and names of the plan of `demo` before there were other splits."""
    plan = ensure_plan(load_release("demo"), tmp_path)
    names = ("split", "subject", "clip", "frame_id", "skin_seed", "subject_split")
    found = hashlib.sha256(b"".join(np.ascontiguousarray(getattr(plan, name)).tobytes() for name in names)).hexdigest()
    assert found == "68b27cf3378b41135e14f136fc18f1ce53ba2fe0b6f71db4116f9142ce522ffe"
    assert plan.strata is None
    with np.load(tmp_path / "plan.npz") as file:
        unused = {"strata", "files", "left", "calibration"}
        assert set(file.files) == {"version", *(field.name for field in dataclasses.fields(plan))} - unused


# Releases that come with the package, and their table


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    return ensure_plan(load_release("gate"), tmp_path_factory.mktemp("gate"))


def test_gate_has_what_estimators_ask_of_it(gate):
    release = load_release("gate")
    assert release.samples == gate.samples >= 400
    assert (release.cameras.image_size, release.cameras.views) == (128, 8)
    assert len(levels(gate, "subject", SPLITS.index("test_subject"))) >= 24
    assert {SPLITS[split] for split in gate.split} == set(SPLITS) - {"test"}
    assert release.shards > 2


def test_mini_has_every_split_in_200_samples():
    release = load_release("mini")
    assert release.samples == 200
    assert release.shards > 2
    assert all(getattr(release.splits, name) > 0 for name in HOLDS_OUT)


def test_the_command_tells_the_splits_once_they_are_decided(tmp_path, capsys, gate):
    command = ["plan", "--release", "mini", "--out", str(tmp_path)]
    assert main(command) == 0
    assert "to plan now: --splits" in capsys.readouterr().out
    assert main([*command, "--splits"]) == 0
    said = capsys.readouterr().out
    assert main(command) == 0
    assert said == capsys.readouterr().out
    lines = {line.split()[0]: line.split() for line in said.splitlines() if line.strip()}
    assert lines["test_camera"][1:3] == ["camera", "18"]
    assert sum(int(lines[name][2]) for name in SPLITS if name in lines) == 200
    assert "held out: pose clusters of 16: " in said
    assert str((gate.split == SPLITS.index("test_subject")).sum()) in split_table(gate)
