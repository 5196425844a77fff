"""Damaged copies of RHD, FreiHAND, HanCo and Dexter+Object: one line says what is wrong and where, and no code runs."""

from __future__ import annotations

import json
import pickle
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from baselines.adapters import open_real
from rigging.command_line import main
from rigging.errors import InputError


class Evil:
    """Asks whoever unpickles it to call something."""

    def __init__(self, call: object, *arguments: object) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> tuple:
        return self.call, self.arguments


@dataclass(frozen=True)
class Break:
    """Something wrong with a copy of a folder, and what is said of it; content None is a file that is not there."""

    name: str
    path: str
    content: object
    says: str


GOOD = {"xyz": np.ones((42, 3)), "uv_vis": np.ones((42, 3)), "K": np.eye(3)}
ANNO, K = "training/anno_training.pickle", [np.eye(3).tolist()] * 8
CASES = [
    Break("rhd", ANNO, None, "anno_training.pickle: no such file"),
    Break("rhd", ANNO, b"\x80\x02}", "anno_training.pickle: cannot be read as pickled arrays"),
    Break("rhd", ANNO, pickle.dumps([1], 2), "a dict with an entry for each picture is wanted, got list"),
    Break("rhd", ANNO, pickle.dumps({0: 1}, 2), "picture 0: xyz with shape (42, 3) is wanted, got int"),
    Break("rhd", ANNO, pickle.dumps({7: GOOD | {"K": np.eye(4)}}, 2), "picture 7: K with shape (3, 3) is wanted, got"),
    Break("rhd", ANNO, pickle.dumps({0: GOOD | {"xyz": np.full((42, 3), np.nan)}}, 2), "picture 0: xyz is not finite"),
    Break("rhd", ANNO, pickle.dumps({"a": GOOD}, 2), "'a' is no number of a picture"),
    Break("rhd", "training/mask/00000.png", None, "mask/00000.png: no such picture"),
    Break("rhd", "training/color/00000.png", b"x", "color/00000.png: cannot be read as a picture"),
    Break("freihand", "training_xyz.json", b"[[", "training_xyz.json: not a whole JSON file"),
    Break("freihand", "training_xyz.json", [[[0, 0, 0]] * 20], "training_xyz.json: shape (1, 20, 3), allowed is"),
    Break("freihand", "training_xyz.json", [], "training_xyz.json: "),
    Break("freihand", "training_K.json", None, "training_K.json: no such file"),
    Break("freihand", "training_K.json", K[:2], "training_xyz.json has 3 entries, training_K.json has 2"),
    Break("freihand", "training_K.json", [[[None] * 3] * 3] * 3, "training_xyz.json or _K.json: entry 0 is not finite"),
    Break("freihand", "training/rgb/00000000.jpg", b"", "00000000.jpg: cannot be read as a picture"),
    Break("hanco", "meta.json", None, "meta.json: no such file"),
    Break("hanco", "meta.json", {"has_fit": [[True]]}, "meta.json: no is_train, "),
    Break("hanco", "xyz/0005/00000001.json", [[0, 0, 0]] * 20, "xyz/0005/00000001.json: shape (20, 3), allowed is"),
    Break("hanco", "calib/0005/00000001.json", [], "calib/0005/00000001.json: K: "),
    Break("hanco", "calib/0005/00000001.json", {"K": K}, "calib/0005/00000001.json: M: "),
    Break("hanco", "calib/0005/00000001.json", {"K": K[:4], "M": []}, "K: shape (4, 3, 3), allowed is (8, 3, 3)"),
    Break("dexter", "data/Grasp1/annotations/Grasp13D.txt", None, "Grasp13D.txt: no such file"),
    Break("dexter", "data/Grasp1/annotations/Grasp13D.txt", b"1, 2; 3\n", "line 1: '1, 2; 3': 5 points of 3 numbers"),
    Break("dexter", "data/Grasp1/annotations/Grasp12D.txt", b"1,2;" * 5, "2 rows, but Grasp12D.txt has 1"),
    Break(
        "dexter", "data/Grasp1/annotations/Grasp12D.txt", b"300,9;300,9;300,9;300,9;300,9;\n" * 2, "from the 2D labels"
    ),
    Break("dexter", "data/Grasp1/color/image_0001_color.png", None, "1 pictures, but Grasp13D.txt has 2 rows"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name} {case.says[:40]}")
def test_damaged_files_are_named_in_one_line(request, tmp_path, case):
    root = copied(request, tmp_path, case.name)
    if case.content is None:
        (root / case.path).unlink()
    else:
        content = case.content if isinstance(case.content, bytes) else json.dumps(case.content).encode()
        (root / case.path).write_bytes(content)
    with pytest.raises((InputError, FileNotFoundError)) as caught:
        open_real(f"{case.name}:{root}").read(0)
    assert case.says in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("protocol", [0, 2, pickle.HIGHEST_PROTOCOL])
@pytest.mark.parametrize(
    "evil", [Evil(print, "ran"), Evil(eval, "1"), Evil(getattr, "ran", "upper"), Evil(Path.touch, Path("ran"))]
)
def test_a_pickle_that_asks_for_anything_but_arrays_is_refused(request, tmp_path, evil, protocol, capsys, monkeypatch):
    """Wherever in the file it hides: in an entry, or as the object of an array of objects."""
    monkeypatch.chdir(tmp_path)
    root = copied(request, tmp_path, "rhd")
    for hidden in ({0: GOOD | {"more": evil}}, {0: GOOD | {"xyz": np.array([evil], object)}}):
        (root / ANNO).write_bytes(pickle.dumps(hidden, protocol))
        with pytest.raises(InputError, match=r"cannot be read as pickled arrays \(it asks for "):
            open_real(f"rhd:{root}")
    assert "ran" not in capsys.readouterr().out and not Path("ran").exists()


def test_an_array_of_objects_is_no_label(request, tmp_path):
    root = copied(request, tmp_path, "rhd")
    (root / ANNO).write_bytes(pickle.dumps({0: GOOD | {"K": np.full((3, 3), "1", object)}}))
    with pytest.raises(InputError, match=r"picture 0: K with shape \(3, 3\) is wanted"):
        open_real(f"rhd:{root}")


@pytest.mark.parametrize("protocol", [0, 1, 2, pickle.HIGHEST_PROTOCOL])
def test_pickles_of_either_python_are_read(request, tmp_path, protocol):
    root = copied(request, tmp_path, "rhd")
    before = open_real(f"rhd:{root}").read(0)
    (root / ANNO).write_bytes(pickle.dumps(pickle.loads((root / ANNO).read_bytes()), protocol))
    np.testing.assert_array_equal(open_real(f"rhd:{root}").read(0)["joints_cam"], before["joints_cam"])


@pytest.mark.parametrize(
    ("name", "file", "factor"), [("freihand", "training_xyz.json", 1000), ("hanco", "xyz/0005/00000001.json", 1000)]
)
def test_labels_in_millimetres_are_refused(request, tmp_path, name, file, factor):
    root = copied(request, tmp_path, name)
    joints = np.array(json.loads((root / file).read_text()))
    (root / file).write_text(json.dumps((factor * joints).tolist()))
    with pytest.raises(InputError, match="it looks like mm"):
        open_real(f"{name}:{root}").read(0)


def test_other_folders_are_named_in_one_line(tmp_path, stb, rhd):
    for name, says in (
        ("rhd", "neither training nor evaluation in it; the folder of RHD holds them"),
        ("freihand", "neither training nor evaluation in it; the folder of FreiHAND holds them"),
        ("hanco", "no rgb and no xyz and no calib in it; the folder of HanCo holds"),
        ("dexter", "no data in it; the folder of Dexter.Object holds data"),
    ):
        with pytest.raises(InputError, match=says):
            open_real(f"{name}:{stb}")
        with pytest.raises(FileNotFoundError, match="none: no such folder; the one that holds"):
            open_real(f"{name}:{tmp_path / 'none'}")
    with pytest.raises(InputError, match=r"no training_xyz\.json and no evaluation_xyz\.json"):
        open_real(f"freihand:{rhd}")
    (tmp_path / "data").mkdir()
    with pytest.raises(InputError, match="none of Grasp1, Grasp2, Occlusion, Pinch, Rigid, Rotate in it"):
        open_real(f"dexter:{tmp_path}")


def test_commands_name_the_adapters_there_are(tmp_path, capsys):
    """What has an adapter's form but not its name, or no such split, is one line; a path may hold a colon."""
    for spec, says in (
        ("rdh:/data/RHD", "with a NAME of stb, mhp, rhd, freihand, hanco, dexter; did you mean 'rhd'?"),
        ("rhd:", "'rhd:': NAME:PATH is wanted"),
        (f"{tmp_path}/a:b", "a:b: no such data set"),
        (f"dexter:{tmp_path}", "no data in it; the folder of Dexter+Object holds data"),
    ):
        assert main(["train", spec, "--model", "mvhm_sv", "--out", str(tmp_path / "out")], ("baselines",)) == 2
        error = capsys.readouterr().err
        assert says in error and error.count("\n") == 1 and not (tmp_path / "out").exists()


def copied(request: pytest.FixtureRequest, tmp_path: Path, name: str) -> Path:
    """A copy of the folder of a data set, to break."""
    shutil.copytree(request.getfixturevalue(name), tmp_path / name)
    return tmp_path / name
