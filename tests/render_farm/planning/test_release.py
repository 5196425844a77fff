"""Release files: what they may say, and the one line for what they may not."""

import dataclasses
import json
import typing
from pathlib import Path

import pytest

from render_farm.errors import InputError
from render_farm.planning.release import Release, known_releases, load_release
from rigging.poses.gate.settings import GateSettings, gate_settings
from rigging.skin.appearance import SKIN_ROUGHNESS

MINIMAL = 'name = "small"\nseed = 3\nsamples = 10\nshard_size = 4\n'


def load(tmp_path, text):
    path = tmp_path / "small.toml"
    path.write_text(text)
    return load_release(str(path))


def complaint(tmp_path, text):
    with pytest.raises(InputError) as caught:
        load(tmp_path, text)
    message = str(caught.value)
    assert "\n" not in message
    assert "small.toml" in message
    return message


@pytest.mark.parametrize("name", ["demo", "gate", "mini", "mvhm", "mvhm-nyu", "other"])
def test_releases_that_come_with_the_package_load(name):
    assert name in known_releases()
    assert load_release(name).name == name


def test_mvhm_has_the_numbers_of_the_paper():
    release = load_release("mvhm")
    assert (release.samples, release.cameras.views, release.shards) == (40_000, 8, 250)
    assert release.samples * release.cameras.views == 320_000
    assert release.cameras.image_size == release.render.width == release.render.height == 256


def test_shards_cut_the_samples_without_gap_and_the_last_may_be_shorter(tmp_path):
    release = load(tmp_path, MINIMAL)
    assert [index for shard in range(release.shards) for index in release.shard_samples(shard)] == list(range(10))
    assert len(release.shard_samples(2)) == 2
    for shard in (-1, 3):
        with pytest.raises(InputError, match=r"shards 0\.\.2"):
            release.shard_samples(shard)


def test_nested_tables_and_whole_numbers_for_real_ones(tmp_path):
    release = load(tmp_path, MINIMAL + "[cameras]\nimage_size = 64\nroll = 0\n[splits]\ntrain = 1\nval = 0\ntest = 0\n")
    assert release.render.width == release.render.height == 64
    assert isinstance(release.cameras.roll, float)
    assert release.splits.train == 1.0


def test_the_canonical_text_tells_settings_that_matter_apart_and_no_others(tmp_path):
    plain = load(tmp_path, MINIMAL)
    assert load(tmp_path, "# a comment\n" + MINIMAL + "hand = 'right'\n").to_json() == plain.to_json()
    assert load(tmp_path, MINIMAL + "hand = 'left'\n").to_json() != plain.to_json()
    assert plain.with_poses("nyu:/data").to_json() != plain.to_json()
    assert plain.with_poses(None) == plain


def test_lived_in_rooms_are_part_of_what_a_release_is_and_plain_ones_are_as_ever(tmp_path):
    plain = load(tmp_path, MINIMAL + "[look]\nrooms = 'plain'\n")
    assert plain.to_json() == load(tmp_path, MINIMAL).to_json() and "rooms" not in json.loads(plain.to_json())["look"]
    lived = load(tmp_path, MINIMAL + "[look]\nrooms = 'lived-in'\n")
    assert json.loads(lived.to_json())["look"]["rooms"] == "lived-in"
    with pytest.raises(InputError, match=r"rooms.*'tidy'.*plain.*lived-in"):
        load(tmp_path, MINIMAL + "[look]\nrooms = 'tidy'\n")


def test_rougher_skin_is_part_of_what_a_release_is_and_the_usual_is_as_ever(tmp_path):
    plain = load(tmp_path, MINIMAL + f"[subjects]\nroughness = {SKIN_ROUGHNESS}\n")
    assert plain.to_json() == load(tmp_path, MINIMAL).to_json()
    assert "roughness" not in json.loads(plain.to_json())["subjects"]
    matte = load(tmp_path, MINIMAL + "[subjects]\nroughness = 0.68\n")
    assert json.loads(matte.to_json())["subjects"]["roughness"] == 0.68


def test_limits_of_hands_volumes_are_part_of_what_a_release_is_and_none_are_as_ever(tmp_path):
    plain = load(tmp_path, MINIMAL + "[subjects]\nlitres = [0, 1]\n")
    assert plain.to_json() == load(tmp_path, MINIMAL).to_json()
    limited = load(tmp_path, MINIMAL + "[subjects]\nlitres = [0.26, 0.58]\n")
    assert json.loads(limited.to_json())["subjects"]["litres"] == [0.26, 0.58]


def test_limits_of_the_gate_change_the_canonical_text_only_where_they_differ_from_the_usual(tmp_path):
    plain = load(tmp_path, MINIMAL)
    usual = load(tmp_path, MINIMAL + f"[poses.gate]\npreset = 'usual'\npalm = {GateSettings().palm}\n")
    assert usual.to_json() == plain.to_json() and "gate" not in json.loads(plain.to_json())["poses"]
    wide = load(tmp_path, MINIMAL + "[poses.gate]\npreset = 'noisy'\npalm = 'off'\n")
    assert wide.poses.limits == dataclasses.replace(gate_settings({"preset": "noisy"}), palm="off")
    assert json.loads(wide.to_json())["poses"]["gate"]["palm"] == "off"
    assert wide.with_poses("nyu:/data").poses.limits == wide.poses.limits


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (MINIMAL + "sampels = 3\n", ["unknown key 'sampels'", "did you mean 'samples'"]),
        (MINIMAL + "[cameras]\nvieuws = 3\n", ["[cameras]", "'vieuws'", "did you mean 'views'"]),
        (MINIMAL + "[camera]\nviews = 3\n", ["'camera'", "did you mean 'cameras'"]),
        (MINIMAL + "[poses.gate]\nplam = 1\n", ["[poses] gate: unknown key 'plam'", "did you mean 'palm'"]),
        (MINIMAL + "[poses.gate]\npalm = 'of'\n", ["[poses] gate: palm = 'of'", "a number or 'off'"]),
        (MINIMAL.replace("10", "'ten'"), ["samples = 'ten'", "a whole number"]),
        (MINIMAL.replace("10", "10.0"), ["samples = 10.0", "a whole number"]),
        (MINIMAL.replace("10", "true"), ["samples = True", "a whole number"]),
        (MINIMAL.replace("10", "0"), ["samples = 0", "1..10000000"]),
        (MINIMAL.replace("10", "9"), ["[9, 4]", "even"]),
        (MINIMAL.replace("seed = 3", "seed = -1"), ["seed = -1"]),
        (MINIMAL.replace("seed = 3\n", ""), ["'seed' is missing"]),
        (MINIMAL.replace('"small"', '"../up"'), ["name = '../up'"]),
        (MINIMAL + "hand = 'neither'\n", ["hand = 'neither'", "'right', 'left', 'both'"]),
        (MINIMAL + "spin_mode = 'plam'\n", ["'plam'", "'palm'"]),
        (MINIMAL + "poses = 'nyu:'\n", ["poses = 'nyu:'", "a table [poses]"]),
        (MINIMAL + "[poses]\ncandidates = 0\n", ["[poses]", "candidates = 0"]),
        (MINIMAL + "[subjects]\nita = [10]\n", ["[subjects]", "ita = [10]", "2 values"]),
        (MINIMAL + "[subjects]\nita = [50, 10]\n", ["[subjects]", "ita"]),
        (MINIMAL + "[subjects]\nita = [-50, nan]\n", ["ita", "finite"]),
        (MINIMAL + "[subjects]\nroughness = 0.95\n", ["[subjects]", "roughness = 0.95", "0.3..0.9"]),
        (MINIMAL + "[subjects]\nroughness = nan\n", ["roughness", "finite"]),
        (MINIMAL + "[subjects]\nlitres = [0.4, 0.58]\n", ["[subjects]", "litres = [0.4, 0.58]", "least in 0..0.35"]),
        (MINIMAL + "[subjects]\nlitres = [0.3, 0.45]\n", ["litres", "most in 0.5..1"]),
        (MINIMAL + "[splits]\ntrain = 0.5\n", ["[splits]", "train + val + test = 0.7"]),
        (MINIMAL + "[pairs]\nlength = 121\n", ["[pairs]", "length = 121", "1..120"]),
        (MINIMAL + "[pairs]\nlength = 4\n", ["[10, 4]", "multiples of [pairs] length = 4", "no clip is cut"]),
        (
            MINIMAL.replace("10", "12") + "[pairs]\nlength = 4\ndelta = 3\n[splits]\nblock = 9\n",
            ["[splits] block = 9", "at least 10 frames", "length = 4"],
        ),
        (MINIMAL + "[pairs]\nleast = 0.2\n", ["[pairs]", "motion"]),
        (MINIMAL + "[look]\nmetering = [0.5, 1.2]\n", ["[look]", "metering is (0.5, 1.2)", "0 to 1"]),
        (MINIMAL + "[look]\nmetering = [0.9, 0.5]\n", ["[look]", "metering is (0.9, 0.5)"]),
        (MINIMAL + "[look]\nhdri_strength = [0, 1]\n", ["[look]", "hdri_strength is (0.0, 1.0)", "0.001 to 1000"]),
        (MINIMAL + "[look]\nlamps = [0, 99]\n", ["[look]", "lamps is (0, 99)", "0 to 16"]),
        (MINIMAL + "[cameras]\nfocal = [1e9, 1e9]\n", ["[cameras]", "focal", "at most 100"]),
        (MINIMAL + "[cameras.distortion]\nk1 = [0, 1e9]\n", ["[cameras]", "k1 = 1e+09", "times as far out"]),
        (MINIMAL + "[render]\nsamples_per_pixel = 100000\n", ["[render]", "samples_per_pixel", "1 to 65536"]),
        (MINIMAL + "[look]\nbackgrounds = { folder = 1 }\n", ["[files] photos"]),
        (MINIMAL + "[cameras]\nviews = 0\n", ["[cameras]", "views", "0"]),
        (MINIMAL + "[render]\nsamples_per_pixel = 0\n", ["[render]", "samples_per_pixel", "0"]),
        (MINIMAL + "[render]\nwidth = 64\n", ["[render] width", "[cameras] image_size"]),
        (MINIMAL + "[look]\nsleeve = 1.5\n", ["[look]", "sleeve", "1.5"]),
        (MINIMAL + "[look]\nbackgrounds = 3\n", ["[look]", "backgrounds = 3", "a table"]),
        ("name = \n", ["not valid TOML", "line 1"]),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path, text, words):
    message = complaint(tmp_path, text)
    for word in words:
        assert word in message


def test_an_unknown_release_is_named_with_the_nearest(tmp_path):
    with pytest.raises(InputError, match=r"--release dem: no such release; did you mean 'demo'"):
        load_release("dem")
    with pytest.raises(InputError, match=r"nowhere\.toml: there is no such file"):
        load_release(str(tmp_path / "nowhere.toml"))
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="cannot be read"):
        load_release(str(tmp_path / "binary.toml"))


def test_a_release_is_frozen():
    release = Release("x", 1, 2, 2)
    with pytest.raises(AttributeError):
        release.seed = 5


def test_the_page_for_maintainers_names_every_key():
    page = (Path(__file__).parents[3] / "docs" / "releases.md").read_text()
    sections = {part.split("]")[0]: part for part in page.split("\n## [")[1:]}
    for item in dataclasses.fields(Release):
        kind = typing.get_type_hints(Release)[item.name]
        if not dataclasses.is_dataclass(kind):
            assert f"`{item.name}`" in page
            continue
        for key in dataclasses.fields(kind):
            assert f"`{key.name}`" in sections[item.name], f"[{item.name}] {key.name}"
