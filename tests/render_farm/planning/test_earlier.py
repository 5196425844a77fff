"""Releases that mvhm 0.2 began when it knew files by their paths are finished where the bytes are the same."""

import dataclasses

import pytest
from photo_release import begun, picture, refused, release_of

from dataset_tools.store.layout import ReleaseFolder
from render_farm.planning import earlier
from render_farm.planning.configuration import Configuration
from render_farm.planning.ensure_plan import ensure_plan
from render_farm.planning.keep_inputs import open_photographs
from render_farm.planning.plan import load_plan, save_plan


@pytest.fixture
def folder(photos, tmp_path):
    """OUT/RELEASE as that version left it: with a plan that names files by their paths, and a shard."""
    folder, release = begun(photos, tmp_path), release_of(photos, tmp_path)
    text, key = release.to_json(paths=True), earlier._key(release, [photos])
    path = folder / "plan.npz"
    save_plan(dataclasses.replace(load_plan(path), release=text, inputs=key, files={}), path)
    return folder


def test_such_a_release_goes_on_as_it_began(folder, photos, tmp_path):
    release, before = release_of(photos, tmp_path), (folder / "plan.npz").read_bytes()
    plan = ensure_plan(release, folder)
    assert (folder / "plan.npz").read_bytes() == before
    assert str(photos) in Configuration.of(plan, None).text  # the shards beside it say the same
    assert "files" not in Configuration.of(plan, None).text.replace('"files": {"hdris"', "")
    assert open_photographs(ReleaseFolder(folder), plan, str(photos)).files == tuple(sorted(photos.iterdir()))


@pytest.mark.parametrize("change", ["content", "one more", "a hidden picture that was drawn, too"])
def test_not_with_other_files(folder, photos, tmp_path, change):
    name = {"content": "p1.jpg", "one more": "p9.jpg"}.get(change, "._p1.jpg")
    picture(photos / name, seed=77)
    told = refused(release_of(photos, tmp_path), folder)
    assert "1 shard(s) that mvhm 0.2 began" in told
    assert "finish it with that version" in told


def test_not_from_elsewhere(folder, photos, tmp_path):
    (tmp_path / "mnt").symlink_to(photos)
    assert "finish it with that version" in refused(release_of(tmp_path / "mnt", tmp_path), folder)


def test_a_changed_setting_is_named_nevertheless(folder, photos, tmp_path):
    assert "(seed 5, now 6)" in refused(dataclasses.replace(release_of(photos, tmp_path), seed=6), folder)
