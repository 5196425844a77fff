"""Detail of panoramas and metering in a release: keys that change nothing of releases without them."""

from __future__ import annotations

import dataclasses
import json

from blender_scripts.looks.look import METERING, LookSettings
from render_farm.planning.ensure_plan import ensure_plan
from render_farm.planning.release import load_release
from render_farm.planning.spec import look_of_pair


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


def test_a_release_that_says_nothing_of_metering_is_as_ever(tmp_path):
    release = load_release("gate")
    assert "metering" not in json.loads(release.to_json())["look"]
    plan = ensure_plan(release, tmp_path)
    assert {look_of_pair(plan, release, pair, ("a", "b")).metering for pair in range(20)} == {METERING}


def test_cameras_of_a_pair_meter_within_the_releases_range(tmp_path):
    release = load_release("demo")
    assert json.loads(release.to_json())["look"]["metering"] == [0.5, 0.9]
    plan = ensure_plan(release, tmp_path)
    drawn = [look_of_pair(plan, release, pair, ("a", "b")) for pair in range(24)]
    shares = [look.metering for look in drawn]
    assert min(shares) >= 0.5 and max(shares) <= 0.9 and max(shares) - min(shares) > 0.3
    plain = dataclasses.replace(release, look=dataclasses.replace(release.look, metering=(METERING, METERING)))
    others = [look_of_pair(plan, plain, pair, ("a", "b")) for pair in range(24)]
    assert [dataclasses.replace(look, metering=METERING) for look in drawn] == others, "nothing else is drawn anew"
