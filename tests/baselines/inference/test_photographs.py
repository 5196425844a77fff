"""Pictures of all kinds are read as a person sees them; what is none is said."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from baselines.inference.photographs import find_inputs, read_photograph
from rigging.errors import InputError


@pytest.fixture
def picture():
    """(24, 32, 3) uint8, smooth, so that JPEG changes little."""
    rows, columns = np.mgrid[0:24, 0:32]
    return np.stack([8 * columns, 10 * rows, 4 * (rows + columns)], -1).clip(0, 255).astype(np.uint8)


def test_colours_are_those_of_the_file(tmp_path, picture):
    Image.fromarray(picture).save(tmp_path / "a.png")
    assert (read_photograph(tmp_path / "a.png") == picture).all()


def test_a_picture_is_turned_as_its_camera_was_held(tmp_path, picture):
    exif = Image.Exif()
    exif[0x0112] = 6  # "rotate 90 degrees clockwise to see it upright"
    Image.fromarray(picture).save(tmp_path / "a.jpg", exif=exif, quality=98, subsampling=0)
    read = read_photograph(tmp_path / "a.jpg").astype(int)
    assert read.shape == (32, 24, 3) and np.abs(read - np.rot90(picture, -1)).max() < 12


def test_sixteen_bits_are_read_as_eight(tmp_path, picture):
    cv2.imwrite(str(tmp_path / "a.png"), picture[..., ::-1].astype(np.uint16) * 257)
    assert (read_photograph(tmp_path / "a.png") == picture).all()


def test_grey_is_read_as_colour(tmp_path, picture):
    Image.fromarray(picture[..., 0]).save(tmp_path / "a.png")
    assert (read_photograph(tmp_path / "a.png") == picture[..., :1]).all()


def test_what_is_transparent_is_grey_and_its_hidden_colour_is_not_seen(tmp_path, picture):
    alpha = np.zeros((24, 32, 1), np.uint8)
    alpha[:, 16:] = 255
    Image.fromarray(np.concatenate([picture, alpha], -1)).save(tmp_path / "a.png")
    read = read_photograph(tmp_path / "a.png")
    assert (read[:, 16:] == picture[:, 16:]).all() and (read[:, :16] == 128).all()


def test_a_folder_gives_its_pictures_by_name_and_what_is_broken_is_left_out(tmp_path, picture, caplog):
    for name in ("b.png", "a.jpg", ".hidden.png"):
        Image.fromarray(picture).save(tmp_path / name)
    (tmp_path / "c.png").write_text("no picture")
    (tmp_path / "notes.txt").write_text("text")
    (tmp_path / "film.mp4").write_bytes(b"x")
    found = find_inputs([tmp_path])
    assert [path.name for path in found.pictures] == ["a.jpg", "b.png"] and found.films == (tmp_path / "film.mp4",)
    assert "c.png: cannot be read as a picture; it is left out" in caplog.text


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("nowhere.png", "no such picture, film or folder"),
        ("text.png", "cannot be read as a picture"),
        ("empty", "no pictures"),
    ],
)
def test_what_was_named_must_be_there(tmp_path, name, line):
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "empty").mkdir()
    with pytest.raises((InputError, FileNotFoundError), match=line):
        find_inputs([tmp_path / name])


def test_a_picture_cut_short_or_too_small_is_no_picture(tmp_path, picture):
    Image.fromarray(picture).save(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:60])
    Image.fromarray(picture[:2]).save(tmp_path / "b.png")
    for name, line in (("a.png", "cannot be read as a picture"), ("b.png", "32 x 2 px")):
        with pytest.raises(InputError, match=line):
            read_photograph(tmp_path / name)
