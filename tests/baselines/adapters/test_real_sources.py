"""STB and MHP as sources: samples written in their layouts come back as they were, pictures and labels alike."""

from __future__ import annotations

import dataclasses
import pickle
import shutil

import numpy as np
import pytest
import torch
from real_layouts import centroid, dot_at, write_calibration, write_mhp, write_picture, write_stb

from baselines.adapters import open_real
from baselines.adapters.mhp import MhpSource
from baselines.adapters.stb import StbSource
from baselines.config import Data
from baselines.data.batches import Batches
from baselines.geometry.triangulate import triangulate
from baselines.metrics import auc, epe, joint_errors, mpjpe
from dataset_tools.pictures.drawing import draw_skeleton
from rigging.errors import InputError


@pytest.fixture(scope="module")
def sources(stb, mhp) -> dict:
    return {"stb": StbSource(stb), "bb": StbSource(stb, camera="bb"), "mhp": MhpSource(mhp)}


def test_labels_come_back_as_they_were(sources, renders):
    for sample, render in ((0, 0), (1, 1), (3, 0)):
        found = sources["stb"].read(sample)["joints_cam"]
        np.testing.assert_allclose(found[0], renders[render]["joints_cam"][0], atol=1e-6)
        np.testing.assert_allclose(sources["bb"].read(sample)["joints_cam"][0], found[0], atol=1e-6)
    for sample in range(3):
        found = sources["mhp"].read(sample)
        np.testing.assert_allclose(found["joints_cam"], renders[sample]["joints_cam"], atol=1e-6)
        np.testing.assert_allclose(found["world_to_cam"], renders[sample]["world_to_cam"], atol=1e-9)


@pytest.mark.parametrize("name", ["stb", "bb", "mhp"])
def test_a_sample_is_what_a_source_promises(sources, name):
    source = sources[name]
    views, (height, width) = {"stb": 1, "bb": 2, "mhp": 4}[name], (480, 640)
    found = source.read(0)
    assert set(found) == source.fields and source.views == views and source.image_size == (height, width)
    assert found["rgb"].shape == (views, height, width, 3) and found["rgb"].dtype == np.uint8
    image = np.einsum("vij,vnj->vni", found["K"], found["joints_cam"])
    np.testing.assert_allclose(image[..., :2] / image[..., 2:], found["joints_2d"], atol=1e-3)
    for part in (source.splits, source.subjects, source.numbers):
        assert len(part) == source.samples
    for name_, part in source.read(0, [views - 1]).items():
        np.testing.assert_array_equal(part[0], found[name_][views - 1])


def test_splits_are_those_of_the_papers(stb, mhp, sources):
    assert sources["stb"].splits.tolist() == ["val"] * 3 + ["train"] * 2
    assert sources["stb"].subjects.tolist() == [0] * 3 + [1] * 2
    assert sources["mhp"].splits.tolist() == ["val"] * 2 + ["train"]
    train = StbSource(stb, "train")
    assert train.numbers.tolist() == [3, 4] and train.label(0) == "B4Random/SK_color_0.png"
    assert open_real(f"mhp:{mhp}", "train").label(0) == "data_3/0_webcam_1.jpg"
    assert StbSource(stb, "val", validation=("B4Random",)).samples == 2
    with pytest.raises(InputError, match="no sample is of split 'test'; there are: train, val"):
        MhpSource(mhp, "test")


@pytest.mark.parametrize("joint", [4, 20])
@pytest.mark.parametrize("layout", ["stb", "stb right", "mhp", "mhp left"])
def test_what_the_picture_shows_lies_where_the_label_says(renders, tmp_path, layout, joint):
    """To a tenth of a pixel, through mirror, half a pixel's shift and lens: a dot at a joint, seen again."""
    dotted = [dot_at(renders[0], joint)]
    if layout.startswith("stb"):
        write_stb(tmp_path, {"B2Random": dotted}, left=layout == "stb")
        source = StbSource(tmp_path, hand="left" if layout == "stb" else "right")
    else:
        write_mhp(tmp_path, {1: dotted}, left=layout != "mhp")
        source = MhpSource(tmp_path, hand="left" if layout != "mhp" else "right")
    found = source.read(0)
    np.testing.assert_allclose(found["joints_cam"][0], renders[0]["joints_cam"][0], atol=1e-6)
    for view in range(source.views):
        at = found["joints_2d"][view, joint]
        seen = centroid(found["rgb"][view], at)
        assert np.linalg.norm(seen - at) < 0.1, (view, seen, at)


def test_hands_are_right_whatever_the_files_show(renders, stb, mhp, tmp_path):
    assert StbSource(stb).left
    write_stb(tmp_path / "stb", {"B1Random": renders}, left=False)
    write_mhp(tmp_path / "mhp", {1: renders[:1], 2: renders[1:]}, left=True)
    assert not StbSource(tmp_path / "stb").left
    left = MhpSource(tmp_path / "mhp").read(0)
    np.testing.assert_allclose(left["joints_cam"], renders[0]["joints_cam"], atol=1e-6)
    unchanged = MhpSource(tmp_path / "mhp", hand="right").read(0)
    np.testing.assert_allclose(unchanged["joints_cam"] * [-1, 1, 1], left["joints_cam"], atol=1e-6)


def test_the_wrist_is_as_far_from_the_palm_as_the_chosen_knuckle(stb):
    ring, middle = (
        StbSource(stb, wrist_from=name, hand="left").read(0)["joints_cam"][0] for name in ("ring", "middle")
    )
    palm = (ring[0] + ring[13]) / 2
    np.testing.assert_allclose(middle[0], 2 * palm - middle[9], atol=1e-6)
    np.testing.assert_allclose(middle[1:], ring[1:])


def test_stereo_pair_is_a_baseline_apart(sources):
    joints = sources["bb"].read(0)["joints_cam"]
    shift = joints[1] - joints[0]
    np.testing.assert_allclose(np.abs(shift), np.broadcast_to([0.120054, 0, 0], shift.shape), atol=1e-6)


def test_views_meet_in_space_and_are_scored(sources):
    """Labels of the four pictures triangulate to the labels; shifted by 5 mm they score 5 mm."""
    found = sources["mhp"].read(1)
    pixels, K, cameras = (torch.from_numpy(found[name]) for name in ("joints_2d", "K", "world_to_cam"))
    world = triangulate(pixels.double(), K, cameras).numpy()
    cam = np.einsum("vij,nj->vni", found["world_to_cam"][:, :3, :3], world) + found["world_to_cam"][:, None, :3, 3]
    assert np.linalg.norm(cam - found["joints_cam"], axis=-1).max() < 1e-5
    shifted = found["joints_cam"] + [0.003, 0.0, 0.004]
    assert epe(shifted, found["joints_cam"]) == pytest.approx(5.0, abs=1e-4)
    assert auc(joint_errors(shifted, found["joints_cam"]), 0, 50) == pytest.approx(0.9, abs=1e-5)
    assert mpjpe(shifted, found["joints_cam"]) == pytest.approx(0.0, abs=1e-4)  # relative to the wrist


def test_skeletons_are_drawn_on_hands(sources, renders):
    """A joint's pixel has the colour it has in the render the file was made of, and the drawing lies there."""
    for name in ("stb", "mhp"):
        found = sources[name].read(0)
        drawn = draw_skeleton(found["rgb"][0], found["joints_2d"][0], np.ones(21, bool), 1)
        assert drawn.shape == found["rgb"][0].shape and (drawn != found["rgb"][0]).any()
        for joint in np.flatnonzero(renders[0]["joint_visible"][0]):
            u, v = np.floor(found["joints_2d"][0, joint]).astype(int)
            x, y = np.floor(renders[0]["joints_2d"][0, joint]).astype(int)
            patch = renders[0]["rgb"][0, y - 1 : y + 2, x - 1 : x + 2].astype(int)
            assert (found["rgb"][0, v, u] >= patch.min((0, 1)) - 12).all()
            assert (found["rgb"][0, v, u] <= patch.max((0, 1)) + 12).all()


def test_batches_are_made_of_them(sources):
    """Crops of the hand with cameras and labels that agree, as of a release."""
    for name, multi_view in (("stb", False), ("mhp", True)):
        views = sources[name].views if multi_view else 1
        data = Data(size=64, batch=4 if multi_view else 2, views=views, workers=0)
        batch = next(iter(Batches(sources[name], data, multi_view=multi_view).ordered()))
        image = batch.joints_cam @ batch.K.mT
        assert torch.allclose(image[..., :2] / image[..., 2:], batch.joints_2d, atol=1e-3)
        assert batch.rgb.shape[1:] == (3, 64, 64) and batch.joints_2d.min() > 0 and batch.joints_2d.max() < 64
        with pytest.raises(InputError, match="vertices_world"):
            Batches(sources[name], data, needed=("vertices_world",), multi_view=multi_view)


def test_mhp_leaves_out_frames_that_are_not_whole(mhp, tmp_path):
    shutil.copytree(mhp, tmp_path / "mhp")
    (tmp_path / "mhp/annotated_frames/data_2/0_webcam_3.jpg").unlink()
    source = MhpSource(tmp_path / "mhp")
    assert source.samples == 2 and source.skipped == 1
    assert source.label(0) == "data_2/10_webcam_1.jpg"


def test_a_source_can_be_sent_to_another_process(sources):
    again = pickle.loads(pickle.dumps(sources["mhp"]))
    np.testing.assert_array_equal(again.read(1)["rgb"], sources["mhp"].read(1)["rgb"])


@dataclasses.dataclass
class Break:
    """Something wrong with a copy of a folder, and what is said of it."""

    path: str
    content: bytes | None
    says: str


class Evil:
    def __reduce__(self):
        return (print, ("this must not run",))


BROKEN_STB = [
    Break("images/B1Counting/SK_color_1.png", None, "SK_color_1.png: no such picture"),
    Break("images/B1Counting/SK_color_1.png", b"", "SK_color_1.png: cannot be read as a picture"),
    Break("images/B1Counting/SK_color_1.png", b"\x89PNG nonsense", "SK_color_1.png: cannot be read as a picture"),
    Break("labels/B1Counting_SK.mat", b"nonsense", "B1Counting_SK.mat: cannot be read as a MATLAB file"),
]
BROKEN_MHP = [
    Break("annotated_frames/data_2/10_webcam_2.jpg", b"", "10_webcam_2.jpg: cannot be read as a picture"),
    Break(
        "annotated_frames/data_2/10_joints.txt", b"F4_KNU1_A 1 2\n", "line 1: 'F4_KNU1_A 1 2': a name and three numbers"
    ),
    Break("annotated_frames/data_2/10_joints.txt", b"", "10_joints.txt: no line for F4_KNU1_A, "),
    Break("calibrations/data_2/webcam_4/rvec.pkl", None, "rvec.pkl: no such file"),
    Break("calibrations/data_2/webcam_4/rvec.pkl", b"\x80", "rvec.pkl: cannot be read as pickled arrays"),
    Break("calibrations/data_2/webcam_4/tvec.pkl", pickle.dumps(np.zeros(4)), "three finite numbers are wanted"),
    Break("calibrations/data_2/webcam_4/tvec.pkl", pickle.dumps(Evil(), 2), "asks for __builtin__.print"),
]


@pytest.mark.parametrize("case", [*BROKEN_STB, *BROKEN_MHP], ids=lambda case: case.says[:40])
def test_damaged_files_are_named_in_one_line(stb, mhp, tmp_path, case, capsys):
    kind, source = ("stb", stb) if case in BROKEN_STB else ("mhp", mhp)
    root = tmp_path / kind
    shutil.copytree(source, root)
    (root / case.path).unlink() if case.content is None else (root / case.path).write_bytes(case.content)
    with pytest.raises((InputError, FileNotFoundError)) as caught:
        open_real(f"{kind}:{root}").read(1)
    assert case.says in str(caught.value) and "\n" not in str(caught.value)
    assert "must not run" not in capsys.readouterr().out


def test_other_folders_and_sizes_are_named_in_one_line(stb, mhp, tmp_path):
    with pytest.raises(FileNotFoundError, match="no such folder; the one that holds STB's images and labels"):
        StbSource(tmp_path / "none")
    with pytest.raises(InputError, match="no annotated_frames and no calibrations in it"):
        MhpSource(stb)
    with pytest.raises(InputError, match=r"'rdh:x': NAME:PATH is wanted, .*did you mean 'rhd'"):
        open_real("rdh:x")
    with pytest.raises(InputError, match="hand 'both'"):
        StbSource(stb, hand="both")
    shutil.copytree(stb, tmp_path / "stb")
    write_picture(tmp_path / "stb/images/B1Counting/SK_color_1.png", np.zeros((240, 320, 3), np.uint8))
    with pytest.raises(InputError, match="320 x 240 px, but the other pictures have 640 x 480"):
        StbSource(tmp_path / "stb").read(1)


def test_labels_in_metres_are_refused(mhp, tmp_path):
    shutil.copytree(mhp, tmp_path / "mhp")
    path = tmp_path / "mhp/annotated_frames/data_2/0_joints.txt"
    lines = [line.split() for line in path.read_text().splitlines()]
    path.write_text("\n".join(" ".join([n, *(str(float(x) / 1000) for x in values)]) for n, *values in lines))
    with pytest.raises(InputError, match=r"0_joints.txt: .* it looks like m"):
        MhpSource(tmp_path / "mhp")


def test_calibrations_of_either_python_are_read(mhp, tmp_path):
    """Protocol 0, as Python 2 writes by default, and the newest."""
    for number, protocol in enumerate((0, pickle.HIGHEST_PROTOCOL)):
        root = tmp_path / str(number)
        shutil.copytree(mhp, root)
        pose = np.eye(4)
        pose[:3, 3] = [0.1, 0.2, 0.7]
        write_calibration(root, 2, 1, pose)
        path = root / "calibrations/data_2/webcam_1/tvec.pkl"
        path.write_bytes(pickle.dumps(1000 * pose[:3, 3:], protocol=protocol))
        np.testing.assert_allclose(MhpSource(root).read(0)["world_to_cam"][0], pose)
