"""Samples of cameras with lenses: stored, loaded, moved; against OpenCV's projection and rays that Embree casts."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled import SIZE, Labelled, image_of, labelled, labels_anew, rays_of
from moved_samples import MIRROR, check_cast, equal, grid, nearest, turn
from records import make_record, shard_record

from dataset_tools import HandDataset
from dataset_tools.format.optional import WITH_OPTIONAL, version_with
from dataset_tools.format.schema import SAMPLE_FIELDS, SchemaError
from dataset_tools.load.silhouette import silhouettes
from dataset_tools.load.transforms import crop, mirror, rotate
from dataset_tools.store.carry import encoded_of, record_of, shard_record_of
from dataset_tools.store.encode import encode_sample
from dataset_tools.store.errors import ShardError
from dataset_tools.store.shard_file import ShardFile
from dataset_tools.store.writer import write_manifest, write_shard
from rigging.hand.asset import load_asset

LENS = (-0.9, 0.4, 0.02, -0.03, 0.1)  # the ring's cameras see no farther than 0.35 from their axes
seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=25, deadline=None)


@pytest.fixture(scope="module")
def bent() -> Labelled:
    """A sample through a strong lens that is out of centre. Not to be changed."""
    return labelled(lens=LENS)


@pytest.fixture(scope="module")
def bent_shard(tmp_path_factory):
    """A shard of two samples of two views, whose lenses differ."""
    folder = tmp_path_factory.mktemp("bent")
    lenses = np.array([LENS, (0.1, 0, 0, 0, 0)])
    records = [make_record(sample, views=2, size=32) | {"distortion": lenses} for sample in (0, 1)]
    write_manifest(folder / "shard-00000.h5", write_shard(folder / "shard-00000.h5", map(encode_sample, records),
                                                          shard_record()))  # fmt: skip
    return folder / "shard-00000.h5"


# in the file


def test_a_shard_with_lenses_is_of_a_version_that_older_readers_refuse(bent_shard, shard):
    assert WITH_OPTIONAL == version_with(["rgb", "distortion"]) == 3
    assert ShardFile(bent_shard).attrs["schema_version"] == 3
    assert json.loads(bent_shard.with_suffix(".json").read_text())["schema_version"] == 3
    assert ShardFile(shard).attrs["schema_version"] == version_with(SAMPLE_FIELDS) == 2
    with h5py.File(bent_shard) as file:
        assert file["geometry/distortion"].dtype == np.float64
        assert "OpenCV" in file["geometry/distortion"].attrs["description"].decode()


def test_lenses_come_back_to_the_bit_and_decide_where_joints_are(bent_shard):
    dataset = HandDataset(bent_shard)
    assert "distortion" in dataset.fields
    for sample in dataset:
        assert sample["distortion"].tolist() == [list(LENS), [0.1, 0, 0, 0, 0]]
        for view, lens in enumerate(sample["distortion"]):
            pose = sample["world_to_cam"][view]
            local = sample["joints_world"].astype(float) @ pose[:3, :3].T + pose[:3, 3]
            theirs = image_of(local, sample["K"][view], lens)
            assert np.abs(sample["joints_2d"][view] - theirs).max() < 1e-5


@pytest.mark.parametrize("fields", [["joints_2d"], ["K"], ["amodal_mask"], ["rgb", "joints_world"]])
def test_whoever_needs_the_camera_has_its_lens(fields, bent_shard):
    whole, part = HandDataset(bent_shard)[0], HandDataset(bent_shard, fields=fields, views=[1])[0]
    assert set(part) == set(fields) | ({"distortion"} if "K" in fields else set())
    for name in set(part) - {"amodal_mask", "joints_world"}:
        assert np.array_equal(part[name][0], whole[name][1])
    single = HandDataset(bent_shard, fields=fields, items="view")[1]
    for name in set(part) - {"joints_world"}:
        assert np.array_equal(single[name], part[name][0])


def test_samples_with_lenses_are_carried_over_to_the_byte(bent_shard, tmp_path):
    with ShardFile(bent_shard) as shard:
        encoded = [encoded_of(shard, row) for row in (0, 1)]
        again = [encode_sample(record_of(shard, row)) for row in (0, 1)]
        digest = write_shard(tmp_path / "a.h5", encoded, shard_record_of(shard))
    assert (tmp_path / "a.h5").read_bytes() == bent_shard.read_bytes()
    assert again[0].values["geometry/distortion"].tolist() == encoded[0].values["geometry/distortion"].tolist()
    assert digest == json.loads(bent_shard.with_suffix(".json").read_text())["sha256"]


def test_with_and_without_lenses_is_never_one_shard_or_one_data_set(bent_shard, tmp_path):
    plain = make_record(5, views=2, size=32)
    with pytest.raises(SchemaError, match=r"sample 1 of the shard .* not alike: geometry/distortion"):
        write_shard(tmp_path / "a.h5", [encode_sample(plain | {"distortion": np.zeros((2, 5))}), encode_sample(plain)],
                    shard_record())  # fmt: skip
    assert not list(tmp_path.iterdir())
    write_shard(tmp_path / "b.h5", [encode_sample(plain)], shard_record())
    for paths in ([bent_shard, tmp_path / "b.h5"], [tmp_path / "b.h5", bent_shard]):
        with pytest.raises(ShardError, match="distortion; load them apart"):
            HandDataset(paths)[2]
    with pytest.raises(SchemaError, match="distortion: shape"):
        encode_sample(plain | {"distortion": np.zeros((3, 5))})


# labels and amodal masks


def test_labels_of_the_sample_are_what_its_lenses_see(bent):
    everywhere = np.ones((SIZE, SIZE), bool)
    for view in (0, 3):
        check_cast(bent.sample, bent.before, bent.after, view, grid((SIZE, SIZE)), everywhere)


def test_an_amodal_mask_is_every_pixel_whose_ray_meets_the_hand(bent):
    sample = bent.sample
    faces = load_asset().faces
    camera = sample["K"], sample["world_to_cam"]
    masks = silhouettes(sample["vertices_world"], faces, *camera, (SIZE, SIZE), distortion=sample["distortion"])
    mesh = trimesh.Trimesh(sample["vertices_world"].astype(float), faces, process=False)
    pixels, different = grid((SIZE, SIZE)).reshape(-1, 2), 0
    for view in range(8):
        turned, shift = sample["world_to_cam"][view, :3, :3], sample["world_to_cam"][view, :3, 3]
        rays = rays_of(pixels, sample["K"][view], sample["distortion"][view]) @ turned
        hit = mesh.ray.intersects_any(np.broadcast_to(-turned.T @ shift, rays.shape), rays)
        different += (hit != masks[view].ravel()).sum()
    assert masks.sum() > 5000
    assert different <= 4  # single precision, at the outline
    straight = silhouettes(sample["vertices_world"], faces, *camera, (SIZE, SIZE))
    assert (straight != masks).sum() > 200


@few
@given(seeds)
def test_the_outline_of_large_triangles_bends_with_the_lens(seed):
    """The naive way: every pixel's own ray against every triangle."""
    rng = np.random.default_rng(seed)
    middles, faces = rng.uniform(-0.3, 0.3, (4, 1, 2)), np.arange(12).reshape(4, 3)
    plane = (middles + rng.uniform(-0.15, 0.15, (4, 3, 2))).reshape(-1, 2)
    vertices = np.column_stack([plane, np.ones(12)]) * rng.uniform(0.5, 1.5, (12, 1))
    lens, K = rng.uniform(-1, 1, 5) * (0.2, 0.1, 0.02, 0.02, 0.05), np.array([[18.0, 0, 5], [0, 16, 4], [0, 0, 1]])
    got = silhouettes(vertices, faces, K[None], np.eye(4)[None], (8, 9), distortion=lens[None])[0]
    rays = rays_of(grid((9, 8)).reshape(-1, 2), K, lens)
    covered = np.zeros(72, bool)
    for a, b, c in vertices[faces]:
        signs = np.stack([rays @ np.cross(b, c), rays @ np.cross(c, a), rays @ np.cross(a, b)])
        covered |= (signs > 0).all(0) | (signs < 0).all(0)
    assert (got.ravel() != covered).sum() <= 1  # an edge that crosses a row twice


# moved


def test_mirrored_labels_are_what_the_moved_lens_sees(bent):
    new = mirror(bent.sample)
    for view in (0, 5):
        everywhere = np.ones((SIZE, SIZE), bool)
        check_cast(new, bent.before * MIRROR, bent.after * MIRROR, view, grid((SIZE, SIZE)), everywhere)
    equal(mirror(new), bent.sample)


@pytest.mark.parametrize("angle", [0.4, -2.2])
def test_rotated_labels_are_what_the_moved_lens_sees(angle, bent):
    middle = np.array([30.0, 44.5])
    centres, inside = nearest((grid((SIZE, SIZE)) - middle) @ turn(angle) + middle)
    new = rotate(bent.sample, angle, middle)
    check_cast(new, bent.before, bent.after, 1, (centres - middle) @ turn(angle).T + middle, inside)


def test_cropped_and_squeezed_and_then_rotated_pixels_are_what_the_moved_lens_sees(bent):
    box, size, angle = (12, 9, 60, 65), (40, 56), 0.7
    new = rotate(crop(bent.sample, box, size), angle)
    points = np.random.default_rng(0).normal(0, 0.04, (30, 3))
    for view in range(8):
        seen = [pixels_in(sample, points, view) for sample in (bent.sample, new)]
        scaled = (seen[0] - box[:2]) * np.array(size) / (np.array(box[2:]) - box[:2])
        expected = (scaled - np.array(size) / 2) @ turn(angle).T + np.array(size) / 2
        assert np.abs(seen[1] - expected).max() < 1e-9


def test_labels_made_anew_for_a_crop_are_the_cropped_labels(bent):
    box = (9, 4, 60, 70)
    new = crop(bent.sample, box, (51, 66))
    for name, value in labels_anew(new, bent.before, bent.after, (51, 66)).items():
        assert (np.abs(value.astype(float) - new[name]) > 1e-4).mean() < 1e-3, name


def pixels_in(sample, points, view):
    """Pixels (P, 2) of world points (P, 3) in a view, by OpenCV."""
    pose = sample["world_to_cam"][view]
    return image_of(points @ pose[:3, :3].T + pose[:3, 3], sample["K"][view], sample["distortion"][view])
