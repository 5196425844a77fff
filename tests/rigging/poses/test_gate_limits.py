"""Limits of the gate as a person writes them: keys, `off`, presets, and what noisy annotations need."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from layouts import moving_hand

from rigging.command_line import main
from rigging.errors import InputError
from rigging.joints import JOINT_PARENTS
from rigging.poses.clip import PoseClip
from rigging.poses.gate.frames import degrees_beyond
from rigging.poses.gate.gate import gate
from rigging.poses.gate.settings import GateSettings, gate_settings, parse_gate
from rigging.poses.readers.mirror import palm_normal
from rigging.poses.rejects import count_reasons
from rigging.poses.sampling.procedural import ProceduralSource


def clip_of(joints: np.ndarray, name: str = "a") -> PoseClip:
    return PoseClip(joints=joints, name=name, subject="s", source="test", licence="CC0")


def noisy(joints: np.ndarray, rng: np.random.Generator, spread: float) -> np.ndarray:
    """Bones of random lengths with this standard deviation (share), frame by frame; directions stay."""
    result = joints.astype(float)
    factors = np.maximum(1 + spread * rng.normal(size=(len(joints), 21, 1)), 0.3)
    for bone in range(1, 21):
        parent = JOINT_PARENTS[bone]
        result[:, bone] = result[:, parent] + factors[:, bone] * (joints[:, bone] - joints[:, parent])
    return result


def test_words_of_the_command_line_and_a_table_mean_the_same():
    table = {"preset": "noisy", "palm": "off", "bone_length": 0.3, "mcp_degrees": [-20, 90]}
    words = ["preset=noisy", "palm=off", "bone_length = 0.3", "mcp_degrees=[-20, 90]"]
    expected = replace(gate_settings({"preset": "noisy"}), palm="off", bone_length=0.3, mcp_degrees=(-20.0, 90.0))
    assert gate_settings(table) == parse_gate(words) == expected
    assert gate_settings({}) == parse_gate([]) == GateSettings() == gate_settings({"preset": "usual"})


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("plam=off", "gate: unknown key 'plam'; did you mean 'palm'?"),
        ("palm=of", "gate: palm = 'of': must be a number or 'off'"),
        ("palm=-1", "gate: palm = -1.0: must be above 0"),
        ("palm=nan", "gate: palm = nan: must be a finite number or 'off'"),
        ("jump_ratio=off", "gate: jump_ratio = 'off': must be a number"),
        ("size=[0.3, 0.1]", r"gate: size = (0.3, 0.1): must be [low, high], low below high"),
        ("preset=nosy", "gate: preset 'nosy' is unknown; did you mean 'noisy'?"),
        ("preset=[1]", "gate: preset [1] is unknown; known: usual, noisy, off"),
        ("palm", "gate: 'palm': must be KEY=VALUE"),
    ],
)
def test_a_wrong_limit_is_one_line(word, message):
    with pytest.raises(InputError) as caught:
        parse_gate([word])
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)


def test_every_check_can_be_left_out_and_only_frames_without_a_hand_remain_rejected():
    off = gate_settings({"preset": "off"})
    assert [item.name for item in fields(off) if getattr(off, item.name) == "off"] == [
        "extent", "size", "wrong_hand", "proportions", "bone_length", "palm", "angle", "penetration", "jump",
    ]  # fmt: skip
    rng = np.random.default_rng(0)
    joints = np.concatenate([rng.normal(size=(20, 21, 3)), np.zeros((1, 21, 3)), np.full((1, 21, 3), np.nan)])
    assert count_reasons(gate([clip_of(joints)], off).rejects) == {"collapsed": 1, "missing": 1}
    assert gate([clip_of(joints)]).accepted == 0


@pytest.mark.parametrize("spread", [0.08, 0.13, 0.18])
def test_noisy_annotations_pass_with_their_preset_and_nonsense_does_not(spread):
    rng = np.random.default_rng(1)
    clips = [
        clip_of(noisy(clip.joints, rng, spread), clip.name) for clip in ProceduralSource(count=3, frames=32).clips()
    ]
    usual, passed = gate(clips), gate(clips, gate_settings({"preset": "noisy"}))
    assert usual.accepted < 0.5 * usual.frames and any("preset noisy would fit" in hint for hint in usual.hints)
    assert passed.accepted >= 0.98 * passed.frames and not passed.hints
    shuffled = [clip_of(clip.joints[:, rng.permutation(21)], clip.name) for clip in clips]
    assert gate(shuffled, gate_settings({"preset": "noisy"})).accepted <= 0.05 * passed.frames


def test_the_command_takes_limits(tmp_path, capsys):
    joints = moving_hand(20)
    joints[7] *= 1.3
    np.savez(tmp_path / "a.npz", joints=joints)
    assert main(["poses", f"npz:{tmp_path / 'a.npz'}"]) == 0
    assert "1  bone length" in capsys.readouterr().out
    assert main(["poses", f"npz:{tmp_path / 'a.npz'}", "--gate", "bone_length=0.4", "--gate", "jump=off"]) == 0
    assert "accepted  20 of 20" in capsys.readouterr().out
    assert main(["poses", f"npz:{tmp_path / 'a.npz'}", "--gate", "bones=off"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(("millimetres", "least"), [(0.5, 1.0), (1.0, 0.95)])
def test_a_trackers_jitter_passes_the_usual_limits(millimetres, least):
    """Of a short bone, 15 % is less than such jitter."""
    rng = np.random.default_rng(2)
    clips = ProceduralSource(count=6, frames=30).clips()
    gated = gate([clip_of(c.joints + 1e-3 * millimetres * rng.normal(size=c.joints.shape), c.name) for c in clips])
    assert gated.accepted >= least * gated.frames


@pytest.mark.parametrize(("finger", "degrees", "beyond"), [(2, 44, 14), (3, 44, 0), (3, 50, 5), (3, -20, 0)])
def test_the_little_finger_alone_bends_back_to_45_degrees(finger, degrees, beyond):
    joints = np.zeros((1, 21, 3))  # a flat right hand, its palm to +z, that bends no finger
    joints[0, 1:5] = [(0.01 * i, 0.02 * i, 0.01) for i in range(1, 5)]
    for i, x in enumerate((0.02, 0.0, -0.02, -0.04)):
        joints[0, 5 + 4 * i : 9 + 4 * i] = [(x, 0.09 + 0.03 * j, 0.0) for j in range(4)]
    joints *= np.sign(palm_normal(joints[0])[2]), 1, 1
    base, angle = 5 + 4 * finger, np.radians(degrees)
    back = np.array([0, np.cos(angle), -np.sin(angle)])
    joints[0, base + 1 : base + 4] = joints[0, base] + np.outer([0.03, 0.06, 0.09], back)
    assert degrees_beyond(joints, GateSettings())[0] == pytest.approx(beyond, abs=0.5)
