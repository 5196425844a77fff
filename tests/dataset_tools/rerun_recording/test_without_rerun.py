"""What of `mvhm rerun` needs no Rerun: choices, places, words, and what is computed from meshes and cameras."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from records import ring, rotation

from dataset_tools.rerun_recording.chosen import FEW, choose, chosen_samples, place_of, require_memory
from dataset_tools.rerun_recording.describe import description
from dataset_tools.rerun_recording.layout import arrow_pixels, first_look, from_corners, vertex_parts
from dataset_tools.rerun_recording.span import span
from rigging.command_line import main
from rigging.errors import InputError
from rigging.hand.asset import load_asset


@pytest.mark.parametrize(("text", "given"), [("all", (0, None)), ("7", (7, 7)), ("3-9", (3, 9))])
def test_samples_are_all_one_or_from_and_to(text, given):
    assert span(text) == given


@pytest.mark.parametrize("text", ["", "-3", "9-3", "1-", "a-b", "1-2-3", "1.5"])
def test_other_words_for_samples_are_refused(text):
    with pytest.raises(ValueError):
        span(text)


def test_the_first_hundred_are_recorded_unless_others_are_asked_for():
    assert chosen_samples(480, None) == range(FEW)
    assert chosen_samples(3, None) == range(3)
    assert chosen_samples(480, (0, None)) == range(480)
    assert chosen_samples(480, (479, 479)) == range(479, 480)
    with pytest.raises(InputError, match=r"^--samples 480: there are samples 0 to 479$"):
        chosen_samples(480, (480, 480))


def test_samples_are_counted_in_their_split(release):
    dataset, chosen = choose(release, (1, 2), "train")
    assert [dataset[i]["meta"]["sample"] for i in chosen] == [1, 2]
    with pytest.raises(InputError, match=r"^--samples 2-7: there are samples 0 to 3$"):
        choose(release, (2, 7), None)
    with pytest.raises(InputError, match=r"^--out a.mp4: a recording is a .rrd$"):
        place_of(release, Path("a.mp4"))


def test_more_samples_than_memory_holds_are_refused():
    sizes = {"V": 8, "H": 256, "W": 256}
    require_memory(100, sizes, 839_000_000)
    with pytest.raises(InputError, match=r"^--samples: a recording of 101 samples takes about 0.8 GB of memory"):
        require_memory(101, sizes, 839_000_000)


def test_a_recording_lies_beside_the_release_and_never_in_it(tmp_path, monkeypatch):
    release = tmp_path / "mini-1.0.0"
    release.mkdir()
    assert place_of(release, None) == tmp_path / "mini-1.0.0.rrd"
    assert place_of(release / "shard-00002.h5", None) == tmp_path / "mini-1.0.0-shard-00002.rrd"
    monkeypatch.chdir(release)
    assert place_of(Path("."), None) == tmp_path / "mini-1.0.0.rrd"
    assert place_of(Path("shard-00002.h5"), None) == tmp_path / "mini-1.0.0-shard-00002.rrd"
    assert place_of(release, Path("../a.rrd")) == Path("../a.rrd")
    os.symlink(release, tmp_path / "link")
    for data in (release, release / "shard-00002.h5", tmp_path / "link"):
        for inside in (release / "a.rrd", Path("a.rrd"), tmp_path / "link" / "previews" / "a.rrd"):
            with pytest.raises(InputError, match="lies in the release"):
                place_of(data, inside)


def test_where_nothing_can_be_written_is_said_before_anything_is_read(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="no such folder; choose another --out"):
        place_of(tmp_path, tmp_path.parent / "nowhere" / "a.rrd")
    monkeypatch.setattr(os, "access", lambda path, mode: not (path == tmp_path.parent and mode == os.W_OK))
    with pytest.raises(InputError, match="cannot be written there; choose another --out"):
        place_of(tmp_path, None)


def test_without_rerun_one_line_says_how_to_get_it(capsys, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "rerun" else real(name))
    assert main(["rerun", "/nowhere"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "`make rerun DATA=path`" in told and "constraints-rerun.txt" in told


def test_a_vertex_has_the_part_of_most_of_its_faces():
    asset = load_asset()
    found = vertex_parts(asset.faces, asset.face_part, len(asset.template))
    for vertex in range(0, len(asset.template), 97):
        votes = [int(asset.face_part[f]) for f in range(len(asset.faces)) if vertex in asset.faces[f]]
        assert votes.count(found[vertex]) == max(votes.count(part) for part in votes)
    assert set(found) == set(asset.face_part)


@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 9))
@settings(max_examples=30, deadline=None)
def test_arrows_stand_on_a_grid_of_pixels_that_show_a_surface(height, width, seed):
    depth = np.random.default_rng(seed).integers(0, 2, (height, width)).astype(np.float32)
    step = max(1, round(max(height, width) / 20))
    expected = [
        (row, column)
        for row in range(step // 2, height, step)
        for column in range(step // 2, width, step)
        if depth[row, column] > 0
    ]
    assert [tuple(pixel) for pixel in arrow_pixels(depth).tolist()] == expected


@given(st.floats(0, 300), st.floats(0, 300), st.floats(0.1, 3))
def test_counted_from_corners_a_pixel_index_is_on_the_ray_of_its_centre(column, row, depth):
    K = np.array([[310.0, 0, 64.5], [0, 305.0, 60.25], [0, 0, 1]])
    corner = from_corners(K)
    ray = np.linalg.solve(K, [column + 0.5, row + 0.5, 1]) * depth
    np.testing.assert_allclose(np.linalg.solve(corner, [column, row, 1]) * depth, ray, atol=1e-12)


@given(st.integers(0, 20))
@settings(max_examples=10, deadline=None)
def test_the_first_look_is_upright_from_between_the_cameras_and_their_axis(seed):
    rng = np.random.default_rng(seed)
    _, matrices = ring(np.zeros(3), 8, 64)
    turned = np.eye(4)
    turned[:3, :3] = rotation(rng.normal(size=3), rng.uniform(0, 3))
    centre = rng.normal(size=3)
    shifted = np.eye(4)
    shifted[:3, 3] = -centre
    world_to_cam = matrices @ turned @ shifted
    eye, target, up = first_look(world_to_cam, centre)
    np.testing.assert_array_equal(target, centre)
    in_camera = world_to_cam[0, :3, :3] @ (centre - eye)
    assert np.linalg.norm(in_camera) == pytest.approx(0.75 * 0.6)
    assert in_camera[2] > 0 and in_camera[1] > 0 and abs(in_camera[0]) < 1e-9  # in front of it, looking down
    np.testing.assert_allclose(world_to_cam[0, :3, :3] @ up, [0, -1, 0], atol=1e-12)


META = {
    "sample": 5, "split": "val", "pair": 2, "pair_role": 1, "pose_source": "nyu", "clip": "a|b", "source_frame": "7",
    "subject": 4, "hand": "left", "hand_length": 0.1814, "ita": -14.6, "monk_bin": 7, "arm_style": "bare",
    "light": '{"hdri": "court", "exposure_ev": 0.25, "lamps": [{"kind": "sun", "kelvin": 5600.2}]}',
    "background": "not JSON",
}  # fmt: skip


def test_a_sample_is_described_in_a_table():
    lines = description(META).splitlines()
    assert lines[0] == "### Sample 5"
    assert lines[4:] == [
        "| split | val |",
        "| pair or clip | 2, pose 2 |",
        "| pose | nyu: a\\|b, frame 7 |",
        "| subject | 4, left hand, 181 mm |",
        "| skin | ITA -15°, Monk 7 |",
        "| arm | bare |",
        "| light | court, +0.25 EV, sun 5600 K |",
        "| background | - |",
    ]
