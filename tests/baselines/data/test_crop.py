"""Crops: pixels, cameras and labels move as dataset_tools moves them, and stay true to each other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.batch import Batch
from baselines.config import Augment
from baselines.data import crop
from dataset_tools import HandDataset
from dataset_tools.load import transforms

FIELDS = ("rgb", "mask", "depth", "K", "world_to_cam", "joints_cam", "joints_2d", "joints_world")
seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=15, deadline=None)


@pytest.fixture(scope="module")
def sample(hands_folder) -> dict:
    return HandDataset(hands_folder, fields=FIELDS)[1]


def batch_of(sample: dict) -> Batch:
    count = len(sample["rgb"])
    tensors = {name: torch.from_numpy(np.ascontiguousarray(sample[name])) for name in FIELDS}
    return Batch(
        rgb=tensors["rgb"].permute(0, 3, 1, 2).float() / 255, K=tensors["K"], world_to_cam=tensors["world_to_cam"],
        sample=torch.zeros(count), subject=torch.zeros(count), joints_cam=tensors["joints_cam"],
        joints_2d=tensors["joints_2d"], mask=tensors["mask"], depth=tensors["depth"],
    )  # fmt: skip


def a_square(count: int, centre=(30.0, 35.0), side=40.0, angle=0.0) -> crop.Squares:
    return crop.Squares(
        torch.tensor([centre] * count, dtype=torch.float64),
        torch.full((count,), side, dtype=torch.float64),
        torch.full((count,), angle, dtype=torch.float64),
    )


@few
@given(st.floats(10, 50), st.floats(10, 50), st.floats(8, 90), st.floats(-3, 3), st.sampled_from([16, 48, 64]))
def test_labels_move_as_the_loader_s_do(sample, x, y, side, angle, size):
    new = crop.move(batch_of(sample), a_square(3, (x, y), side, angle).maps(size), size)
    box = (x - side / 2, y - side / 2, x + side / 2, y + side / 2)
    old = transforms.crop(transforms.rotate(sample, angle, (x, y)), box, size)
    np.testing.assert_allclose(new.K, old["K"], atol=2e-3)
    np.testing.assert_allclose(new.world_to_cam, old["world_to_cam"], atol=1e-6)
    np.testing.assert_allclose(new.joints_cam, old["joints_cam"], atol=1e-6)
    np.testing.assert_allclose(new.joints_2d, old["joints_2d"], atol=2e-3)


@few
@given(st.floats(10, 50), st.floats(10, 50), st.floats(8, 90), st.sampled_from([16, 48, 64]))
def test_masks_and_depth_are_picked_as_the_loader_s_are(sample, x, y, side, size):
    box = (x - side / 2, y - side / 2, x + side / 2, y + side / 2)
    new = crop.move(batch_of(sample), a_square(3, (x, y), side).maps(size), size)
    old = transforms.crop(sample, box, size)
    for name in ("mask", "depth"):  # a centre on the line between two pixels falls into either
        assert (getattr(new, name).numpy() != old[name]).mean() < 2 / size


@pytest.mark.parametrize(("side", "size", "samples"), [(32, 64, 1), (48, 16, 3), (60, 15, 4)])
def test_pictures_are_those_of_the_loader(sample, side, size, samples):
    box = np.array([30 - side / 2, 33 - side / 2, 30 + side / 2, 33 + side / 2])
    new = crop.cut(batch_of(sample).rgb, a_square(3, (30, 33), side).maps(size), size, samples)
    old = transforms.crop(sample, box, size)["rgb"].transpose(0, 3, 1, 2) / 255
    assert abs(new.numpy() - old).max() < 0.01


def naive_cut(image: np.ndarray, maps: np.ndarray, size: int, samples: int) -> np.ndarray:
    """One channel (H, W): every sample by itself, linear between pixel centres, black outside."""
    height, width = image.shape
    back, out = np.linalg.inv(maps), np.zeros((size, size))
    for row, column, i, j in np.ndindex(size, size, samples, samples):
        x, y, _ = back @ [column + (j + 0.5) / samples, row + (i + 0.5) / samples, 1]
        left, top = int(np.floor(x - 0.5)), int(np.floor(y - 0.5))
        for u, v in ((left, top), (left + 1, top), (left, top + 1), (left + 1, top + 1)):
            if 0 <= u < width and 0 <= v < height:
                out[row, column] += image[v, u] * (1 - abs(x - 0.5 - u)) * (1 - abs(y - 0.5 - v))
    return out / samples**2


@settings(max_examples=10, deadline=None)
@given(seeds, st.sampled_from([1, 2]))
def test_cutting_equals_its_naive_twin(seed, samples):
    rng = np.random.default_rng(seed)
    images = rng.random((2, 1, 9, 13))
    maps = np.stack([
        crop.Squares(torch.from_numpy(rng.uniform(0, 12, (1, 2))), torch.tensor([rng.uniform(3, 15)]),
                     torch.tensor([rng.uniform(-3, 3)])).maps(6)[0].numpy() for _ in range(2)
    ])  # fmt: skip
    fast = crop.cut(torch.from_numpy(images), torch.from_numpy(maps), 6, samples)
    slow = np.stack([naive_cut(image[0], matrix, 6, samples) for image, matrix in zip(images, maps)])
    np.testing.assert_allclose(fast[:, 0], slow, atol=1e-9)


@few
@given(seeds)
def test_the_inverse_of_maps_is_the_general_one(seed):
    maps = np.tile(np.eye(3), (4, 1, 1))
    maps[:, :2] += np.random.default_rng(seed).uniform(-0.4, 0.4, (4, 2, 3))
    np.testing.assert_allclose(crop.inverse(torch.from_numpy(maps)), np.linalg.inv(maps), atol=1e-12)


@few
@given(seeds)
def test_moved_joints_project_to_moved_pixels(seed):
    rng = np.random.default_rng(seed)
    K = np.array([[rng.uniform(50, 400), rng.normal(), 70], [0, rng.uniform(50, 400), 60], [0, 0, 1.0]])
    points = rng.normal(size=(1, 21, 3)) * 0.1 + [0, 0, 0.6]
    pixels = points @ K.T
    pixels = torch.from_numpy(pixels[..., :2] / pixels[..., 2:])
    part = crop.Squares(*(torch.from_numpy(rng.uniform(2, 90, shape)) for shape in ((1, 2), (1,), (1,))))
    maps = part.maps(64)
    new_K, pose, roll = crop.moved_cameras(torch.from_numpy(K)[None], torch.eye(4)[None], maps)
    cam = torch.from_numpy(points) @ roll.mT
    seen = cam @ new_K.mT
    torch.testing.assert_close((seen[..., :2] / seen[..., 2:]).float(), crop.moved_points(pixels, maps))
    torch.testing.assert_close(torch.from_numpy(points) @ pose[:, :3, :3].mT, cam)
    assert new_K[0, 1, 0] == 0 and new_K[0, 0, 0] > 0 and new_K[0, 1, 1] > 0


def test_the_square_is_that_of_the_joints_with_a_label():
    joints = torch.tensor([[[0.0, 0], [10, 40], [1000, 1000]], [[5, 5], [5, 5], [5, 5]], [[1, 1], [2, 2], [3, 3]]])
    valid = torch.tensor([[True, True, False], [True] * 3, [False] * 3])
    part = crop.squares(joints, valid, 1.5)
    assert part.centre.tolist() == [[5, 20], [5, 5], [0, 0]]
    assert part.side.tolist() == [60, crop.SMALLEST, crop.SMALLEST]
    assert part.maps(32).isfinite().all()


def test_jitter_stays_within_what_is_said_and_repeats(generator):
    given_, augment = a_square(500), Augment(rotate=30, scale=0.2, shift=0.1)
    part = crop.jitter(given_, augment, generator)
    again = crop.jitter(given_, augment, torch.Generator().manual_seed(7))
    for name, limit in (("angle", torch.pi / 6), ("side", 8.0), ("centre", 4.0)):
        change = getattr(part, name) - getattr(given_, name)
        assert 0.9 * limit < change.abs().max() <= limit
        assert abs(change.mean()) < 0.1 * limit
        assert torch.equal(getattr(part, name), getattr(again, name))
    still = crop.jitter(given_, Augment(), generator)
    assert torch.equal(still.maps(64), given_.maps(64))


@pytest.mark.parametrize(("size", "wanted"), [(256, 1), (128, 1), (64, 2), (32, 4), (8, 4)])
def test_small_crops_of_large_pictures_are_sampled_finely(size, wanted):
    assert crop.oversampling((96, 128), size) == wanted
