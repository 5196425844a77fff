"""Boxes and cameras as users give them."""

from __future__ import annotations

import json
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from baselines.inference.boxes import Finder, mediapipe_detector, read_boxes
from baselines.inference.cameras import read_cameras, read_intrinsics
from rigging.errors import InputError

PICTURE = np.zeros((60, 80, 3), np.uint8)
K = [[300.0, 0, 40], [0, 310, 30], [0, 0, 1]]


def test_a_box_is_for_all_pictures_or_for_each_by_name_or_in_order(tmp_path):
    assert read_boxes("1,2,3.5,4", ["a.png"])[""].tolist() == [1, 2, 3.5, 4]
    (tmp_path / "named.json").write_text('{"b.png": [5, 6, 7, 8], "a.png": [1, 2, 3, 4]}')
    (tmp_path / "list.json").write_text("[[1, 2, 3, 4], [5, 6, 7, 8]]")
    for name in ("named.json", "list.json"):
        finder = Finder(read_boxes(str(tmp_path / name), ["a.png", "b.png"]), None)
        assert finder("b.png", PICTURE).corners.tolist() == [5, 6, 7, 8]
        assert finder("a.png", PICTURE).how == "box"


@pytest.mark.parametrize("text", ["1,2,3", "3,2,1,4", "1,2,nan,4", "1,2,inf,4", "nowhere.json"])
def test_what_is_no_box_is_said(text):
    with pytest.raises(InputError, match=f"--box {text}.*x0,y0,x1,y1 in px"):
        read_boxes(text, ["a.png"])


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("[[1,2,3,4]]", "1 boxes for 2"),
        ("{", "cannot be read as JSON"),
        ('{"a.png": "x"}', "a.png: 'x'"),
        ("3", "table"),
    ],
)
def test_what_is_no_file_of_boxes_is_said(tmp_path, content, line):
    (tmp_path / "boxes.json").write_text(content)
    with pytest.raises(InputError, match=line):
        read_boxes(str(tmp_path / "boxes.json"), ["a.png", "b.png"])


def test_a_box_beside_the_picture_or_for_another_one_is_refused():
    with pytest.raises(InputError, match=r"outside a\.png, which has 80 x 60 px"):
        Finder(read_boxes("80,0,90,10", []), None)("a.png", PICTURE)
    with pytest.raises(InputError, match=r"none is for a\.png; there are boxes for: b\.png"):
        Finder({"b.png": np.arange(4.0)}, None)("a.png", PICTURE)
    assert Finder(read_boxes("-20,50,10,100", []), None)("a.png", PICTURE).corners[3] == 100  # the hand is cut off


def test_without_a_box_a_detector_is_asked_and_if_it_finds_none_the_whole_picture_is_taken(caplog):
    assert Finder(None, lambda picture: np.array([1.0, 2, 3, 4]))("a.png", PICTURE).how == "MediaPipe"
    box = Finder(None, lambda picture: None)("a.png", PICTURE)
    assert box.how == "whole picture" and box.corners.tolist() == [0, 0, 80, 60]
    assert "a.png: MediaPipe finds no hand" in caplog.text
    assert Finder(None, None)("a.png", PICTURE).how == "whole picture"


def test_mediapipe_says_the_box_of_its_joints(monkeypatch):
    """The real one is not installed for tests: this is its interface, as version 0.10 has it."""
    points = [SimpleNamespace(x=x, y=y) for x, y in ((0.25, 0.5), (0.5, 0.75), (0.3, 0.1))]
    answer = SimpleNamespace(multi_hand_landmarks=[SimpleNamespace(landmark=points)])
    module = ModuleType("mediapipe.python.solutions.hands")
    module.Hands = lambda **_: SimpleNamespace(process=lambda picture: answer)
    for name in ("mediapipe", "mediapipe.python", "mediapipe.python.solutions"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    np.testing.assert_allclose(mediapipe_detector()(PICTURE), [20, 6, 40, 45])
    monkeypatch.delitem(sys.modules, module.__name__)
    assert mediapipe_detector() is None  # of a late version, which brings no models


def test_K_is_four_numbers_or_a_file(tmp_path):
    (tmp_path / "K.json").write_text(json.dumps({"K": K}))
    np.savez(tmp_path / "K.npz", K=K)
    for text in ("300,310,40,30", str(tmp_path / "K.json"), str(tmp_path / "K.npz")):
        assert read_intrinsics(text).tolist() == K


@pytest.mark.parametrize("text", ["300,310,40", "0,310,40,30", "-3,310,40,30", "nan,310,40,30", "nowhere.json"])
def test_what_is_no_K_is_said(text):
    with pytest.raises(InputError, match=r"^--K"):
        read_intrinsics(text)


def cameras(**changes: object) -> dict:
    """Two cameras, with changes."""
    return {"K": [K, K], "world_to_cam": np.tile(np.eye(4), (2, 1, 1)).tolist()} | changes


def test_cameras_are_read_as_the_loader_has_them(tmp_path):
    (tmp_path / "c.json").write_text(json.dumps(cameras()))
    np.savez(tmp_path / "c.npz", **cameras())
    for name in ("c.json", "c.npz"):
        read, poses = read_cameras(tmp_path / name, 2)
        assert read.tolist() == [K, K] and poses.shape == (2, 4, 4)


def test_cameras_that_cannot_be_are_refused_in_one_line(tmp_path):
    poses = np.tile(np.eye(4), (2, 1, 1))
    mirror, missing = poses * [[[-1], [1], [1], [1]]], poses.copy()
    missing[1, 0, 3] = np.nan
    wrong = {
        r"K has shape \(1, 3, 3\); 2 pictures want \(2, 3, 3\)": cameras(K=[K]),
        "no K in it; there is: world_to_cam": {"world_to_cam": poses.tolist()},
        "camera 1: world_to_cam is": cameras(world_to_cam=missing.tolist()),
        "camera 0: world_to_cam holds no rotation": cameras(world_to_cam=mirror.tolist()),
        "camera 0: K is": cameras(K=[[[1, 0, 0]] * 3] * 2),
        "holds more than numbers": cameras(K="x"),
    }
    for line, table in wrong.items():
        (tmp_path / "c.json").write_text(json.dumps(table))
        with pytest.raises(InputError, match=line):
            read_cameras(tmp_path / "c.json", 2)
    (tmp_path / "c.npz").write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(InputError, match="cannot be read as npz"):
        read_cameras(tmp_path / "c.npz", 2)
