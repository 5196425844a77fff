"""Films are read and written frame by frame, and are whole or not there."""

from __future__ import annotations

import json

import numpy as np
import pytest
from inference_cases import Views, a_run

from baselines.inference.film import Film, new_film
from rigging.command_line import main
from rigging.errors import DiskFullError, InputError

FRAMES = 10


@pytest.fixture
def film(tmp_path):
    """A film of ten frames, each of one grey."""
    with new_film(tmp_path / "take.mp4", 12.0) as new:
        for frame in range(FRAMES):
            new.add(np.full((96, 128, 3), 20 * frame, np.uint8))
    return tmp_path / "take.mp4"


def test_what_is_written_is_read_again(film):
    read = Film(film)
    frames = list(read)
    assert read.fps == 12 and read.count == len(frames) == FRAMES and frames[0].shape == (96, 128, 3)
    assert np.abs(np.array([frame.mean() for frame in frames]) - 20 * np.arange(FRAMES)).max() < 6  # of 255
    assert [path.name for path in film.parent.iterdir()] == ["take.mp4"]


def test_a_film_that_ends_early_or_did_not_come_out_whole_is_not_there(tmp_path):
    def write(ending):
        with new_film(tmp_path / "a.mp4", 12.0) as new:
            new.add(np.zeros((96, 128, 3), np.uint8))
            ending(new)

    def interrupt(_):
        raise KeyboardInterrupt

    def lose_one(new):
        new.frames += 1

    with pytest.raises(KeyboardInterrupt):
        write(interrupt)
    with pytest.raises(DiskFullError, match=r"a\.mp4: 1 of 2 frames"):
        write(lose_one)
    assert not list(tmp_path.iterdir())


def test_what_is_no_film_is_said(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"no film")
    with pytest.raises(InputError, match=r"a\.mp4: cannot be read as a film"):
        Film(tmp_path / "a.mp4")


def test_the_command_draws_over_every_frame_and_tells_of_each(film, tmp_path):
    run = a_run(tmp_path / "run")
    words = ["predict", "--checkpoint", str(run), str(film), "--out", str(tmp_path / "out"), "--threads", "1"]
    assert main([*words, "--device", "cpu", "--box", "20,10,100,80"], ("baselines",)) == 0
    told = json.loads((tmp_path / "out" / "take.json").read_text())
    assert told["film"] == "take.mp4" and told["fps"] == 12 and not told["metric"]
    assert [frame["frame"] for frame in told["frames"]] == list(range(FRAMES))
    drawn = Film(tmp_path / "out" / "take.mp4")
    assert len(list(drawn)) == FRAMES and drawn.fps == 12
    assert len(list((tmp_path / "out" / "take-meshes").iterdir())) == FRAMES


def test_films_have_no_cameras(film, tmp_path, capsys):
    Views().write(tmp_path)
    words = ["predict", "--checkpoint", "x", str(film), str(tmp_path / "view0.png"), "--cameras", "c.json"]
    assert main(words, ("baselines",)) == 2
    assert "two or more pictures, and no films, are wanted" in capsys.readouterr().err
