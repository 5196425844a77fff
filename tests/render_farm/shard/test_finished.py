"""A finished shard never becomes useless: what becomes of its release's files afterwards does not matter to it."""

import shutil

import pytest

from render_farm.errors import InputError
from render_farm.planning.release import load_release
from render_farm.shard import render
from render_farm.shard.request import Request


@pytest.fixture
def request_of(undisturbed, tiny, tmp_path, monkeypatch):
    """Requests of a copy of the tiny release whose files are not what they were."""

    def changed(release, folder):
        raise InputError("photographs: p0007.jpg missing")

    monkeypatch.setattr(render, "ensure_plan", changed)
    shutil.copytree(undisturbed / "tiny", tmp_path / "tiny")
    return lambda shard: Request(release=load_release(str(tiny)), shard=shard, out=tmp_path)


def test_it_is_there(request_of, caplog):
    assert render.render_shard(request_of(0)) == request_of(0).path
    assert "p0007.jpg missing (shard 0 was finished before)" in caplog.text


def test_others_wait_for_the_files(request_of):
    with pytest.raises(InputError, match=r"p0007\.jpg"):
        render.render_shard(request_of(1))


def test_a_damaged_one_is_not_finished(request_of):
    path = request_of(0).path
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match=r"p0007\.jpg"):
        render.render_shard(request_of(0))
