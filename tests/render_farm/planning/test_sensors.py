"""Sensors in a release: named by a preset, written out in its text, drawn apart from everything else."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from blender_scripts.sensor.settings import SensorSettings
from render_farm.errors import InputError
from render_farm.planning.release import Release, load_release, planned_release
from render_farm.planning.seeds import Stream, generator

RELEASE = 'name = "small"\nseed = 3\nsamples = 10\nshard_size = 4\n'


def release(folder: Path, text: str = "") -> Release:
    path = folder / "small.toml"
    path.write_text(RELEASE + text)
    return load_release(str(path))


def test_a_release_without_a_sensor_has_the_text_it_always_had(tmp_path):
    plain = release(tmp_path)
    assert "sensor" not in json.loads(plain.to_json())["look"]
    assert release(tmp_path, "[look.sensor]\n").to_json() == plain.to_json()
    assert release(tmp_path, "[look.sensor]\npreset = 'none'\n").to_json() == plain.to_json()


def test_the_text_has_every_range_so_that_a_preset_may_change_and_a_release_not(tmp_path):
    phone = release(tmp_path, "[look.sensor]\npreset = 'phone'\niso = [100, 200]\n")
    told = json.loads(phone.to_json())["look"]["sensor"]
    assert told == json.loads(json.dumps(asdict(phone.look.sensor)))
    assert told["iso"] == [100, 200] and told["jpeg"] == list(SensorSettings.PRESETS["phone"]["jpeg"])
    assert planned_release(phone.to_json(), tmp_path / "plan.npz") == phone


@pytest.mark.parametrize(("name", "preset"), [("mvhm", "phone"), ("mvhm-nyu", "phone"), ("demo", "mild")])
def test_releases_that_have_a_sensor(name, preset):
    assert load_release(name).look.sensor == SensorSettings(**SensorSettings.PRESETS[preset])


@pytest.mark.parametrize("name", ["gate", "mini", "other"])
def test_releases_that_keep_their_bytes(name):
    assert "sensor" not in json.loads(load_release(name).to_json())["look"]


def test_what_is_wrong_is_one_line_with_the_file(tmp_path):
    with pytest.raises(
        InputError, match=r"small.toml: \[look.sensor\] preset 'phome' is unknown; did you mean 'phone'"
    ):
        release(tmp_path, "[look.sensor]\npreset = 'phome'\n")
    with pytest.raises(InputError, match=r"small.toml: \[look.sensor\] jpeg = \[98, 60\]: must be \[least, most\]"):
        release(tmp_path, "[look.sensor]\njpeg = [98, 60]\n")


def test_sensors_are_drawn_from_a_stream_of_their_own(tmp_path):
    """Whose number never changes, or releases would."""
    assert Stream.SENSOR == 9
    one = release(tmp_path)
    first, other = (generator(one, Stream.SENSOR, pair).random() for pair in (0, 1))
    assert first != other != generator(one, Stream.LOOK, 1).random()
