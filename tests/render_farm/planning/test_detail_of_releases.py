"""Detail of panoramas in a release: a key that changes nothing of releases without it."""

from __future__ import annotations

import dataclasses
import json

from blender_scripts.looks.look import LookSettings
from render_farm.planning.release import load_release


def test_a_release_without_detail_has_the_text_it_always_had():
    release = dataclasses.replace(load_release("gate"), look=LookSettings())
    assert "detail" not in json.loads(release.to_json())["look"]
    detailed = dataclasses.replace(release, look=LookSettings(detail=(0.5, 1.2)))
    assert json.loads(detailed.to_json())["look"]["detail"] == [0.5, 1.2]


def test_releases_of_photograph_like_pictures_have_detail():
    for name in ("demo", "mvhm", "mvhm-nyu", "anywhere"):
        low, high = load_release(name).look.detail
        assert 0 < low < 1 < high
    assert load_release("mini").look.detail == (0, 0)
