"""Settings are read from presets and files, changed one by one, checked, and written so that they read the same."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path

import pytest
from standing_in import a_config

from baselines import config as module
from baselines.config import Config, as_table, complete, list_presets, load_config, to_toml
from baselines.registry import list_estimators
from rigging.errors import InputError

TEXT = """
estimator = "standing_in"
[model]
width = 4
[data]
batch = 6
[[stages]]
name = "first"
learns = ["eye"]
losses = {pose = 1, size = 0.5}
epochs = 1
lr = 1e-3
"""


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(TEXT)
    return path


def test_a_file_is_read_and_the_estimators_settings_are_made_whole(file):
    config = load_config(file)
    assert config.model == {"width": 4, "dropout": 0.1, "norm": True, "bad": -1, "most": 0, "shape": (4, 4)}
    assert config.stages[0].losses == {"pose": 1.0, "size": 0.5} and config.data.batch == 6 and config.data.size == 256
    assert isinstance(config.stages[0].losses["pose"], float)


def test_what_is_written_reads_the_same(file):
    for config in (load_config(file), a_config(ema=0.99)):
        text = to_toml(as_table(config))
        assert complete(tomllib.loads(text), "text") == config
        assert "losses = {pose = 1.0" in text


def test_odd_values_are_written_as_toml():
    table = {"a key": 1, "text": 'say "x"\\ \t é', "flags": [True, False], "deep": {"er": {"x": 1e-7}}, "no": []}
    table |= {"rows": [{"name": "a", "more": {"b c": [1, 2]}}, {"name": "b"}]}
    assert tomllib.loads(to_toml(table)) == table


def test_single_settings_are_changed_in_all_their_forms(file):
    sets = ["model.width=16", "data.batch=8", "stages.first.lr=2e-4", "stages.first.losses.size=0", "train.seed=3"]
    sets += ["augment.backgrounds=some/folder", "model.shape=[2, 8]", 'train.precision="bf16"', "data.split="]
    config = load_config(file, "standing_in", sets)
    assert config.model["width"] == 16 and config.model["shape"] == (2, 8) and config.data.batch == 8
    assert config.stages[0].lr == 2e-4 and config.stages[0].losses == {"pose": 1.0, "size": 0.0}
    assert config.train.seed == 3 and config.train.precision == "bf16"
    assert config.augment.backgrounds == "some/folder" and config.data.split == ""


def test_a_setting_is_changed_in_every_stage_that_has_it(file):
    second = TEXT[TEXT.index("[[stages]]") :].replace("first", "second").replace(", size = 0.5", "")
    file.write_text(TEXT + second)
    first, other = load_config(file, sets=["stages.*.losses.size=0", "stages.*.epochs=4"]).stages
    assert first.losses == {"pose": 1.0, "size": 0.0} and other.losses == {"pose": 1.0}
    assert first.epochs == other.epochs == 4


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (
            ["model.widht=3"],
            r"mine\.toml with --set model\.widht=3: \[model\] unknown key 'widht'; did you mean 'width'",
        ),
        (["modle.width=3"], r"unknown key 'modle'; did you mean 'model'"),
        (["stages.frist.lr=1"], r"--set stages\.frist\.lr=1: there is no 'frist'; did you mean 'first'"),
        (["stages.first.rate=1"], r"\[stages\.0\] unknown key 'rate'"),
        (["stages.first.losses.pose=x"], r"\[stages\.0\.losses\] pose = 'x': must be a number"),
        (["data.batch=0"], r"\[data\] batch = 0: must be at least 1"),
        (["train.ema=1"], r"ema = 1\.0: must be below 1"),
        (["train.precision=fp16"], r"precision = 'fp16': must be one of 'fp32', 'bf16'"),
        (["stages.*.losses.seize=1"], r"--set stages\.\*\.losses\.seize=1: no stage has losses\.seize"),
        (["data.batch"], r"--set data\.batch: KEY=VALUE is wanted"),
        (["stages.first.losses.pose=0", "stages.first.losses.size=0"], "needs a part that learns, and a loss with"),
    ],
)
def test_what_is_wrong_with_a_change_is_one_line(sets, message, file):
    with pytest.raises(InputError, match=message) as caught:
        load_config(file, "", sets)
    assert "\n" not in str(caught.value)


def test_what_is_wrong_with_a_file_is_one_line(file, tmp_path):
    with pytest.raises(InputError, match=r"mine\.toml: settings of 'standing_in', not of 'mvhm_sv'"):
        load_config(file, "mvhm_sv")
    file.write_text("a = [")
    with pytest.raises(InputError, match=r"mine\.toml: not TOML"):
        load_config(file)
    with pytest.raises(FileNotFoundError):
        load_config(tmp_path / "none.toml")
    with pytest.raises(InputError, match="no estimator is called 'mine'"):
        complete(tomllib.loads(TEXT.replace("standing_in", "mine")), "text")


def test_presets_go_by_name(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PRESETS", tmp_path)
    (tmp_path / "nano").mkdir()
    (tmp_path / "nano" / "standing_in.toml").write_text(TEXT)
    assert list_presets() == list_presets("standing_in") == ("nano",)
    assert load_config("nano", "standing_in").data.batch == 6
    with pytest.raises(InputError, match=r"--preset nana: no preset for standing_in is called so; did you mean 'nano'"):
        load_config("nana", "standing_in")
    with pytest.raises(InputError, match="--preset nano: of which estimator"):
        load_config("nano")


@pytest.mark.parametrize("name", list_estimators())
def test_every_estimator_has_every_preset_and_each_is_whole(name):
    for preset in list_presets():
        config = load_config(preset, name)
        assert isinstance(config, Config) and config.estimator == name
        assert complete(as_table(config), "again") == config
        assert dataclasses.replace(config) == config
