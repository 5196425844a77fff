"""The skin cache: same maps back, one file per set of inputs, damage is repaired, nothing half-written is found."""

import logging
from dataclasses import replace

import numpy as np
import pytest

from rigging.hand.asset import load_asset
from rigging.hand.shape import Subject, rest_hand
from rigging.skin.appearance import SKIN_ROUGHNESS
from rigging.skin.cache import cached_bake, skin_key

ASSET = load_asset()
SUBJECT = Subject(np.zeros(len(ASSET.shape_names)), 0.185, 30.0, 0.9, 20.0, 7)
REST = rest_hand(ASSET, SUBJECT)
SIZE = 64


def same(first, second):
    return all(getattr(first, n).tobytes() == getattr(second, n).tobytes() for n in ("albedo", "height", "roughness"))


def test_cached_maps_are_identical_and_not_baked_twice(tmp_path, monkeypatch):
    first = cached_bake(tmp_path, ASSET, REST, None, SUBJECT, SIZE)
    monkeypatch.setattr("rigging.skin.cache.bake", None)  # a second bake would fail
    assert same(first, cached_bake(tmp_path, ASSET, REST, None, SUBJECT, SIZE))


def test_key_depends_on_every_input():
    moved, usual = replace(REST, vertices=REST.vertices + 1e-6), SKIN_ROUGHNESS
    keys = [
        skin_key(ASSET, rest, None, subject, size, roughness)
        for rest, subject, size, roughness in (
            (REST, SUBJECT, SIZE, usual), (moved, SUBJECT, SIZE, usual), (REST, SUBJECT, SIZE + 1, usual),
            (REST, replace(SUBJECT, ita=21.0), SIZE, usual), (REST, replace(SUBJECT, age=31.0), SIZE, usual),
            (REST, replace(SUBJECT, gender=0.8), SIZE, usual), (REST, replace(SUBJECT, skin_seed=8), SIZE, usual),
            (REST, SUBJECT, SIZE, usual + 0.01),
        )
    ]  # fmt: skip
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("damage", ["empty", "truncated", "foreign"])
def test_a_damaged_file_is_baked_again_and_replaced(tmp_path, caplog, damage):
    first = cached_bake(tmp_path, ASSET, REST, None, SUBJECT, SIZE)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    path.write_bytes({"empty": b"", "truncated": whole[: len(whole) // 2], "foreign": b"not a texture" * 99}[damage])
    with caplog.at_level(logging.WARNING):
        assert same(first, cached_bake(tmp_path, ASSET, REST, None, SUBJECT, SIZE))
    assert path.name in caplog.text
    assert path.read_bytes() == whole


def test_a_flipped_byte_is_noticed(tmp_path):
    first = cached_bake(tmp_path, ASSET, REST, None, SUBJECT, SIZE)
    (path,) = tmp_path.iterdir()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))
    assert same(first, cached_bake(tmp_path, ASSET, REST, None, SUBJECT, SIZE))


def test_an_interrupted_write_leaves_nothing_behind(tmp_path, monkeypatch):
    def broken(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", broken)
    with pytest.raises(KeyboardInterrupt):
        cached_bake(tmp_path, ASSET, REST, None, SUBJECT, SIZE)
    assert list(tmp_path.iterdir()) == []
