"""RHD, FreiHAND and HanCo as sources: samples written in their layouts come back as they were."""

from __future__ import annotations

import pickle
import shutil

import numpy as np
import pytest
from freiburg_layouts import write_freihand, write_hanco, write_rhd
from real_layouts import centroid, dot_at

from baselines.adapters import open_real
from baselines.adapters.freihand import FreihandSource
from baselines.adapters.hanco import HancoSource
from baselines.adapters.rhd import RhdSource, larger_hand
from baselines.config import Data
from baselines.data.batches import Batches
from dataset_tools.pictures.drawing import draw_skeleton
from rigging.errors import InputError


@pytest.fixture(scope="module")
def sources(rhd, freihand, hanco) -> dict:
    return {"rhd": RhdSource(rhd), "freihand": FreihandSource(freihand), "hanco": HancoSource(hanco)}


def test_labels_come_back_as_they_were(sources, renders, ring):
    for sample, render in ((0, 0), (2, 2), (4, 1)):
        np.testing.assert_allclose(
            sources["rhd"].read(sample)["joints_cam"], renders[render]["joints_cam"][:1], atol=1e-6
        )
    for sample, render in ((1, 1), (10, 1), (13, 1)):
        found = sources["freihand"].read(sample)["joints_cam"]
        np.testing.assert_allclose(found, renders[render]["joints_cam"][:1], atol=1e-6)
    found = sources["hanco"].read(1)
    np.testing.assert_allclose(found["joints_cam"], ring[1]["joints_cam"], atol=1e-6)
    np.testing.assert_allclose(found["world_to_cam"], ring[1]["world_to_cam"], atol=1e-9)


@pytest.mark.parametrize(("name", "views", "side"), [("rhd", 1, 320), ("freihand", 1, 224), ("hanco", 8, 224)])
def test_a_sample_is_what_a_source_promises(sources, name, views, side):
    source = sources[name]
    found = source.read(0)
    assert set(found) == source.fields and source.views == views and source.image_size == (side, side)
    assert found["rgb"].shape == (views, side, side, 3) and found["rgb"].dtype == np.uint8
    image = np.einsum("vij,vnj->vni", found["K"], found["joints_cam"])
    np.testing.assert_allclose(image[..., :2] / image[..., 2:], found["joints_2d"], atol=1e-3)
    for part in (source.splits, source.subjects, source.numbers):
        assert len(part) == source.samples
    for field, part in source.read(0, [views - 1]).items():
        np.testing.assert_array_equal(part[0], found[field][views - 1])
    again = pickle.loads(pickle.dumps(source))
    np.testing.assert_array_equal(again.read(0)["rgb"], found["rgb"])


def test_splits_are_those_of_the_papers(sources, rhd, freihand, hanco):
    assert sources["rhd"].splits.tolist() == ["train"] * 3 + ["val"] * 2
    assert sources["freihand"].splits.tolist() == ["train"] * 12 + ["val"] * 2
    assert sources["hanco"].splits.tolist() == ["train"] * 2 + ["val"]  # sequence 1200 of 1518 is in neither
    assert open_real(f"rhd:{rhd}", "val").label(1) == "evaluation/00001.png"
    assert HancoSource(hanco, "val").label(0) == "1517/00000001.jpg"
    with pytest.raises(InputError, match="no sample is of split 'test'; there are: train, val"):
        FreihandSource(freihand, "test")


def test_subjects_are_what_can_be_resampled(sources):
    assert sources["rhd"].subjects.tolist() == [0, 1, 2, 3, 4]  # every picture for itself
    assert sources["freihand"].subjects.tolist() == [0, 1, 2] * 4 + [3, 4]  # a pose's versions together
    assert sources["hanco"].subjects.tolist() == [5, 5, 10]  # people, as meta.json has them


@pytest.mark.parametrize("joint", [4, 20])
@pytest.mark.parametrize("layout", ["rhd", "rhd right", "freihand", "hanco"])
def test_what_the_picture_shows_lies_where_the_label_says(renders, ring, tmp_path, layout, joint):
    """To a tenth of a pixel, through mirror and half a pixel's shift: a dot at a joint, seen again."""
    name, dotted = layout.split()[0], dot_at(ring[0] if layout == "hanco" else renders[0], joint)
    if name == "rhd":
        write_rhd(tmp_path, {"training": [dotted]}, left=layout == "rhd")
    elif name == "freihand":
        write_freihand(tmp_path, [dotted], [])
    else:
        write_hanco(tmp_path, {0: [dotted]})
    if name == "freihand":
        for path in tmp_path.glob("evaluation_*"):
            path.unlink()
    found = open_real(f"{name}:{tmp_path}").read(0)
    for view in range(len(found["rgb"])):
        at = found["joints_2d"][view, joint]
        assert np.linalg.norm(centroid(found["rgb"][view], at, 25) - at) < 0.1, (view, at)


def test_rhd_takes_the_hand_with_more_pixels_and_makes_it_a_right_one(renders, tmp_path):
    parts = np.array([[0, 1, 2, 17], [18, 33, 33, 0]], np.uint8)
    mask, left = larger_hand(parts)
    assert not left and mask.tolist() == [[False] * 4, [True, True, True, False]]
    assert larger_hand(np.minimum(parts, 17))[1]
    assert not larger_hand(np.zeros_like(parts))[1]  # as the authors' code has it
    write_rhd(tmp_path / "left", {"training": renders[:1]}, left=True)
    write_rhd(tmp_path / "right", {"training": renders[:1]}, left=False)
    one, other = (RhdSource(tmp_path / side).read(0) for side in ("left", "right"))
    np.testing.assert_allclose(one["joints_cam"], other["joints_cam"], atol=1e-6)
    assert (one["mask"] == other["mask"]).mean() > 0.999


def test_rhd_has_masks_and_which_joints_are_seen(sources, renders):
    """The mask covers the hand where the label says; visibility follows the joint through the order of points."""
    found = sources["rhd"].read(0)
    seen = np.flatnonzero(renders[0]["joint_visible"][0])
    u, v = np.floor(found["joints_2d"][0, seen]).astype(int).T
    assert found["mask"][0, v, u].all() and 0.02 < found["mask"].mean() < 0.3
    even = {0: 0, 4: 1, 3: 2, 2: 3, 1: 4}  # our joint: its point, of which every second is marked as seen
    assert all(found["joint_visible"][0, joint] == (point % 2 == 0) for joint, point in even.items())
    batch = next(iter(Batches(sources["rhd"], Data(size=64, batch=2, workers=0), needed=("mask",)).ordered()))
    assert batch.mask.shape == (2, 64, 64) and 0.1 < batch.mask.float().mean() < 0.9


def test_freihand_numbers_pictures_by_version(freihand, sources):
    hom = FreihandSource(freihand, "train", versions=("hom",))
    assert hom.samples == 3 and hom.label(0) == "training hom/00000003.jpg"
    np.testing.assert_array_equal(hom.read(0)["rgb"], sources["freihand"].read(3)["rgb"])
    assert hom.read(0)["rgb"].mean() > sources["freihand"].read(0)["rgb"].mean() + 4  # versions are tinted apart
    with pytest.raises(InputError, match=r"versions .*some of gs, hom, sample, auto"):
        FreihandSource(freihand, versions=("green",))


def test_a_part_of_a_data_set_is_enough(rhd, freihand, hanco, tmp_path):
    for name, root in (("rhd", rhd), ("freihand", freihand), ("hanco", hanco)):
        shutil.copytree(root, tmp_path / name)
    shutil.rmtree(tmp_path / "rhd/training")
    (tmp_path / "freihand/training_xyz.json").unlink()
    (tmp_path / "hanco/rgb/0005/cam3/00000002.jpg").unlink()
    shutil.rmtree(tmp_path / "hanco/xyz/1517")
    assert RhdSource(tmp_path / "rhd").splits.tolist() == ["val"] * 2
    assert FreihandSource(tmp_path / "freihand").splits.tolist() == ["val"] * 2
    part = HancoSource(tmp_path / "hanco")
    assert (part.samples, part.skipped, part.label(0)) == (1, 1, "0005/00000001.jpg")
    (tmp_path / "freihand/evaluation/rgb/00000000.jpg").unlink()
    assert FreihandSource(tmp_path / "freihand").skipped == 1


def test_hanco_can_be_of_verified_frames_alone(hanco, tmp_path):
    assert HancoSource(hanco, "train", verified=True).samples == 1
    with pytest.raises(InputError, match="no rgb_merged in it"):
        HancoSource(hanco, pictures="rgb_merged")
    with pytest.raises(InputError, match="pictures 'depth': one of rgb, "):
        HancoSource(hanco, pictures="depth")


def test_skeletons_are_drawn_on_hands(sources, renders):
    """A joint's pixel has the colour it has in the render the file was made of, and the drawing lies there."""
    for name in ("rhd", "freihand"):
        found = sources[name].read(0)
        drawn = draw_skeleton(found["rgb"][0], found["joints_2d"][0], np.ones(21, bool), 1)
        assert (drawn != found["rgb"][0]).any()
        for joint in np.flatnonzero(renders[0]["joint_visible"][0]):
            u, v = np.floor(found["joints_2d"][0, joint]).astype(int)
            x, y = np.floor(renders[0]["joints_2d"][0, joint]).astype(int)
            patch = renders[0]["rgb"][0, y - 1 : y + 2, x - 1 : x + 2].astype(int)
            assert (found["rgb"][0, v, u] >= patch.min((0, 1)) - 15).all()
            assert (found["rgb"][0, v, u] <= patch.max((0, 1)) + 15).all()


def test_batches_of_eight_views_are_made_of_hanco(sources):
    batch = next(iter(Batches(sources["hanco"], Data(size=64, batch=8, views=8, workers=0), multi_view=True).ordered()))
    assert batch.rgb.shape == (8, 3, 64, 64) and batch.views == 8
    assert batch.joints_2d.min() > 0 and batch.joints_2d.max() < 64
