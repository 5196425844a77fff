"""Who reads data of cameras with lenses: follows them, or refuses in one line."""

from __future__ import annotations

import io
import tarfile

import cv2
import numpy as np
import pytest
from labelled import image_of, labelled
from records import metadata, shard_record

from baselines.data.opening import open_source as open_training_data
from baselines.data.packing import pack
from dataset_tools import HandDataset
from dataset_tools.browse.scripts import sample_script
from dataset_tools.check.shard import check_shard, draw_mesh
from dataset_tools.export.run import TARGETS, export
from dataset_tools.judge.joint_map import OFFSETS, expected, mapped
from dataset_tools.pictures.view import PICTURES
from dataset_tools.rerun_recording.chosen import choose
from dataset_tools.store.encode import encode_sample
from dataset_tools.store.writer import write_manifest, write_shard
from rigging.errors import InputError

LENS = (-0.9, 0.4, 0.02, -0.03, 0.1)
DERIVED = ("mask", "amodal_mask", "joints_cam", "joints_2d", "meta")


@pytest.fixture(scope="module")
def bent(tmp_path_factory):
    """A shard of a sample of three views through a strong lens."""
    sample = labelled(views=3, size=64, lens=LENS).sample
    record = {name: value for name, value in sample.items() if name not in DERIVED}
    record |= metadata(0, 0, 0.7, sample["joints_world"].astype(float))
    path = tmp_path_factory.mktemp("bent") / "shard-00000.h5"
    write_manifest(path, write_shard(path, [encode_sample(record)], shard_record()))
    return path


def test_the_quick_check_passes_and_draws_the_mesh_where_the_lens_has_it(bent):
    assert check_shard(bent).problems == ()
    dataset = HandDataset(bent)
    sample = dataset[0]
    _, parts = draw_mesh(sample, dataset, 1)
    assert (parts != sample["parts"][1]).mean() < 0.002
    del sample["distortion"]
    assert (draw_mesh(sample, dataset, 1)[1] != sample["parts"][1]).mean() > 0.01


def test_the_wireframe_lies_on_the_picture_of_the_hand(bent):
    dataset = HandDataset(bent)
    sample = dataset[0]
    drawn = PICTURES["mesh"][0](sample, dataset, 1)
    plain = PICTURES["mesh"][0](sample | {"distortion": np.zeros((3, 5))}, dataset, 1)
    outside = ~cv2.dilate((sample["parts"] > 0)[0].astype(np.uint8), np.ones((5, 5))).astype(bool)
    dark = (sample["rgb"][0] * 0.8).astype(np.uint8)
    beside = [(np.abs(one[0].astype(int) - dark)[outside] > 20).sum() for one in (drawn, plain)]
    assert 4 * beside[0] < beside[1]


def test_the_judge_looks_for_joints_where_the_lens_shows_them(bent):
    sample = HandDataset(bent)[0]
    camera = sample["K"], sample["world_to_cam"], sample["distortion"]
    found = expected(sample["joints_world"], "right", *camera)
    points = mapped(sample["joints_world"], "right", OFFSETS)
    for view in range(3):
        pose = sample["world_to_cam"][view]
        theirs = image_of(points @ pose[:3, :3].T + pose[:3, 3], sample["K"][view], np.array(LENS))
        assert np.abs(found[view] - theirs).max() < 1e-6


def test_the_site_s_pages_know_the_lens(bent, shard):
    assert b'"distortion"' in sample_script("a", HandDataset(bent)[0], [])
    assert b'"distortion"' not in sample_script("a", HandDataset(shard)[0], [])


@pytest.mark.parametrize("kind", sorted(set(TARGETS) - {"webdataset", "obj", "ply", "glb"}))
def test_a_format_without_lenses_refuses_them_in_one_line_and_writes_nothing(kind, bent, tmp_path):
    with pytest.raises(
        InputError, match=rf"lenses that distort, and {kind} has no place for that; webdataset"
    ) as error:
        export(kind, bent, tmp_path / "out")
    assert str(error.value).startswith(str(bent)) and "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_webdataset_and_meshes_take_them(bent, tmp_path):
    export("webdataset", bent, tmp_path / "tars")
    with tarfile.open(tmp_path / "tars" / "train-00000.tar") as tar:
        labels = np.load(io.BytesIO(tar.extractfile("0000000.labels.npz").read()))
        assert labels["distortion"].tolist() == [list(LENS)] * 3
    export("ply", bent, tmp_path / "meshes")


def test_estimators_packs_and_rerun_refuse_them_in_one_line(bent, tmp_path):
    refusing = {
        "an estimator's camera": lambda: open_training_data(bent),
        "a pack": lambda: pack(bent, tmp_path / "a.pack"),
        "rerun's pinhole camera": lambda: choose(bent, None, None),
    }
    for name, use in refusing.items():
        with pytest.raises(InputError, match=f"lenses that distort, and {name} has no place") as error:
            use()
        assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())
