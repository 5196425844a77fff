"""[cameras.distortion] of a release: what it may say, and that nothing changes without it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from render_farm.errors import InputError
from render_farm.planning.configuration import Configuration
from render_farm.planning.release import Release, load_release
from render_farm.planning.rig import try_rig
from render_farm.planning.seeds import Stream, generator

ROOT = Path(__file__).parents[3]
MINIMAL = 'name = "small"\nseed = 3\nsamples = 10\nshard_size = 4\n'


def load(tmp_path, text) -> Release:
    (tmp_path / "small.toml").write_text(MINIMAL + text)
    return load_release(str(tmp_path / "small.toml"))


def test_the_page_s_example_is_a_release(tmp_path):
    page = (ROOT / "docs" / "releases.md").read_text(encoding="utf-8")
    example = page.split("### [cameras.distortion]")[1].split("```toml\n")[1].split("```")[0]
    release = load(tmp_path, example)
    assert release.cameras.distortion.k1 == (-0.15, 0.05)
    assert json.loads(release.to_json())["cameras"]["distortion"]["k1"] == [-0.15, 0.05]


@pytest.mark.parametrize("text", ["", "[cameras.distortion]\n", "[cameras.distortion]\nk1 = [0, 0]\np2 = [0, 0.0]\n"])
def test_no_lens_is_no_part_of_a_release(text, tmp_path):
    release = load(tmp_path, text)
    assert release == load(tmp_path, "")
    assert "distortion" not in release.to_json()
    assert release.cameras.distortion.draw(generator(release, Stream.DISTORTION, 0)) is None


def plan_of(release):
    return SimpleNamespace(release=release.to_json(), content="c", device="CPU", files={})


def test_the_configuration_names_the_version_that_the_shards_will_have(tmp_path):
    for text, version in (("", 2), ("[cameras.distortion]\nk1 = [-0.1, 0]\n", 3)):
        assert json.loads(Configuration.of(plan_of(load(tmp_path, text)), None).text)["schema_version"] == version


def test_lenses_are_drawn_for_each_pair_from_a_stream_of_their_own(tmp_path):
    release = load(tmp_path, "[cameras.distortion]\nk1 = [-0.1, 0.1]\np1 = [-0.001, 0.001]\n")
    drawn = [release.cameras.distortion.draw(generator(release, Stream.DISTORTION, pair)) for pair in (0, 1, 0)]
    assert np.array_equal(drawn[0], drawn[2]) and not np.array_equal(drawn[0], drawn[1])
    assert Stream.DISTORTION == 14
    wider = replace(release.cameras.distortion, k3=(0.0, 0.1))  # another range disturbs none
    assert np.array_equal(wider.draw(generator(release, Stream.DISTORTION, 0))[:4], drawn[0][:4])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("k1 = [-2.0, 0.1]", r"\[cameras\] distortion k1 = -2, .* the lens folds 0.272 from the axis"),
        ("k1 = [0.1, -0.1]", r"\[cameras.distortion\] k1 = \(0.1, -0.1\): must be \[lowest, highest\]"),
        ("k1 = 0.1", r"\[cameras.distortion\] k1 = 0.1: must be a list"),
        ("k4 = [0.0, 0.1]", r"\[cameras.distortion\] unknown key 'k4'; did you mean"),
    ],
)
def test_what_makes_no_sense_is_one_line(text, told, tmp_path):
    with pytest.raises(InputError, match=told) as error:
        load(tmp_path, f"[cameras.distortion]\n{text}\n")
    assert "small.toml" in str(error.value) and "\n" not in str(error.value)


def test_a_lens_that_folds_in_the_pictures_of_another_rig_is_refused_before_planning(tmp_path):
    text = '[cameras]\nrig = "wrist"\nviews = 2\n[cameras.distortion]\nk1 = [{}, 0.0]\n'
    try_rig(load(tmp_path, text.format(-0.03)), None)
    with pytest.raises(InputError, match=r"\[cameras\]: distortion k1 = -0.4, .* the lens folds") as error:
        try_rig(load(tmp_path, text.format(-0.4)), None)
    assert re.fullmatch(r"[^\n]*", str(error.value))
