"""The ablation: variants share renders and labels, differences are paired, and the page says what was measured."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from baselines.evaluate.measures import Measured
from blender_scripts.looks.colour import linear_to_srgb8
from blender_scripts.looks.exposure import camera_gains, scene_light, skin_reflectance
from blender_scripts.render_sample import label_sample
from dataset_tools.store.staged import read_staged
from rigging.errors import InputError
from tests.benchmarks.ablate import __main__ as command
from tests.benchmarks.ablate.develop import DevelopJob, restyled, staging
from tests.benchmarks.ablate.judged import Views, rates
from tests.benchmarks.ablate.learn import AGAINST, MEASURES, OTHERS, OWN, Lessons, learned_table, real_set
from tests.benchmarks.ablate.page import judge_section, learned_sections, pictures_section
from tests.benchmarks.ablate.stage import Stage, load_hands, save_hands
from tests.benchmarks.ablate.study import HERE, Study, Variant, chosen, load_study, quick, way_of

SIDE = 64  # px of the pictures of TINY
VARIANTS = (
    Variant("plain", "no sensor"),
    Variant("phone", "a sensor", look={"sensor": {"preset": "phone"}}),
    Variant("two", "2 samples per pixel", like="phone", render={"samples_per_pixel": 2}),
)
TINY = """
name = "tiny"
seed = 3
samples = 2
shard_size = 2
[poses]
candidates = 60
[subjects]
count = 1
run = 1
skin_resolution = 256
[cameras]
views = 2
image_size = 64
[look]
backgrounds = {none = 1}
lens_blur = [0, 0]
"""


class GreyPanoramas:
    """A library of panoramas that needs no Blender."""

    files = dict.fromkeys(("city", "forest"))

    def panorama(self, name: str) -> np.ndarray:
        return np.ones((64, 128, 3), np.float32)

    def light(self, name: str, rotation: float) -> np.ndarray:
        return self.panorama(name)


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Study:
    folder = tmp_path_factory.mktemp("study")
    (folder / "tiny.toml").write_text(TINY)
    (folder / "variants.toml").write_text('[[variants]]\nname = "plain"\nsays = ""\n')
    return dataclasses.replace(load_study(folder / "tiny.toml", folder / "variants.toml"), variants=VARIANTS)


@pytest.fixture(scope="module")
def stage(study, tmp_path_factory) -> Stage:
    """Made-up renders of both samples, another for each way."""
    stage = Stage(tmp_path_factory.mktemp("stage"))
    stage.plan(study)
    for number, (way, sample) in enumerate(itertools.product(study.ways(), range(2))):
        hands = np.ones((2, SIDE, SIDE, 4), np.float32)
        hands[..., :3] = np.linspace(0.1, 0.3 + 0.1 * number, SIDE)[:, None]
        save_hands(stage.hands(way, sample), hands)
    return stage


@pytest.fixture(scope="module")
def job(stage, study) -> DevelopJob:
    """The pictures of all variants, made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.benchmarks.ablate.stage.open_panoramas", lambda *_: GreyPanoramas())
        job = DevelopJob(stage, study, tuple(one.name for one in VARIANTS))
    for one in VARIANTS:
        staging(stage, one.name).open("tried")
    job(0)
    job(1)
    return job


def test_pictures_are_developed_from_the_kept_renders(job, stage, study):
    """As `render_sample` would: here nothing but exposure and sRGB, over black."""
    spec = job.inputs.specs.spec(0)
    light = scene_light(spec.look, GreyPanoramas().light("", 0))
    gains = camera_gains(spec.look, light, skin_reflectance(spec.skin.albedo))
    _, coverage = label_sample(job.bodies.surface(spec.look.arm_style), spec, (SIDE, SIDE))
    hands = load_hands(stage.hands(way_of(study.release.render), 0))
    for hand, covered, stream in zip(hands, coverage, read_staged(staging(stage, "plain").path(0)).jpeg):
        picture = cv2.imdecode(np.frombuffer(stream, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].astype(float)
        inside = cv2.erode(covered, np.ones((9, 9))) == 1  # where JPEG brings nothing in from the background
        assert inside.any()
        assert np.abs(picture - linear_to_srgb8(hand[..., :3] * gains))[inside].max() < 12


def test_variants_have_the_same_labels_and_other_pictures(job, stage):
    plain, phone, two = (read_staged(staging(stage, one.name).path(1)) for one in VARIANTS)
    assert plain.chunks == phone.chunks == two.chunks
    assert set(plain.values) == set(phone.values)
    assert {name for name in plain.values if not np.array_equal(plain.values[name], phone.values[name])} == {
        "metadata/light"
    }
    assert len({plain.jpeg, phone.jpeg, two.jpeg}) == 3


def test_a_sample_that_is_staged_is_not_made_again(job, stage):
    places = [staging(stage, one.name).path(0) for one in VARIANTS]
    before = [place.stat().st_mtime_ns for place in places]
    places[1].unlink()
    job(0)
    after = [place.stat().st_mtime_ns for place in places]
    assert [one == other for one, other in zip(before, after)] == [True, False, True]


def test_a_variant_that_changes_the_light_is_refused(job, study):
    spec = job.inputs.specs.spec(0)
    brighter = dataclasses.replace(study.release, look=dataclasses.replace(study.release.look, hdri_strength=(2, 2)))
    with pytest.raises(InputError, match="changes hdri_strength"):
        restyled(job.inputs.plan, spec, 0, brighter, ("city", "forest"))


def test_renders_are_kept_without_loss(tmp_path):
    hands = np.random.default_rng(0).standard_normal((2, 5, 4, 4)).astype(np.float32)
    save_hands(tmp_path / "way" / "1.npz", hands)
    np.testing.assert_array_equal(load_hands(tmp_path / "way" / "1.npz"), hands)


def test_renders_of_another_release_are_not_mixed(stage, study):
    other = dataclasses.replace(study, release=dataclasses.replace(study.release, seed=4))
    with pytest.raises(InputError, match="renders of another release"):
        stage.plan(other)


def test_the_committed_variants_are_sound_and_keep_the_renders_few():
    study = load_study(HERE / "release.toml", HERE / "variants.toml")
    assert {one.samples_per_pixel for one in study.ways().values()} >= {2, 3, 4, 6, 8, 12}
    assert len(study.ways()) < len(study.variants)
    assert len(quick(study).variants) == 2


BAD = {
    'name = "a"\nlook.colour = 1': "unknown key 'colour'",
    'name = "a"\nlook.sensor.preset = "fone"': "preset 'fone' is unknown",
    'name = "a"\nlook.sensor.iso = [400, 100]': "iso = ",
    'name = "a"\nrender.samples_per_pixel = 0': "samples_per_pixel is 0",
    'name = "a"\nrender.width = 64': "render.width is the release's own",
    'name = "a"\nlike = "b"': "like = 'b': must be one before it",
    'name = "a"\nlook.hdri_strength = [1, 1]': "changes hdri_strength",
    'name = "a"\nlook.sleeve = 1.0': "changes arm_style",
    'name = "a b"': "name = 'a b'",
    "": "key 'name' is missing",
}


@pytest.mark.parametrize(("text", "says"), BAD.items())
def test_bad_variants_are_told_in_a_line(text, says, tmp_path, capsys):
    (tmp_path / "variants.toml").write_text(f'[[variants]]\nsays = ""\n{text}\n')
    words = ["--folder", tmp_path / "out", "--variants", tmp_path / "variants.toml"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["ablate", *map(str, words)])
        assert command.main() == 2
    assert says in (error := capsys.readouterr().err)
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_two_variants_of_a_name_are_refused(tmp_path):
    (tmp_path / "variants.toml").write_text('[[variants]]\nname = "a"\nsays = ""\n' * 2)
    with pytest.raises(InputError, match="a name of its own"):
        load_study(HERE / "release.toml", tmp_path / "variants.toml")


def test_a_variant_has_the_keys_of_what_it_is_like_and_its_own(study):
    own = Variant("quiet", "no noise", like="two", look={"sensor": {"iso": [0, 0]}})
    more = dataclasses.replace(study, variants=(*VARIANTS, own))
    phone, two, quiet = (more.of(more.named(name)) for name in ("phone", "two", "quiet"))
    assert quiet.render == two.render != phone.render
    assert quiet.look.sensor == dataclasses.replace(phone.look.sensor, iso=(0.0, 0.0))
    alone = chosen(more, ["plain", "quiet"])
    assert alone.of(alone.named("quiet")) == quiet
    assert alone.against(alone.named("quiet")).name == "plain"


@pytest.mark.parametrize("text", ["hanco", "=/data", "hanco="])
def test_a_real_set_needs_name_and_path(text):
    with pytest.raises(InputError, match="NAME=PATH"):
        real_set(text)


def errors_of(study: Study, seeds: int = 3, samples: int = 40) -> dict[str, dict[str, list[Measured]]]:
    """Made-up errors: each variant's runs on every test, two samples a subject."""
    rng, sample = np.random.default_rng(1), np.arange(samples)
    tests = [*(one.name for one in study.variants), "hanco"]

    def measured(level: float) -> Measured:
        values = {measure: level + rng.normal(0, 0.1, samples) for measure in MEASURES}
        return Measured(sample, sample // 2, np.zeros(51), values)

    return {
        one.name: {test: [measured(30.0 + 2 * number + k) for _ in range(seeds)] for k, test in enumerate(tests)}
        for number, one in enumerate(study.variants)
    }


def test_figures_are_those_of_literal_means(study):
    errors, measure = errors_of(study), MEASURES[0]
    lessons = Lessons(Stage(Path()), ("plain", "phone", "two"), 3, (("hanco", "hanco:x"),))
    row = learned_table(errors, study, lessons)["rows"]["two"]

    def mean(trained: str, *tests: str) -> float:
        return float(np.mean([one.values[measure].mean() for test in tests for one in errors[trained][test]]))

    assert row["mm"][OWN][measure]["mean"] == pytest.approx(mean("two", "two"), abs=1e-3)
    assert row["mm"][OTHERS][measure]["mean"] == pytest.approx(mean("two", "plain", "phone"), abs=1e-3)
    assert row["less"][AGAINST][measure]["mean"] == pytest.approx(
        mean("two", "phone") - mean("phone", "phone"), abs=1e-3
    )
    assert row["less"][OTHERS][measure]["mean"] == pytest.approx(
        mean("two", "plain") - mean("phone", "plain"), abs=1e-3
    )
    assert row["less"]["hanco"][measure]["verdict"] == "worse", "2 mm, of 0.1 mm noise, in 20 subjects"


def test_the_page_has_every_variant_with_intervals(study):
    lessons = Lessons(Stage(Path()), ("plain", "phone", "two"), 3, (("hanco", "hanco:x"),))
    table = learned_table(errors_of(study), study, lessons)
    how, errors, cross = learned_sections(table, study, {"render": 61.0})
    assert "40 samples of 20 subjects" in how
    assert "render 1 min 01 s" in how
    assert "A trial" not in how
    line = next(line for line in errors.splitlines() if line.startswith("| two"))
    assert line.count(" to ") == 6, "own, others, real, and three differences"
    assert "**+2.0**" in line
    assert len(cross.splitlines()) == 1 + 1 + 2 + 2 + 3


def test_rates_are_paired_and_counted_by_group():
    rng = np.random.default_rng(2)
    subject, dark = np.repeat(np.arange(12), 10), rng.random(120) < 0.5
    groups = {"all": np.ones(120, bool), "tones: dark": dark, "background: hdri": rng.random(120) < 0.5}
    one, other = (Views(rng.random(120) < share, subject, groups) for share in (0.9, 0.7))
    other = dataclasses.replace(other, groups=groups | {"background: hdri": ~groups["background: hdri"]})
    found = rates(one, other)
    assert found["tones: dark"]["views"] == dark.sum()
    assert found["tones: dark"]["found"]["mean"] == np.mean([hit for hit, is_dark in zip(one.found, dark) if is_dark])
    assert found["all"]["more"]["mean"] == pytest.approx(np.mean(one.found) - np.mean(other.found))
    low, high = found["all"]["more"]["interval"]
    assert 0 < low < found["all"]["more"]["mean"] < high
    assert "more" not in found["background: hdri"], "other views are before it there"


def test_the_judges_section_has_a_column_for_each_variant(study):
    rate = {"views": 1200, "subjects": 9, "found": {"mean": 0.9, "interval": [0.85, 0.95]}}
    more = rate | {"more": {"mean": 0.015, "interval": None}}
    section = judge_section({"plain": {"all": rate}, "phone": {"all": more}, "two": {"all": more}}, study)
    assert "| all (1200 views) | 90.0 (85.0 to 95.0) | 90.0 (85.0 to 95.0); +1.5 |" in section


def test_statistics_stand_beside_those_of_photographs():
    measures = {"spectrum_2_4": {"mean": -0.009, "std": 0.137}, "noise": {"mean": 2.4, "std": 0.5}}
    section = pictures_section({"plain": {"pictures": 9, "measures": measures | {"spectrum_4_8": measures["noise"]}},
                                "photographs": {"pictures": 13, "measures": measures}})  # fmt: skip
    assert "| photographs (13) | -0.009 ± 0.137 | - | 2.4 ± 0.5 |" in section


def test_the_judge_needs_an_environment(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("sys.argv", ["ablate", "--folder", str(tmp_path / "out"), "--parts", "judge"])
    assert command.main() == 2
    assert "make judge makes" in capsys.readouterr().err
