"""Opening a source by name: what is not allowed is named together with what is."""

from __future__ import annotations

import numpy as np
import pytest
from layouts import in_order, mirrored, moving_hand, nyu_array, nyu_hand, write_nyu

from rigging.command_line import main
from rigging.poses.clip import PoseClip, PoseError, save_clip
from rigging.poses.gate.gate import gate_source
from rigging.poses.registry import SOURCES, open_source
from rigging.poses.rejects import count_reasons


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            "nyuu:here",
            "'nyuu' is unknown, allowed are procedural, nyu, hanco, freihand, interhand, dexycb, webxr, leap",
        ),
        ("hanco", "hanco needs a path, as in hanco:PATH"),
        ("hanco:here?valid=true", "hanco has no option 'valid', allowed are split, is_valid, has_fit"),
        ("hanco:here?is_valid=yes", "is_valid is 'yes', allowed are true, false"),
        ("hanco:here?is_valid", "'is_valid' has no value"),
        ("nyu:here?tip=nail", "tip is 'nail', allowed are skin, centre"),
        ("nyu:here?views=0+two", "views is 'two', allowed is a whole number"),
        ("npz:here?fps=fast", "fps is 'fast', allowed is a number"),
        ("npz:here?threshold=nan", "threshold is 'nan', allowed is a number"),
        ("npz:here?fps=inf", "fps is 'inf', allowed is a number"),
    ],
)
def test_a_wrong_spec_is_one_clear_line(spec, message):
    with pytest.raises(PoseError, match=message.replace("?", r"\?")) as caught:
        open_source(spec)
    assert "\n" not in str(caught.value)


def test_options_come_as_text_or_as_keywords():
    text, keywords = open_source("nyu:here?views=0+2,tip=centre"), open_source("nyu:here", views=(0, 2), tip="centre")
    assert text == keywords and text.views == (0, 2)
    assert open_source("npz:here?fps=none").fps is None and open_source("npz:here?fps=30").fps == 30
    assert open_source("nyu:here", views=[1]).views == (1,) and open_source("npz:here", fps=30).fps == 30.0


@pytest.mark.parametrize(
    ("spec", "options", "message"),
    [
        ("nyu:here", {"tip": "nail"}, "tip is 'nail', allowed are skin, centre"),
        ("nyu:here", {"views": 1}, "views is 1, allowed is tuple"),
        ("nyu:here", {"views": ["0"]}, "views is '0', allowed is a whole number"),
        ("hanco:here", {"is_valid": "yes"}, "is_valid is 'yes', allowed is bool"),
        ("npz:here", {"fps": True}, "fps is True, allowed is a number"),
        ("npz:here", {"rejects": []}, "no option 'rejects'"),
    ],
)
def test_a_keyword_of_the_wrong_type_is_named(spec, options, message):
    with pytest.raises(PoseError, match=message):
        open_source(spec, **options)


@pytest.mark.parametrize("name", sorted(set(SOURCES) - {"procedural"}))
def test_a_path_that_does_not_exist_is_named(name, tmp_path):
    source = open_source(f"{name}:{tmp_path / 'gone'}", **({"hand": "left"} if name == "webxr" else {}))
    with pytest.raises(FileNotFoundError, match="gone"):
        list(source.clips())


def test_npz_folders_hold_our_clips_and_plain_arrays(tmp_path):
    joints = moving_hand(4)
    clip = PoseClip(joints=joints, name="walk/1", subject="s", source="procedural", licence="CC0")
    save_clip(tmp_path / "a.npz", clip)
    np.savez(tmp_path / "b.npz", joints=1000 * mirrored(joints), hand="left", fps=30, up=(1.0, 0.0, 0.0), subject="p")
    own, plain = open_source(f"npz:{tmp_path}").clips()
    assert own.name == "walk/1" and own.source == "procedural"
    np.testing.assert_allclose(plain.joints, joints, atol=1e-6)  # millimetres and the left hand are undone
    assert plain.mirrored and plain.fps == 30 and plain.up == (-1, 0, 0) and plain.subject == "p"
    assert plain.sha256 and plain.licence == "unknown"


def test_an_npz_in_another_order_gets_its_wrist_back(tmp_path):
    joints = moving_hand(3)
    palm = joints.copy()
    palm[:, 0] = (joints[:, 0] + joints[:, 9]) / 2
    path = tmp_path / "stb.npz"
    np.savez(path, joints=in_order("stb", palm), order="stb")
    (clip,) = open_source(f"npz:{path}?wrist_from=middle").clips()
    np.testing.assert_allclose(clip.joints, joints, atol=1e-6)
    assert clip.wrist_def == "extrapolated"
    (ring,) = open_source(f"npz:{path}").clips()
    assert np.linalg.norm(ring.joints[:, 0] - joints[:, 0], axis=-1).min() > 0.01


def test_npz_units_and_orders_are_checked(tmp_path):
    path = tmp_path / "joints.npz"
    np.savez(path, joints=moving_hand(2) * 1000)
    with pytest.raises(PoseError, match=r"joints\.npz.* m: it looks like mm"):
        list(open_source(f"npz:{path}", unit="m").clips())
    np.savez(path, joints=moving_hand(2) * 20)
    assert count_reasons(gate_source(open_source(f"npz:{path}")).rejects) == {"extent": 2}
    with pytest.raises(PoseError, match=r"\(T, 25, 3\)"):
        list(open_source(f"npz:{path}", order="webxr25").clips())
    np.savez(path, points=moving_hand(2))
    with pytest.raises(PoseError, match="unknown key points, allowed are joints, valid"):
        list(open_source(f"npz:{path}").clips())


def test_the_command_prints_counts_and_writes_the_rejects(tmp_path, capsys):
    joints = nyu_hand(30)
    array = nyu_array(joints)
    array[:, 12] = np.nan
    write_nyu(tmp_path / "joint_data.mat", array)
    rejects = tmp_path / "rejects.csv"
    assert main(["poses", f"nyu:{tmp_path}", "--rejects", str(rejects)]) == 0
    out = capsys.readouterr().out
    assert "accepted  29 of 30 frames, in 2 clips" in out and "1  missing" in out
    assert rejects.read_text().splitlines() == [
        "source,clip,frame,reason,detail,pose",
        f"nyu,{tmp_path.name}/view0,12,missing,not finite or all zero,",
    ]
    assert main(["poses", f"nyu:{tmp_path / 'gone'}"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_path_without_a_source_is_told_how_to_say_one(tmp_path):
    (tmp_path / "take.npz").touch()
    with pytest.raises(PoseError, match=r"; of a file, say which, as in npz:.*take\.npz\?fps=30$"):
        open_source(f"{tmp_path / 'take.npz'}?fps=30")
