"""What is finished is reused, if it was made of the same things."""

from __future__ import annotations

import pytest

from baselines.gate.kept import Kept
from rigging.errors import InputError


def test_a_part_is_made_once(tmp_path):
    made = []

    def make(place):
        made.append(place)
        place.write_text("done")

    first = Kept(tmp_path, {"data": "x"}).once("a part, of two", {"seed": 0}, make, ".txt")
    again = Kept(tmp_path, {"data": "x"})
    assert again.once("a part, of two", {"seed": 0}, make, ".txt") == first and made == [first]
    assert list(again.seconds) == ["a part, of two"] and first.name.startswith("a-part-of-two-")


def test_what_is_made_of_other_things_is_made_anew(tmp_path):
    places = {
        Kept(tmp_path, {"data": data}).once("part", {"seed": seed}, lambda place: place.touch())
        for data in "xy"
        for seed in (0, 1)
    }
    assert len(places) == 4


def test_an_interrupted_part_is_given_what_was_left(tmp_path):
    kept, left = Kept(tmp_path, {}), []

    def interrupted(place):
        place.mkdir()
        (place / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept.once("part", {}, interrupted)
    kept.once("part", {}, lambda place: left.extend(path.name for path in place.iterdir()))
    assert left == ["half"]


def test_seconds_of_a_kind_are_summed_and_each_part_counts_once(tmp_path):
    kept = Kept(tmp_path, {})
    for name in ("a", "b", "a"):
        kept.once(name, {}, lambda place: place.touch(), kind="parts")
    kept.once("c", {}, lambda place: place.touch())
    assert set(kept.seconds) == {"parts", "c"} and len(kept.told) == 3


def test_one_gate_at_a_time_works_in_a_folder(tmp_path):
    second, told = Kept(tmp_path, {}), "another gate is at work there; wait for it, or choose another --out"
    with Kept(tmp_path, {}).alone(), pytest.raises(InputError, match=told), second.alone():
        pass
    with second.alone():
        assert (tmp_path / ".lock").exists()
