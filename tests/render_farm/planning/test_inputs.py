"""A release is known by what its files hold: wherever they lie, however many, and whatever lies beside them."""

import dataclasses
import errno
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from photo_release import RELEASE, begun, picture, refused, release_of

from dataset_tools.store.layout import ReleaseFolder
from render_farm.planning import inputs as inputs_module
from render_farm.planning.catalogue import PANORAMAS, PHOTOGRAPHS, POSES, Catalogue
from render_farm.planning.configuration import Configuration
from render_farm.planning.ensure_plan import ensure_plan
from render_farm.planning.inputs import read_inputs
from render_farm.planning.keep_inputs import open_photographs
from rigging.files import file_sha256


def digest_of(photos, tmp_path):
    return read_inputs(release_of(photos, tmp_path), tmp_path / "cache")[PHOTOGRAPHS].digest


def test_where_photographs_lie_says_nothing(photos, tmp_path):
    first = ensure_plan(release_of(photos, tmp_path), tmp_path / "one")
    (tmp_path / "mnt").symlink_to(photos)
    linked = ensure_plan(release_of(tmp_path / "mnt", tmp_path), tmp_path / "two")
    shutil.copytree(photos, tmp_path / "a copy's")
    copied = ensure_plan(release_of(tmp_path / "a copy's", tmp_path), tmp_path / "three")
    hashes = {Configuration.of(plan, None).hash for plan in (first, linked, copied)}
    assert len(hashes) == 1
    assert len({(tmp_path / out / "plan.npz").read_bytes() for out in ("one", "two", "three")}) == 1


def test_no_path_is_in_the_plan_or_the_configuration(photos, tmp_path):
    plan = ensure_plan(release_of(photos, tmp_path), tmp_path / "out")
    assert str(tmp_path) not in plan.release + Configuration.of(plan, None).text
    assert '"photos":"PATH"' in plan.release
    assert plan.files[PHOTOGRAPHS]["files"] == 6


@pytest.mark.parametrize("name", [".DS_Store", "._p0.jpg", "Thumbs.db", ".thumbnails/p0.jpg", "__MACOSX/p.jpg",
                                  "@eaDir/p.jpg", "notes.txt", "sub/film.mov"])  # fmt: skip
def test_only_pictures_count(photos, tmp_path, name):
    before = digest_of(photos, tmp_path)
    (photos / name).parent.mkdir(exist_ok=True)
    (photos / name).write_bytes(b"\0\0\0\1Bud1")
    assert digest_of(photos, tmp_path) == before


def test_every_photograph_counts_however_many(photos, tmp_path):
    data = (photos / "p0.jpg").read_bytes()
    for number in range(2100):
        (photos / f"q{number:05d}.jpg").write_bytes(data)
    before = digest_of(photos, tmp_path)
    picture(photos / "q02099.jpg", seed=9)
    changed = digest_of(photos, tmp_path)
    (photos / "q02099.jpg").unlink()
    assert len({before, changed, digest_of(photos, tmp_path)}) == 3


def test_a_file_that_changes_is_read_again_and_others_are_not(photos, tmp_path, monkeypatch):
    release, before = release_of(photos, tmp_path), []
    monkeypatch.setattr("render_farm.planning.known_files.SETTLED_SECONDS", -1.0)
    read = []
    monkeypatch.setitem(inputs_module.READ, PHOTOGRAPHS, (lambda path: read.append(path.name) or path.name, None))
    for changed in (None, None, "p3.jpg"):
        if changed:
            old = (photos / changed).stat()
            (photos / changed).write_bytes((photos / changed).read_bytes())
            os.utime(photos / changed, ns=(old.st_atime_ns, old.st_mtime_ns))  # the size and time it had
        read_inputs(release, tmp_path / "cache")
        before.append(sorted(read))
        read.clear()
    assert before == [[f"p{number}.jpg" for number in range(6)], [], ["p3.jpg"]]


def test_what_is_remembered_may_be_lost_or_unwritable(photos, tmp_path):
    release, cache = release_of(photos, tmp_path), tmp_path / "cache"
    before = read_inputs(release, cache)
    for memory in (cache / "inputs").iterdir():
        memory.write_bytes(b"[1, 2")
    assert read_inputs(release, cache) == before
    (tmp_path / "file").touch()
    assert read_inputs(release, tmp_path / "file") == before


SPOILS = {
    "empty": lambda data: b"",
    "a web page": lambda data: b"<html>404 not found</html>",
    "half": lambda data: data[: len(data) // 2],
}


@pytest.mark.parametrize("spoil", SPOILS.values(), ids=SPOILS)
def test_a_bad_photograph_is_named_before_anything_is_planned(photos, tmp_path, spoil):
    path = photos / "p4.jpg"
    path.write_bytes(spoil(path.read_bytes()))
    told = refused(release_of(photos, tmp_path), tmp_path / "out")
    assert told.startswith(f"[files] photos {photos}: 1 of 6 photographs cannot be used: p4.jpg (")
    assert not (tmp_path / "out" / "plan.npz").exists()


def test_bad_files_of_all_kinds_are_named_together(photos, tmp_path, monkeypatch):
    (photos / "p1.jpg").write_bytes(b"")
    (photos / "p9.jpg").symlink_to(tmp_path / "nowhere")
    (tmp_path / "light").mkdir()
    (tmp_path / "light" / "sky.hdr").write_bytes(b"no panorama")
    judged = (file_sha256, lambda files: dict.fromkeys(files, "cannot be read"))
    monkeypatch.setitem(inputs_module.READ, PANORAMAS, judged)
    release = release_of(photos, tmp_path, RELEASE + f"hdris = '{tmp_path / 'light'}'\n")
    told = refused(release, tmp_path / "out")
    assert "1 of 1 panoramas cannot be used: sky.hdr (cannot be read); [files] photos" in told
    assert "2 of 7 photographs cannot be used: p1.jpg (the file is empty), p9.jpg (No such file or directory)" in told


def test_a_folder_that_cannot_be_listed_is_no_empty_one(photos, tmp_path, monkeypatch):
    def denied(folder):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(photos / "sub"))

    monkeypatch.setattr(Path, "iterdir", denied)
    told = refused(release_of(photos, tmp_path), tmp_path / "out")
    assert told == f"[files] photos {photos}: {photos}/sub cannot be read (Permission denied)"


def test_a_folder_that_is_not_there_is_named(photos, tmp_path):
    told = refused(release_of(photos, tmp_path, RELEASE + "hdris = '/nowhere'\n"), tmp_path / "out")
    assert told == "[files] hdris: HDRI folder /nowhere does not exist"


def test_what_differs_is_named(photos, tmp_path):
    folder, kept = begun(photos, tmp_path), (photos / "p2.jpg").read_bytes()
    (photos / "p2.jpg").unlink()
    picture(photos / "p3.jpg", seed=33)
    for number in range(5):
        picture(photos / f"z{number}.png", number)
    told = refused(release_of(photos, tmp_path), folder)
    assert "photographs: p2.jpg missing, z0.png, z1.png, z2.png and 2 more new, p3.jpg changed" in told
    for path in photos.glob("z*"):
        path.unlink()
    picture(photos / "p3.jpg", seed=3)
    (photos / "p2.jpg").write_bytes(kept)
    ensure_plan(release_of(photos, tmp_path), folder)


def test_what_differs_is_named_as_far_as_it_is_known(photos, tmp_path):
    folder = begun(photos, tmp_path)
    shutil.rmtree(folder / ".inputs")
    (photos / "p2.jpg").unlink()
    assert "(photographs: not those it was planned with)" in refused(release_of(photos, tmp_path), folder)


def test_a_changed_setting_is_named(photos, tmp_path):
    folder = begun(photos, tmp_path)
    told = refused(dataclasses.replace(release_of(photos, tmp_path), seed=6), folder)
    assert "(seed 5, now 6)" in told


def test_a_lost_list_of_what_was_planned_is_written_again(photos, tmp_path):
    release, folder = release_of(photos, tmp_path), begun(photos, tmp_path)
    shutil.rmtree(folder / ".inputs")
    plan = ensure_plan(release, folder)
    assert open_photographs(ReleaseFolder(folder), plan, str(photos)).files == tuple(sorted(photos.iterdir()))


def test_the_list_of_photographs_is_for_sha256sum(photos, tmp_path):
    folder = begun(photos, tmp_path)
    command = ["sha256sum", "--check", "--strict", "--quiet", str(folder / ".inputs" / "photographs.sha256")]
    subprocess.run(command, cwd=photos, check=True)


def test_a_photograph_that_changes_while_it_is_rendered_is_refused(photos, tmp_path):
    release = release_of(photos, tmp_path)
    plan = ensure_plan(release, tmp_path / "out")
    opened = open_photographs(ReleaseFolder(tmp_path / "out"), plan, str(photos))
    picture(photos / "new.jpg")  # is none of the planned
    assert opened.crop(np.random.default_rng(0), 8, 8).shape == (8, 8, 3)
    for number in range(6):
        picture(photos / f"p{number}.jpg", 50 + number)
    with pytest.raises(ValueError, match="has changed since the release was planned"):
        opened.crop(np.random.default_rng(0), 8, 8)


names = st.text(st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(st.dictionaries(names, st.binary(min_size=32, max_size=32).map(bytes.hex), max_size=5), st.sampled_from([POSES]))
def test_a_catalogue_is_read_as_it_was_written(files, kind):
    catalogue = Catalogue(kind, Path("/data"), tuple(files), tuple(files.values()))
    assert Catalogue.from_bytes(kind, Path("/data"), catalogue.to_bytes()) == catalogue


@given(st.lists(st.binary(min_size=32, max_size=32).map(bytes.hex), min_size=2, max_size=5, unique=True))
def test_photographs_are_their_contents_in_order_and_pose_files_have_names_too(sha256s):
    def digest(kind, names, contents):
        return Catalogue(kind, Path(), tuple(names), tuple(contents)).digest

    first, second = [f"a{n}" for n in range(len(sha256s))], [f"b{n}" for n in range(len(sha256s))]
    assert digest(PHOTOGRAPHS, first, sha256s) == digest(PHOTOGRAPHS, second, sha256s)
    assert digest(POSES, first, sha256s) != digest(POSES, second, sha256s)
    assert digest(PHOTOGRAPHS, first, sha256s) != digest(PHOTOGRAPHS, first, sha256s[::-1])
