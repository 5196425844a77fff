"""The command line: documentation of the format, checks, and exit codes for bad input."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from records import make_record, shard_record

from dataset_tools import HandDataset
from dataset_tools.check.shard import check_shard, draw_mesh, intersection_over_union
from dataset_tools.format.format_page import format_page
from dataset_tools.format.schema import SAMPLE_FIELDS, SHARD_FIELDS
from dataset_tools.store.encode import encode_sample
from dataset_tools.store.writer import write_manifest, write_shard
from rigging.command_line import main
from rigging.geometry.projection import project, triangulate

DOCS = Path(__file__).parents[2] / "docs"


def test_the_format_page_is_written_from_the_schema():
    page = (DOCS / "format.md").read_text(encoding="utf-8")
    assert page == format_page(), "run: mvhm format --write docs/format.md"
    for name in (*SAMPLE_FIELDS, *SHARD_FIELDS):
        assert f"| `{name}` |" in page


def test_format_prints_or_writes(capsys, tmp_path):
    assert main(["format"]) == 0
    assert capsys.readouterr().out == format_page()
    assert main(["format", "--write", str(tmp_path / "f.md")]) == 0
    assert (tmp_path / "f.md").read_text(encoding="utf-8") == format_page()


def test_info_says_what_a_release_holds(release, capsys):
    assert main(["info", str(release)]) == 0
    out = capsys.readouterr().out
    assert "2 shard(s), 4 samples, 32 views" in out
    assert "subject: 3 4\n" in out
    assert "hand: right 4\n" in out


def test_a_good_release_passes_the_check(release, capsys):
    assert main(["check", str(release)]) == 0
    assert capsys.readouterr().out.count(": ok, ") == 2


def wrong(record: dict, kind: str) -> dict:
    """A record that fits the schema and contradicts itself."""
    record = dict(record)
    if kind == "alpha":
        record["alpha"] = np.roll(record["alpha"], 9, axis=2)
    elif kind == "background":
        record["depth"] = np.where(record["parts"] == 18, np.float32(0), record["depth"])
    else:
        record["flow_forward_valid"] = False
    return record


@pytest.mark.parametrize(
    ("kind", "message"),
    [("alpha", "parts and alpha agree"), ("background", "depth and parts differ"), ("flow", "flow_forward is not")],
)
def test_labels_that_contradict_each_other_fail_the_check(records, kind, message, tmp_path, capsys):
    path = tmp_path / "shard-00000.h5"
    samples = [encode_sample(records[0]), encode_sample(wrong(records[1], kind))]
    write_manifest(path, write_shard(path, samples, shard_record()))
    assert main(["check", str(path)]) == 1
    out = capsys.readouterr().out
    assert "FAILED" in out
    assert f"sample 1: {message}" in out


def test_a_mesh_with_the_triangles_of_another_hand_fails_the_check(records, tmp_path, capsys):
    path, record = tmp_path / "shard-00000.h5", shard_record()
    record["faces"] = np.roll(record["faces"], 1, axis=0) + 1
    record["faces"] = (record["faces"] % 2651).astype(np.int32)
    write_manifest(path, write_shard(path, map(encode_sample, records[:2]), record))
    assert main(["check", str(path)]) == 1
    assert "the mesh in view 0 does not show the labels" in capsys.readouterr().out


def test_the_mesh_drawn_again_shows_depth_and_parts(release):
    dataset = HandDataset(release)
    for view in (0, 3):
        depth, parts = draw_mesh(dataset[1], dataset, view)
        label = dataset[1]["depth"][view]
        assert ((depth > 0) != (label > 0)).mean() < 1e-3
        both = (depth > 0) & (label > 0)
        assert np.percentile(np.abs(depth - label)[both], 99) < 1e-5
        assert (parts == dataset[1]["parts"][view])[both].mean() > 0.999


def test_a_shard_without_manifest_fails_and_with_another_one_is_refused(release, tmp_path, capsys):
    copy = tmp_path / "shard-00000.h5"
    shutil.copy(release / "shard-00000.h5", copy)
    assert check_shard(copy).problems == ("no manifest beside it",)
    shutil.copy(release / "shard-00001.json", copy.with_suffix(".json"))
    assert main(["check", str(copy)]) == 1
    assert "is not the manifest's" in capsys.readouterr().out


def test_a_damaged_shard_does_not_keep_others_from_being_checked(release, tmp_path, capsys):
    for path in release.glob("shard-0000*"):
        shutil.copy(path, tmp_path)
    broken = tmp_path / "shard-00000.h5"
    broken.write_bytes(broken.read_bytes()[:5000])
    broken.with_suffix(".json").unlink()
    assert main(["check", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "shard-00000.h5: FAILED" in out
    assert "truncated" in out
    assert "shard-00001.h5: ok" in out


def test_triangulation_finds_points_from_their_pixels_and_sees_a_moved_one():
    record = make_record(5, views=4, size=32)
    points = record["joints_world"].astype(float)
    pixels = project(points, record["K"], record["world_to_cam"])
    assert np.abs(triangulate(pixels, record["K"], record["world_to_cam"]) - points).max() < 1e-9
    pixels[2, 7] += 1
    moved = np.abs(triangulate(pixels, record["K"], record["world_to_cam"]) - points).max(1)
    assert moved.argmax() == 7
    assert moved[7] > 1e-3


def test_intersection_over_union():
    a, b = np.zeros((3, 4, 4), bool), np.zeros((3, 4, 4), bool)
    a[0, :2], b[0, 1:3] = True, True
    a[1, 0] = True
    assert intersection_over_union(a, b) == pytest.approx([1 / 3, 0, 1])


@pytest.mark.parametrize("command", [["info"], ["view"], ["sheet"]])
def test_bad_input_is_one_line_and_exit_code_2(command, tmp_path, capsys):
    (tmp_path / "a.h5").write_text("not HDF5")
    for path, message in (("a.h5", "not an HDF5 file"), ("b.h5", "no such shard")):
        assert main([*command, str(tmp_path / path)]) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
