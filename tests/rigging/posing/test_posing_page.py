"""docs/posing.md: its code runs, as one program, and the shapes in its comments hold."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from rigging.fingers.hinges import rest_directions
from rigging.hand.asset import load_asset
from rigging.posing.export import FORMATS
from rigging.posing.rig import KEYS, OPTIONAL

PAGE = Path(__file__).parents[3] / "docs" / "posing.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> dict:
    """What the page's program has defined at its end, and the folder it ran in."""
    folder = tmp_path_factory.mktemp("page")
    names: dict = {"__name__": "page", "folder": folder}
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(folder)
        exec(compile("\n".join(BLOCKS), str(PAGE), "exec"), names)
    return names


def test_arrays_have_the_shapes_that_comments_say(page):
    said = re.findall(r"^(\w+\.\w+) +# \(([\d, ]+)\)", "\n".join(BLOCKS), re.MULTILINE)
    assert len(said) == 6
    for expression, shape in said:
        assert eval(expression, page).shape == tuple(map(int, shape.split(","))), expression


def test_the_rig_of_sticks_follows_the_recorded_bones(page):
    robot = page["robot"]
    ends = robot.vertices.reshape(12, 21, 6, 3)[:, :, [0, 5]]
    directions = np.diff(ends, axis=2)[:, 1:, 0]
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    turned = np.einsum("tbij,bj->tbi", robot.rotations, rest_directions(load_asset().joints))[:, 1:]
    np.testing.assert_allclose(directions, turned, atol=1e-9)
    a, b, c = np.moveaxis(robot.vertices[0][robot.faces], 1, 0)
    volumes = np.einsum("fi,fi->f", a, np.cross(b, c)).reshape(21, 8).sum(axis=1)
    assert (volumes > 0).all()  # every stick's inside is inside


def test_the_files_it_names_are_written(page):
    for name in re.findall(r"out/[\w./]+\.\w{3}", BLOCKS[-1]):
        assert (page["folder"] / name).is_file(), name


def test_its_tables_name_every_key_of_a_rig_and_every_format():
    for key in (*KEYS, *OPTIONAL):
        assert f"| `{key}` | ({', '.join(map(str, (KEYS | OPTIONAL)[key]))}) |" in TEXT
    for name in FORMATS:
        assert f"\n| `{name}` | one per" in TEXT
