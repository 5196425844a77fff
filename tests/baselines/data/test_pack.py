"""A pack gives what the release gives, exactly or within what is said, and needs neither HDF5 nor its filters."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from baselines.data import packing
from baselines.data.opening import open_source
from baselines.data.pack import PackSource
from baselines.data.packing import USUAL, pack
from baselines.data.source import require
from rigging.command_line import main
from rigging.errors import InputError

EXACT = ("alpha", "mask", "K", "world_to_cam", "joints_cam", "joints_2d", "joint_visible")


@pytest.fixture(scope="module")
def packed(hands_folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("packs") / "hands.pack"
    pack(hands_folder, path)
    return path


@pytest.mark.parametrize("views", [None, (2,), (1, 0)])
def test_labels_are_those_of_the_release(hands_folder, packed, views):
    release, source = open_source(hands_folder, "train", USUAL), open_source(packed, "train", USUAL)
    for row in range(3):
        old, new = release.read(row, views), source.read(row, views)
        for name in EXACT:
            np.testing.assert_array_equal(new[name], old[name], err_msg=name)
            assert new[name].dtype == old[name].dtype
        assert 0 < np.linalg.norm(new["vertices_world"] - old["vertices_world"], axis=1).max() < 1e-4
        error = np.square(new["rgb"].astype(float) - old["rgb"]).mean()
        assert 10 * np.log10(255**2 / error) > 45
        assert set(new) == set(old) == source.fields


@pytest.mark.parametrize("views", [None, (2,), (1, 0)])
def test_depth_is_packed_where_it_is_asked_for(hands_folder, packed, tmp_path, views):
    pack(hands_folder, tmp_path / "deep.pack", fields=("depth",))
    assert "depth" not in open_source(packed, fields=("depth",)).fields
    old, new = (
        open_source(path, fields=("depth",)).read(1, views)["depth"] for path in (hands_folder, tmp_path / "deep.pack")
    )
    assert new.dtype == np.float32 and new.shape == old.shape
    np.testing.assert_array_equal(new == 0, old == 0)
    assert 0 < abs(new - old).max() < 0.51e-4


@pytest.mark.parametrize("depth", [6.6, 1e-5, -0.5, np.nan])
def test_depth_that_16_bits_do_not_hold_is_refused(depth):
    with pytest.raises(InputError, match=r"a pack holds 0\.0001 to 6\.554 m"):
        packing._steps(np.array([[0.0, depth]], np.float32))


def test_it_says_what_it_holds(hands_folder, packed):
    release, source = open_source(hands_folder, "train"), open_source(packed, "train")
    assert (source.samples, source.views, source.image_size) == (release.samples, release.views, release.image_size)
    for name in ("numbers", "subjects", "splits"):
        np.testing.assert_array_equal(getattr(source, name), getattr(release, name))
    assert source.texts["release"] == "test" and source.texts["licence"] == "CC0-1.0"


def test_only_what_is_asked_for_is_packed_and_read(hands_folder, packed, tmp_path):
    pack(hands_folder, tmp_path / "few.pack", fields=("mask",), split="train", samples=2)
    source = open_source(tmp_path / "few.pack", fields=USUAL)
    assert source.numbers.tolist() == [0, 1]
    assert source.fields == {"rgb", "mask", "K", "world_to_cam", "joints_cam", "joints_2d"} == set(source.read(0))
    with pytest.raises(InputError, match=r"few\.pack: training needs vertices_world"):
        require(source, ("vertices_world",))
    assert set(open_source(packed, fields=("rgb", "K")).read(0)) == {"rgb", "K"}


def test_smaller_pictures_keep_labels_true(hands_folder, tmp_path):
    pack(hands_folder, tmp_path / "small.pack", size=32, quality=100)
    old, new = open_source(hands_folder).read(0), open_source(tmp_path / "small.pack").read(0)
    assert new["rgb"].shape == (3, 32, 32, 3)
    np.testing.assert_allclose(new["joints_2d"], old["joints_2d"] / 2, atol=1e-5)
    means = old["rgb"].reshape(3, 32, 2, 32, 2, 3).mean((2, 4))
    assert abs(new["rgb"] - means).mean() < 1


def test_a_pack_is_no_larger_than_is_said(hands_folder, packed, tmp_path):
    limit = 0.9 * packed.stat().st_size / 2**20
    smaller = pack(hands_folder, tmp_path / "smaller.pack", max_mib=limit)
    assert smaller.bytes == (tmp_path / "smaller.pack").stat().st_size <= limit * 2**20
    assert 50 <= smaller.quality < 95 and open_source(tmp_path / "smaller.pack").texts["jpeg_quality"] == str(
        smaller.quality
    )
    with pytest.raises(InputError, match=r"4 samples take .* MiB at JPEG quality 50, --max-mib 0.01 are allowed"):
        pack(hands_folder, tmp_path / "smaller.pack", max_mib=0.01)
    assert (tmp_path / "smaller.pack").stat().st_size == smaller.bytes
    assert [path.name for path in tmp_path.iterdir()] == ["smaller.pack"]


def test_the_same_release_gives_the_same_bytes(hands_folder, packed, tmp_path):
    pack(hands_folder, tmp_path / "again.pack")
    assert (tmp_path / "again.pack").read_bytes() == packed.read_bytes()


def test_it_can_be_opened_by_the_library_whose_layout_it_has(packed):
    numpy_reader = pytest.importorskip("safetensors.numpy")
    arrays = numpy_reader.load_file(packed)
    assert arrays["joints_world"].shape == (4, 21, 3)
    assert arrays["vertices_offset"].dtype == np.float16


def without_middle(data: bytes) -> bytes:
    return data[: len(data) // 2]


def with_a_flipped_bit(data: bytes) -> bytes:
    return data[:-1000] + bytes([data[-1000] ^ 1]) + data[-999:]


def of_the_future(data: bytes) -> bytes:
    return data.replace(b'"version":"1"', b'"version":"9"')


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (without_middle, "damaged: .* bytes, .* are wanted"),
        (with_a_flipped_bit, "damaged: its bytes are not those that were written"),
        (of_the_future, "pack version 9; this program reads up to 1"),
        (lambda data: b"", "not a pack"),
        (lambda data: b"some other file that is no pack at all", "not a pack"),
        (lambda data: (2).to_bytes(8, "little") + b"{}", "not a pack"),
        (lambda data: (9).to_bytes(8, "little") + b'{"a":[1]}', "not a pack"),
        (lambda data: data[:8] + data[9:], "not a pack|damaged"),
    ],
)
def test_what_is_no_whole_pack_is_said_in_one_line(packed, tmp_path, change, told):
    path = tmp_path / "broken.pack"
    path.write_bytes(change(packed.read_bytes()))
    with pytest.raises(InputError, match=rf"broken\.pack: ({told})") as caught:
        open_source(path)
    assert "\n" not in str(caught.value)


def test_a_picture_that_cannot_be_read_is_named(packed, monkeypatch):
    source = PackSource(packed, "val")
    monkeypatch.setitem(source._arrays, "rgb", np.zeros_like(source._arrays["rgb"]))
    with pytest.raises(InputError, match=r"hands\.pack: rgb of sample 2, view 1, cannot be read"):
        source.read(0, (1,))


def test_batches_of_a_pack_need_only_torch_numpy_and_opencv(packed):
    code = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("h5py", "hdf5plugin", "scipy", "tqdm", "safetensors", "matplotlib"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
from baselines.config import Augment, Data
from baselines.data.batches import Batches
from baselines.data.opening import open_source
source = open_source({str(packed)!r}, "train")
batch = next(Batches(source, Data(size=32, batch=4), Augment(blur=1.0, jpeg=1.0)).epoch(0, 0))
print(tuple(batch.rgb.shape))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "(4, 3, 32, 32)", done.stderr


def test_the_command_packs_and_says_so(hands_folder, tmp_path, capsys):
    out = tmp_path / "said.pack"
    assert main(["pack", str(hands_folder), "--out", str(out), "--split", "val", "--fields", "joint_visible"]) == 0
    assert "1 samples, 3 pictures, JPEG quality 95" in capsys.readouterr().out
    assert json.loads(open_source(out).texts["splits"]) == ["val"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--quality", "101"), "--quality from 1 to 100"),
        (("--size", "-1"), "--size -1: a number from 0"),
        (("--fields", "normals"), "--fields normals: a pack holds no such field"),
        (("--split", "tset"), "no sample has 'tset'"),
    ],
)
def test_the_command_refuses_in_one_line_and_writes_nothing(hands_folder, tmp_path, capsys, words, told):
    assert main(["pack", str(hands_folder), "--out", str(tmp_path / "no.pack"), *words]) == 2
    error = capsys.readouterr().err
    assert told in error and error.count("\n") == 1
    assert not list(tmp_path.iterdir())
