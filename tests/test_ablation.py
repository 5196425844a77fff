"""The ablation's variants: lists that are checked, renders and labels that all share, shards like any release's."""

from __future__ import annotations

import dataclasses
import itertools
import shutil
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from blender_scripts.looks.colour import linear_to_srgb8
from blender_scripts.looks.exposure import camera_gains, scene_light, skin_reflectance
from blender_scripts.render_sample import label_sample
from dataset_tools import HandDataset
from dataset_tools.store.staged import read_staged
from rigging.errors import InputError
from tests.benchmarks.ablate import __main__ as command
from tests.benchmarks.ablate.develop import DevelopJob, pack, restyled, staging
from tests.benchmarks.ablate.stage import Stage, load_hands, samples_of, save_hands
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


def test_as_many_samples_of_each_group_of_tones_as_asked_for():
    """Pairs of two samples; subjects 0 and 3 are dark, 1 tan, 2 light."""
    plan = SimpleNamespace(poses_per_pair=2, ita=np.array([-50.0, 20.0, 60.0, 5.0]), subject=np.array([0, 1, 3, 2, 0]))
    study = Study(SimpleNamespace(samples=10), ())
    assert samples_of(plan, study) == list(range(10))
    assert samples_of(plan, dataclasses.replace(study, per_tone=2)) == [0, 1, 2, 3, 6, 7]
    assert samples_of(plan, dataclasses.replace(study, per_tone=4)) == [0, 1, 2, 3, 4, 5, 6, 7]


def test_pictures_are_developed_from_the_kept_renders(job, stage, study):
    """As `render_sample` would: here nothing but exposure and sRGB, over black."""
    spec = job.inputs.specs.spec(0)
    light = scene_light(spec.look, GreyPanoramas().light("", 0))
    gains = camera_gains(spec.look, light, skin_reflectance(spec.skin.albedo))
    _, coverage = label_sample(job.bodies.surface(spec.look.arm_shape), spec, (SIDE, SIDE))
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


def test_a_variant_is_a_release_that_says_what_it_is(job, stage, study, tmp_path):
    copied = Stage(Path(shutil.copytree(stage.folder, tmp_path / "copy")))
    pack(copied, study, job.inputs.plan, VARIANTS[2], range(study.release.samples))
    with closing(HandDataset(copied.variant("two").path, fields=["rgb"])) as dataset:
        assert (len(dataset), dataset[1]["rgb"].shape) == (2, (2, SIDE, SIDE, 3))
        settings = dataset.attrs["configuration"]["release"]
    assert (settings["name"], settings["render"]["samples_per_pixel"]) == ("two", 2)
    assert settings["look"]["sensor"]["iso"] == list(study.of(VARIANTS[1]).look.sensor.iso)
    assert not staging(copied, "two").folder.exists()


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
    assert {one.samples_per_pixel for one in study.ways().values()} == {2, 4, 8}
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
