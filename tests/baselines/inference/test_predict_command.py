"""`mvhm predict` from words to files, and what it says of words that make no sense."""

from __future__ import annotations

import errno
import json
import re

import cv2
import numpy as np
import pytest
from inference_cases import VIEWS, Views, a_run

from baselines.inference import job as job_module
from baselines.inference.answer import view_answer
from baselines.inference.boxes import Box
from baselines.inference.estimate import Hand, view_of
from rigging.command_line import main
from rigging.geometry.projection import project


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The folders of a single-view run, of a multi-view one, and of one that is both."""
    folder = tmp_path_factory.mktemp("runs")
    return {name: str(a_run(folder / name, name)) for name in ("mvhm_sv", "mvhm_mv", "hamuco")}


@pytest.fixture
def files(tmp_path):
    """Pictures of the views, their cameras and boxes."""
    source, pictures = Views(), tmp_path / "pictures"
    pictures.mkdir()
    source.write(pictures)
    table = {"K": source.K.tolist(), "world_to_cam": source.world_to_cam.tolist()}
    (tmp_path / "cameras.json").write_text(json.dumps(table))
    (tmp_path / "boxes.json").write_text(json.dumps(source.boxes()))
    return tmp_path


def predict(files, run, *words):
    """The exit code; the answers are in files / "out"."""
    words = [word.replace("HERE", str(files)) for word in words]
    begin = ["predict", "--checkpoint", run, "--out", str(files / "out"), "--device", "cpu", "--threads", "1"]
    return main([*begin, *words], ("baselines",))


def answer(files, name):
    """An answer, read again."""
    return json.loads((files / "out" / f"{name}.json").read_text())


def test_a_photograph_with_K_and_size_is_answered_in_metres(files, runs, capsys):
    words = ("HERE/pictures/view0.png", "--K", "300,310,66,45", "--hand-length", "0.18", "--box", "30,10,90,80")
    assert predict(files, runs["mvhm_sv"], *words) == 0
    assert capsys.readouterr().out == f"{files / 'out'}: 1 picture\n"
    told = answer(files, "view0")
    assert told["metric"] and told["scale"] == "m: K and the hand's length of 0.18 m are given"
    assert told["box"] == [30, 10, 90, 80] and told["box_from"] == "box" and told["K_from"] == "given"
    assert told["size"] == [128, 96] and told["hand"] == "right" and len(told["joint_names"]) == 21
    joints = np.array(told["joints_cam"])
    chain = np.linalg.norm(np.diff(joints[[0, 9, 10, 11, 12]], axis=0), axis=1).sum()
    assert chain == pytest.approx(0.18, abs=1e-4)
    seen = project(joints, np.array([told["K"]]), np.eye(4)[None])[0]
    np.testing.assert_allclose(seen, told["joints_2d"], atol=0.1)
    lines = (files / "out" / "view0.obj").read_text().splitlines()
    assert sum(line.startswith("v ") for line in lines) == 2651
    drawn = cv2.imread(str(files / "out" / "view0.png"))
    assert drawn.shape == (4 * 96, 2 * 4 * 128, 3)  # joints, and beside them the mesh


@pytest.mark.parametrize(
    ("words", "lacks"),
    [
        ((), "without K, .* and without the hand's length"),
        (("--K", "300,310,66,45"), "up to scale: without the hand's length, for which a believed one stands"),
        (("--hand-length", "0.18"), "up to scale: without K, so that the shape is that which an assumed camera sees$"),
    ],
)
def test_what_is_not_known_makes_an_answer_up_to_scale_and_it_says_so(files, runs, words, lacks):
    assert predict(files, runs["mvhm_sv"], "HERE/pictures/view0.png", *words) == 0
    told = answer(files, "view0")
    assert not told["metric"]
    assert re.search(lacks, told["scale"])


def test_a_folder_is_answered_picture_by_picture_and_a_broken_one_left_out(files, runs, caplog):
    content = (files / "pictures" / "view1.png").read_bytes()
    (files / "pictures" / "view1.png").write_bytes(content[:300])
    assert predict(files, runs["mvhm_sv"], "HERE/pictures", "--left") == 0
    found = sorted(path.name for path in (files / "out").iterdir())
    assert found == [f"view{view}.{ending}" for view in (0, 2) for ending in ("json", "obj", "png")]
    assert "view1.png: cannot be read as a picture; it is left out" in caplog.text
    assert answer(files, "view0")["hand"] == "left"


def test_triangles_of_a_left_hand_face_outwards(files, runs):
    volumes = {}
    for words in ((), ("--left",)):
        assert predict(files, runs["mvhm_sv"], "HERE/pictures/view0.png", "--overwrite", *words) == 0
        lines = [line.split() for line in (files / "out" / "view0.obj").read_text().splitlines()]
        faces = [[int(one) for one in line[1:]] for line in lines if line[0] == "f"]
        volumes[words] = faces[0]
    assert volumes[()] == volumes["--left",][::-1]


@pytest.mark.parametrize("name", ["mvhm_sv", "mvhm_mv"])
def test_several_views_with_cameras_are_one_hand(files, runs, name):
    words = ("HERE/pictures", "--cameras", "HERE/cameras.json", "--box", "HERE/boxes.json")
    assert predict(files, runs[name], *words) == 0
    told = answer(files, "hand")
    assert told["metric"] and len(told["views"]) == VIEWS and told["estimator"] == name
    world = np.array(told["joints_world"])
    for view in told["views"]:
        pose = np.array(view["world_to_cam"])
        np.testing.assert_allclose(world @ pose[:3, :3].T + pose[:3, 3], view["joints_cam"], atol=1e-5)
    endings = {"hand.json", "hand.obj", *(f"view{view}.png" for view in range(VIEWS))}
    assert {path.name for path in (files / "out").iterdir()} == endings


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["HERE/nowhere.png"], "nowhere.png: no such picture"),
        (["HERE/boxes.json"], "boxes.json: cannot be read as a picture"),
        (["HERE/pictures/view0.png", "--box", "200,0,300,50"], "outside view0.png, which has 128 x 96 px"),
        (["HERE/pictures/view0.png", "--box", "HERE/boxes.json"], "3 boxes for 1 pictures"),
        (["HERE/pictures", "--cameras", "HERE/nowhere.json"], "nowhere.json: no such file of cameras"),
        (["HERE/pictures/view0.png", "--cameras", "HERE/cameras.json"], "two or more pictures"),
        (["HERE/pictures/view0.png", "HERE/pictures/view1.png", "--cameras", "HERE/cameras.json"], "2 pictures want"),
        (["HERE/pictures", "--cameras", "HERE/cameras.json", "--K", "1,1,1,1"], "--K: with --cameras it follows"),
        (["HERE/pictures/view0.png", "--hand-length", "18"], "--hand-length 18: 0.05 to 0.4 m is allowed"),
        (["HERE/pictures/view0.png", "HERE/pictures"], "would both be written as"),
        (["HERE/pictures/view0.png", "--device", "cuda:99"], "--device cuda:99: no such GPU"),
        (["HERE/pictures/view0.png", "--out", "HERE/pictures"], "is an input; choose another folder"),
        (["HERE/pictures/view0.png", "--out", "HERE/cameras.json/x"], "Not a directory"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_written(files, runs, capsys, words, line):
    assert predict(files, runs["mvhm_sv"], *words) == 2
    told = capsys.readouterr().err
    assert line in told and told.count("\n") == 1
    assert not (files / "out").exists() and len(list((files / "pictures").iterdir())) == VIEWS


def test_checkpoints_of_the_wrong_kind_are_refused(files, runs, capsys):
    for run, line in ((runs["mvhm_mv"], "mvhm_mv wants several views of one hand, with --cameras"),
                      (str(files / "pictures"), "no folder of a run")):  # fmt: skip
        assert predict(files, run, "HERE/pictures/view0.png") == 2
        assert line in capsys.readouterr().err and not (files / "out").exists()


def test_hamuco_answers_a_photograph_by_its_single_view_and_several_by_their_fusion(files, runs):
    words = ("HERE/pictures/view0.png", "HERE/pictures/view1.png", "HERE/pictures/view2.png", "--box")
    assert predict(files, runs["hamuco"], *words, "HERE/boxes.json") == 0
    alone = [answer(files, f"view{view}") for view in range(VIEWS)]
    cameras = ("HERE/boxes.json", "--cameras", "HERE/cameras.json", "--overwrite")
    assert predict(files, runs["hamuco"], *words, *cameras) == 0
    together = answer(files, "hand")
    assert np.array(together["joints_world"]).shape == (21, 3)
    said = [np.array(one["joints_2d"]) for one in together["views"]]
    assert all(np.abs(one - other["joints_2d"]).max() > 0.1 for one, other in zip(said, alone))


def test_answers_that_are_there_stay_unless_that_is_wished(files, runs, capsys):
    (files / "out").mkdir()
    (files / "out" / "view0.json").write_text("mine")
    assert predict(files, runs["mvhm_sv"], "HERE/pictures/view0.png") == 2
    assert "view0.json is there already; choose another folder, or --overwrite" in capsys.readouterr().err
    assert (files / "out" / "view0.json").read_text() == "mine"
    assert predict(files, runs["mvhm_sv"], "HERE/pictures/view0.png", "--overwrite") == 0


@pytest.mark.parametrize(
    ("fault", "code", "line"),
    [
        (KeyboardInterrupt(), 130, "interrupted: files that are written are whole"),
        (OSError(errno.ENOSPC, "No space left on device", "view1.png"), 75, "view1.png: No space left on device"),
    ],
)
def test_what_ends_early_leaves_whole_files(files, runs, capsys, monkeypatch, fault, code, line):
    save, saved = job_module.save, []

    def failing(path, picture):
        if saved:
            raise fault
        saved.append(save(path, picture))

    monkeypatch.setattr(job_module, "save", failing)
    assert predict(files, runs["mvhm_sv"], "HERE/pictures") == code
    assert line in capsys.readouterr().err
    assert answer(files, "view0")["picture"] == "view0.png"
    assert {path.name for path in (files / "out").iterdir()} == {"view0.png", "view0.json", "view0.obj", "view1.obj"}


def test_what_is_no_number_is_written_as_null():
    view = view_of("a.png", Views().rgb[0], Box(np.array([30.0, 10, 90, 80]), "box"), 1.3)
    told = view_answer(view, Hand(np.full((21, 3), np.nan), np.full((21, 2), 1.23456)))
    assert told["joints_cam"][0] == [None] * 3 and told["joints_2d"][0] == [1.235] * 2
