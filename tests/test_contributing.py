"""CONTRIBUTING.md: its examples do what it says, what it names is there, and the map shows today's imports."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import trimesh

from dataset_tools.format.schema import SAMPLE_FIELDS
from docs.figures import map as map_figure
from docs.figures.import_graph import PACKAGES, ROOT, modules, ours, room_of
from rigging import open_source, pose_clip
from rigging.poses.gate.gate import gate_source
from rigging.posing.export import FRAMES, export_clip

PAGE = ROOT / "CONTRIBUTING.md"
TEXT = PAGE.read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### (.+?)\n.*?```python\n(.*?)```", TEXT, flags=re.S | re.M))


def example(section: str) -> SimpleNamespace:
    """The names that the example under a headline leaves."""
    names = {"__name__": f"contributing_{section.replace(' ', '_')}"}
    exec(compile(SECTIONS[section], str(PAGE), "exec", dont_inherit=True), names)
    return SimpleNamespace(**names)


def test_every_place_for_something_new_has_an_example():
    assert list(SECTIONS) == ["Pose source", "Label", "Export", "Estimator", "Background"]


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:\w+/)+[\w.]+)`", TEXT)) - {"tests/PACKAGE/ROOM"}))
def test_what_the_page_names_is_there(path):
    assert (ROOT / path).exists()


def test_a_run_draws_what_the_last_one_drew():
    """Of networks' first weights; tests/conftest.py sees to it."""
    assert torch.initial_seed() == 0


def test_a_new_pose_source_goes_through_the_gate(tmp_path):
    pose = next(iter(open_source("procedural", count=2, seed=1).clips())).joints[0]
    joints = pose + np.linspace(0, 0.05, 6, dtype=np.float32)[:, None, None]
    lines = [",".join(map(str, frame.ravel().tolist())) for frame in joints]
    lines[2] = "not,measured"
    (tmp_path / "wave.csv").write_text("\n".join(lines), encoding="utf-8")
    gated = gate_source(example("Pose source").CsvSource(tmp_path / "wave.csv", fps=30.0))
    assert [(reject.source, reject.clip, reject.frame) for reject in gated.rejects] == [("csv", "wave", 2)]
    assert [clip.frame_ids for clip in gated.clips] == [(0, 1), (3, 4, 5)]
    np.testing.assert_array_equal(gated.clips[1].joints, joints[3:])


def test_a_new_label_is_computed_from_those_of_any_mesh():
    label = example("Label")
    parts = np.zeros((2, 6, 7), np.uint8)
    parts[0, 1:5, 2:6] = 3
    parts[1] = 18
    expected = np.zeros(parts.shape, bool)
    expected[0, 1:5, 2:6] = True
    expected[0, 2:4, 3:5] = False
    expected[1] = True
    expected[1, 1:-1, 1:-1] = False
    np.testing.assert_array_equal(label.outline(parts), expected)
    field = label.OUTLINE
    assert field.per == "view" and set(field.derived_from) <= set(SAMPLE_FIELDS) and field.name not in SAMPLE_FIELDS


def test_a_new_export_opens_in_another_program(tmp_path, monkeypatch):
    monkeypatch.setitem(FRAMES, "off", example("Export").off_bytes)
    clip = next(iter(open_source("procedural", count=2, seed=1).clips()))
    posed = pose_clip(clip)
    for path, vertices in zip(export_clip(posed, tmp_path, ["off"]), posed.vertices, strict=True):
        mesh = trimesh.load(path, process=False)
        np.testing.assert_allclose(mesh.vertices, vertices, atol=1e-6)
        np.testing.assert_array_equal(mesh.faces, posed.faces)


def test_a_new_estimator_learns():
    torch = pytest.importorskip("torch")
    from baselines.batch import Batch

    MeanPose = example("Estimator").MeanPose
    generator = torch.Generator().manual_seed(0)
    truth = torch.randn(4, 21, 3, generator=generator)
    numbers = torch.arange(4)
    batch = Batch(torch.zeros(4, 3, 8, 8), torch.eye(3).expand(4, 3, 3), torch.eye(4).expand(4, 4, 4), numbers, numbers,
                  joints_cam=truth)  # fmt: skip
    estimator = MeanPose(MeanPose.Config())
    optimiser = torch.optim.SGD(estimator.parameters(), lr=10)
    for _ in range(50):
        optimiser.zero_grad()
        estimator.losses(estimator(batch), batch)["pose"].backward()
        optimiser.step()
    found = estimator.pose(estimator(batch), batch).joints_cam.detach()
    torch.testing.assert_close(found, truth.mean(0).expand(4, 21, 3), atol=1e-4, rtol=0)
    told = estimator.pose(estimator(batch), batch, oracle=True).joints_cam
    torch.testing.assert_close(told[:, 0], truth[:, 0])


def test_a_new_background_depends_on_its_seed_alone():
    paint = example("Background").paint_wall
    light = np.full((4, 8, 3), 0.5, np.float32)
    first, again, other = (paint(seed, light, 2, (6, 5)) for seed in (7, 7, 8))
    assert first.shape == (2, 5, 6, 3) and first.dtype == np.float32 and (first > 0).all()
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


# ---- the map


def test_the_map_is_drawn_from_todays_imports():
    drawn = map_figure.OUT.read_text(encoding="utf-8")
    assert map_figure.draw_map() == drawn, "the imports have changed; run: python -m docs.figures.map"


def reachable(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for node in TopologicalSorter(graph).static_order():
        found[node] = graph[node].union(*(found[used] for used in graph[node]))
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_arrows_lead_to_all_that_a_room_imports(package):
    led_to = reachable(map_figure.room_graph(package))
    names = [name for name in modules() if room_of(name)[0] == package and "__" not in name and "." in name]
    for name in names:
        used = {map_figure.node_of(other) for other in ours(name) if other in names}
        assert used <= led_to[map_figure.node_of(name)] | {map_figure.node_of(name)}, name


def test_arrows_that_follow_from_others_are_left_out():
    graph = {"a": set(), "b": {"a"}, "c": {"a", "b"}, "d": {"a", "c"}}
    assert map_figure.reduced(graph) == {"a": set(), "b": {"a"}, "c": {"b"}, "d": {"c"}}


@pytest.mark.parametrize("package", PACKAGES)
def test_rooms_stand_to_the_right_of_what_they_import_and_none_on_another(package):
    graph = map_figure.room_graph(package)
    column = map_figure.columns_of(graph)
    row = map_figure.rows_of(graph, column)
    assert all(column[used] < column[user] for user in graph for used in graph[user])
    assert len({(column[node], row[node]) for node in graph}) == len(graph)
