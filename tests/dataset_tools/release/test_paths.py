"""Absolute paths of a maintainer's machine are found and cut."""

from __future__ import annotations

import pytest

from dataset_tools.release.paths import absolute_paths, in_home, last_components, paths_in_settings, paths_in_words

SETTINGS = [
    ("nyu:/home/ann/my data/nyu?views=0+1", "nyu:nyu?views=0+1", ["/home/ann/my data/nyu"]),
    ("/data/hdris/", "hdris", ["/data/hdris/"]),
    ("/hdris", "hdris", ["/hdris"]),
    ("~ann/hdris", "hdris", ["~ann/hdris"]),
    (r"C:\Users\ann\hdris", "hdris", [r"C:\Users\ann\hdris"]),
    ("nyu:/a/b+hanco:/c/d?x=1", "nyu:b+hanco:d?x=1", ["/a/b", "/c/d"]),
    ("nyu:data/nyu", "nyu:data/nyu", []), ("procedural", "procedural", []), ("", "", []),
    ("hand: CC0; nyu poses: unclear/academic", "hand: CC0; nyu poses: unclear/academic", []), ("11/0/0", "11/0/0", []),
]  # fmt: skip


@pytest.mark.parametrize(("value", "cut", "paths"), SETTINGS)
def test_settings_keep_the_last_component_of_a_path(value, cut, paths):
    nested = {"a": [value, 3], "b": {"c": value, "d": None}}
    assert last_components(nested) == {"a": [cut, 3], "b": {"c": cut, "d": None}}
    assert paths_in_settings(nested) == paths


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("see /home/ann/x, and /data/y/z.exr", ["/home/ann/x", "/data/y/z.exr"]),
        ('{"hdris": "/data/hdris"}', ["/data/hdris"]),
        ("nyu:/home/ann/nyu", ["/home/ann/nyu"]),
        ("file:///home/ann/x", ["/home/ann/x"]),
        ('{"at": "C:\\\\Users\\\\ann"}', ["C:\\\\Users\\\\ann"]),
        ("<td>a</td><br/>", []),
        ("https://example.org/a/b", []),
        ("11/0/0, and/or, 1 / 2 / 3, shard-00000.h5", []),
        ("data:image/jpeg;base64,/9j/4AAQ/SkZJ+RgAB", []),
    ],
)
def test_paths_are_found_in_texts(text, paths):
    assert absolute_paths(text) == paths
    assert paths_in_words({"a": [f"first\n{text}", None], "b": text}) == paths


def test_home_folders_are_told_from_others():
    assert all(map(in_home, ["/home/ann/x", "/Users/ann", "/root/x", r"C:\Users\ann", "C:\\\\Users\\\\ann"]))
    assert not any(map(in_home, ["/data/home/x", "/mnt/x", "/homes", "/rooted/x"]))
