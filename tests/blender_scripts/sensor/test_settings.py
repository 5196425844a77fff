"""Ranges of a camera's sensor, presets of them, and what is drawn from them."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from blender_scripts.looks.look import LookSettings, draw_look
from blender_scripts.sensor.sensor import Sensor, draw_sensors, sensors_table
from blender_scripts.sensor.settings import SensorSettings
from rigging.settings import SettingsError, from_table

PHONE = from_table(SensorSettings, {"preset": "phone"}, "a release")
OF_A_MODEL = {"aperture", "vignetting", "glare", "full_well", "read_noise", "binning", "frames", "denoising",
              "primaries", "correction", "local_tone", "contrast", "sharpening", "sharpening_radius",
              "jpeg"}  # fmt: skip


def drawn(settings: SensorSettings, views: int = 4, seed: int = 0) -> tuple[Sensor, ...]:
    return draw_sensors(np.random.default_rng(seed), settings, views)


@pytest.mark.parametrize("preset", SensorSettings.PRESETS)
def test_every_preset_is_allowed_and_its_keys_can_be_overridden(preset):
    settings = from_table(SensorSettings, {"preset": preset, "iso": [100, 200]}, "a release")
    assert settings == dataclasses.replace(SensorSettings(**SensorSettings.PRESETS[preset]), iso=(100.0, 200.0))


@pytest.mark.parametrize("preset", [name for name in SensorSettings.PRESETS if name != "none"])
def test_a_preset_says_all_of_its_ranges(preset):
    assert set(SensorSettings.PRESETS[preset]) == {item.name for item in dataclasses.fields(SensorSettings)}


def test_mild_lies_within_phone():
    for name, (low, high) in SensorSettings.PRESETS["mild"].items():
        least, most = SensorSettings.PRESETS["phone"][name]
        centre = (low + high) / 2
        assert least <= centre <= most or name in ("glare",), name
        assert high - low <= most - least, name


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"preset": "camera"}, "a.toml: [look.sensor] preset 'camera' is unknown; known: none, mild, phone"),
        ({"preset": "phones"}, "preset 'phones' is unknown; did you mean 'phone'?"),
        ({"preset": 3}, "preset 3 is unknown"),
        ({"isos": [1, 2]}, "a.toml: [look.sensor] unknown key 'isos'; did you mean 'iso'?"),
        ({"iso": [400, 100]}, "[look.sensor] iso = [400.0, 100.0]: must be [least, most] within 25..25600, or [0"),
        ({"iso": [0, 100]}, "iso = [0.0, 100.0]: must be"),
        ({"jpeg": [5, 90]}, "jpeg = [5, 90]: must be [least, most] within 10..100, or [0, 0] for none"),
        ({"binning": [0, 1]}, "binning = [0, 1]: must be [least, most] within 1..16"),
        ({"colour": [0, 1.5]}, "colour = [0.0, 1.5]: must be [least, most] within 0..1"),
        ({"jpeg": [80.5, 90]}, "jpeg = 80.5: must be a whole number"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line(table, message):
    with pytest.raises(SettingsError) as caught:
        from_table(LookSettings, {"sensor": table}, "a.toml", "look")
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_noise_is_made_in_one_place():
    with pytest.raises(ValueError, match=r"noise is \(0.0, 0.1\); allowed is 0 beside"):
        LookSettings(noise=(0.0, 0.1), sensor=PHONE)
    LookSettings(noise=(0.0, 0.1), sensor=dataclasses.replace(PHONE, iso=(0.0, 0.0)))


def test_where_everything_is_off_there_are_no_sensors():
    assert drawn(SensorSettings()) == ()
    assert drawn(from_table(SensorSettings, {"preset": "none"}, "a release")) == ()


def test_a_ring_has_cameras_of_one_model_each_in_its_own_state():
    sensors = drawn(PHONE)
    for name in (item.name for item in dataclasses.fields(Sensor)):
        values = {getattr(sensor, name) for sensor in sensors}
        assert len(values) == (1 if name in OF_A_MODEL else len(sensors)), name


def test_draws_repeat_and_more_views_change_no_earlier_one():
    assert drawn(PHONE) == drawn(PHONE) != drawn(PHONE, seed=1)
    assert drawn(PHONE, views=6)[:4] == drawn(PHONE)


def test_what_is_drawn_lies_within_its_range():
    for seed in range(40):
        for name in ("iso", "full_well", "binning", "frames", "exposure", "sharpening", "jpeg", "shutter", "focus"):
            low, high = getattr(PHONE, name)
            value = getattr(drawn(PHONE, 1, seed)[0], name)
            assert low - abs(low) * 1e-3 <= value <= high + abs(high) * 1e-3, name


def test_a_part_switched_off_changes_no_other():
    """So that releases with and without a part differ in this part alone."""
    for name in ("iso", "jpeg", "sharpening", "shutter", "aperture", "haze"):
        off = drawn(dataclasses.replace(PHONE, **{name: (0, 0)}))
        for one, other in zip(drawn(PHONE), off):
            assert dataclasses.replace(one, **{name: 0}) == other


def test_the_metadata_shows_one_value_where_all_cameras_are_alike():
    look = draw_look(np.random.default_rng(0), LookSettings(), ("city",))
    sensors = drawn(PHONE)
    assert "sensor" not in json.loads(look.light_json())
    shown = json.loads(look.light_json(sensors))["sensor"]
    assert shown["binning"] == sensors[0].binning
    assert shown["iso"] == [sensor.iso for sensor in sensors]
    assert shown == json.loads(json.dumps(sensors_table(sensors)))


def test_electrons_follow_the_sensor():
    """A well of 6000 electrons at ISO 50 holds 375 at ISO 800; 2 x 2 pixels and 4 exposures hold 16 times as many."""
    sensor = Sensor(iso=800.0, full_well=6000.0, read_noise=2.0, binning=1)
    assert (sensor.white_electrons, sensor.dark_electrons) == (375.0, 2.0)
    more = dataclasses.replace(sensor, binning=2, frames=4)
    assert (more.white_electrons, more.dark_electrons) == (16 * 375.0, 8.0)
    assert Sensor(iso=25.0).white_electrons == Sensor(iso=50.0).white_electrons
