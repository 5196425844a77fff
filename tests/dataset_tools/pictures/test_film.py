"""A film of a clip: as many pictures as poses, one scale for all, and what is refused."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from dataset_tools import HandDataset
from dataset_tools.pictures import film
from dataset_tools.pictures.drawing import draw_depth, draw_flow, draw_parts, enlarge
from dataset_tools.pictures.film import NEEDED, frames, of_view, write_film, write_video
from rigging.command_line import main
from rigging.errors import MvhmError


@pytest.fixture(scope="module")
def dataset(shard) -> HandDataset:
    return HandDataset(shard, fields=NEEDED, items="clip")


@pytest.fixture(scope="module")
def filmed(shard) -> dict:
    """The pair of samples 0 and 1, as camera 3 sees it."""
    return of_view(HandDataset(shard, fields=NEEDED, views=[3], items="clip")[0])


def pictures_in(path: Path) -> list[np.ndarray]:
    reader, found = cv2.VideoCapture(str(path)), []
    while (read := reader.read())[0]:
        found.append(read[1][..., ::-1])
    return found


def holds(picture: np.ndarray, tile: np.ndarray, x: int) -> bool:
    """Whether the picture's last rows are `tile` with its left edge at x, and a gap of 6 px below."""
    height, width = tile.shape[:2]
    return np.array_equal(picture[-height - 6 : -6, x : x + width], tile)


def test_a_film_shows_each_pose_with_the_label_on_one_scale(filmed, dataset):
    drawn = frames(filmed, dataset, "depth", 3)
    depth = filmed["depth"]
    limits = float(depth[depth > 0].min()), float(depth.max())
    assert len(drawn) == 2
    for t, picture in enumerate(drawn):
        assert holds(picture, enlarge(filmed["rgb"][t], 8), 6)
        assert holds(picture, draw_depth(depth[t], limits, 8), 6 + 512 + 6)
    assert holds(frames(filmed, dataset, "parts", 3)[1], draw_parts(filmed["parts"][1], 8), 524)


def test_a_flow_without_neighbour_is_said_to_be_none(filmed, dataset):
    cut = filmed | {"flow_forward_valid": np.array([True, False])}
    flow = filmed["flow_forward"]
    length = np.linalg.norm(flow, axis=-1)
    limit = float(np.percentile(length[length > 0], 99))
    first, last = frames(cut, dataset, "flow_forward", 3)
    assert holds(first, draw_flow(flow[0], filmed["depth"][0], limit, 8), 524)
    tile = last[-518:-6, 524:1036]
    assert 0 < (tile != 255).any(-1).sum() < 0.05 * 512 * 512  # words on white


def test_a_film_is_an_mp4_of_the_frames_it_was_made_of(shard, filmed, dataset, tmp_path):
    out = write_film(shard, 0, tmp_path / "pair.mp4", view=3, label="parts", fps=5)
    read = pictures_in(out)
    assert len(read) == 2
    for picture, drawn in zip(read, frames(filmed, dataset, "parts", 3)):
        height, width = drawn.shape[:2]
        assert picture.shape[:2] == (height + height % 2, width + width % 2)
        assert np.abs(picture[:height, :width].astype(int) - drawn).mean() < 6  # levels: it is compressed
    assert cv2.VideoCapture(str(out)).get(cv2.CAP_PROP_FPS) == 5


def test_where_opencv_cannot_write_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(film, "CODECS", ("none",))
    with pytest.raises(MvhmError, match="writes no mp4"):
        write_video(tmp_path / "a.mp4", [np.zeros((8, 8, 3), np.uint8)], 10)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--clip", "2"], "--clip 2: {shard} has clips 0 to 1"),
        (["--view", "8"], "--view 8: {shard} has views 0 to 7"),
        (["--label", "mash"], "--label mash: there are joints, mask, parts, depth, normals, flow_forward"),
        (["--out", "a.gif"], "--out a.gif: a film is a .mp4"),
        (["--fps", "0"], "invalid positive number value: '0'"),
    ],
)
def test_what_cannot_be_filmed_is_said_in_one_line(shard, options, words, capsys):
    assert main(["clip", str(shard), *options]) == 2
    told = capsys.readouterr().err
    assert words.format(shard=shard) in told
    assert told.count("\n") == 1
