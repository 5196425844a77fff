"""FreiHAND, InterHand2.6M, COCO and meshes, read by library or rules, and projected again by their own numbers."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from reprojected import HALF, bounds_of, bounds_of_mask, close, picture, pinhole, read_json

from dataset_tools.load.dataset import outward
from rigging.hand.asset import load_asset
from rigging.joints import JOINT_NAMES
from rigging.poses.readers.freihand import FreihandSource
from rigging.poses.readers.interhand import InterhandSource

# ---- tables


def test_freihand_by_its_own_rules_and_our_reader(exported, samples):
    for split, name, chosen in (("train", "training", samples[:3]), ("test_pose", "evaluation", samples[3:])):
        root = exported("freihand") / split
        tables = {table: read_json(root / f"{name}_{table}.json") for table in ("K", "xyz", "verts", "scale")}
        assert {len(table) for table in tables.values()} == {8 * len(chosen)}
        clips = list(FreihandSource(root, split=name).clips())
        for row, (K, xyz) in enumerate(zip(tables["K"], tables["xyz"])):
            sample, view = chosen[row // 8], row % 8
            seen = pinhole(K, xyz)
            assert np.allclose(clips[row].joints[0], xyz) and np.allclose(clips[row].extra["K"][0], K)
            assert tables["scale"][row] == pytest.approx(np.linalg.norm(np.subtract(xyz[9], xyz[10])), abs=1e-6)
            rgb = picture((root / name / "rgb" / f"{row:08d}.jpg").read_bytes())
            mask = picture((root / name / "mask" / f"{row:08d}.jpg").read_bytes())[..., 0] > 127
            left = sample["meta"]["hand"] == "left"
            flip = slice(None, None, -1 if left else 1)
            expected = sample["joints_2d"][view] * [-1, 1] + [64, 0] if left else sample["joints_2d"][view]
            assert np.abs(seen + HALF - expected).max() < 2e-3
            assert np.array_equal(mask[:, flip], sample["mask"][view])
            assert np.abs(rgb[:, flip].astype(int) - sample["rgb"][view]).mean() < 2  # left ones were compressed twice
            mesh = pinhole(K, tables["verts"][row])
            assert bounds_of(mesh + HALF) == pytest.approx(
                bounds_of_mask(sample["amodal_mask"][view][:, flip]), abs=1.01
            )


def test_every_hand_of_freihand_is_a_right_one(exported):
    """Seen from the palm or not, thumb to little finger turn the same way about the hand as in a right one."""
    for split, name in (("train", "training"), ("test_pose", "evaluation")):
        for xyz in np.array(read_json(exported("freihand") / split / f"{name}_xyz.json")):
            wrist, thumb, index, little = xyz[[0, 4, 5, 17]]
            palmar = np.cross(index - wrist, little - wrist)  # of a right hand this points out of the palm
            assert np.dot(palmar, thumb - wrist) > 0


def test_interhand_by_its_own_rules_and_our_reader(exported, samples):
    folder = exported("interhand")
    for split, chosen in (("train", samples[:3]), ("test_pose", samples[3:])):
        data, cameras, joints = (
            read_json(folder / "annotations" / split / f"InterHand2.6M_{split}_{name}.json")
            for name in ("data", "camera", "joint_3d")
        )
        by_number = {sample["meta"]["sample"]: sample for sample in chosen}
        assert len(data["images"]) == len(data["annotations"]) == 8 * len(chosen)
        for image, label in zip(data["images"], data["annotations"]):
            sample, view = by_number[image["frame_idx"]], int(image["camera"])
            capture = cameras[str(image["capture"])]
            campos, camrot, focal, princpt = (
                np.array(capture[name][image["camera"]]) for name in ("campos", "camrot", "focal", "princpt")
            )
            entry = joints[str(image["capture"])][str(image["frame_idx"])]
            local = (np.array(entry["world_coord"]) - campos) @ camrot.T  # mm
            hand = slice(21, 42) if label["hand_type"] == "left" else slice(0, 21)
            ours = [20, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 19, 18, 17, 16]  # tip first, wrist last
            pixels = (local[:, :2] / local[:, 2:] * focal + princpt)[hand][ours]
            assert close(pixels, sample, view, -HALF)
            assert np.array_equal(np.array(label["joint_valid"])[hand][ours], sample["joint_in_frame"][view])
            assert sum(np.ravel(entry["joint_valid"])) == 21 and label["hand_type"] == sample["meta"]["hand"]
            assert picture((folder / "images" / split / image["file_name"]).read_bytes()).shape == (64, 64, 3)
        clips = list(InterhandSource(folder, split=split).clips())
        assert sorted(clip.mirrored for clip in clips) == sorted(s["meta"]["hand"] == "left" for s in chosen)


def test_the_skeleton_of_interhand_hangs_together(exported):
    lines = (exported("interhand") / "annotations" / "skeleton.txt").read_text().splitlines()[1:]
    rows = {int(number): (name, int(parent)) for name, number, parent in map(str.split, lines)}
    assert rows[20] == ("r_wrist", -1) and rows[41] == ("l_wrist", -1)
    assert rows[0] == ("r_thumb_tip", 1) and rows[3] == ("r_thumb_cmc", 20) and rows[24] == ("l_thumb_cmc", 41)


@pytest.mark.parametrize("kind", ["coco", "coco-wholebody"])
def test_coco_opens_with_pycocotools_and_projects_again(kind, exported, samples, capsys):
    coco = pytest.importorskip("pycocotools.coco", reason="pycocotools is not installed")
    for split, chosen in (("train", samples[:3]), ("test_pose", samples[3:])):
        table = coco.COCO(str(exported(kind) / "annotations" / f"{split}.json"))
        labels = table.loadAnns(table.getAnnIds())
        assert len(labels) == 8 * len(chosen) and min(label["id"] for label in labels) > 0
        for row, label in enumerate(labels):
            sample, view = chosen[row // 8], row % 8
            image = table.loadImgs(label["image_id"])[0]
            hand = sample["meta"]["hand"]
            points = np.reshape(label["keypoints"] if kind == "coco" else label[f"{hand}hand_kpts"], (21, 3))
            visible, inside = sample["joint_visible"][view], sample["joint_in_frame"][view]
            assert np.array_equal(points[:, 2], np.where(inside, np.where(visible, 2, 1), 0))
            assert np.abs(points[inside, :2] + HALF - sample["joints_2d"][view][inside]).max() < 2e-3
            assert close(pinhole(image["K"], label["joints_cam"]), sample, view, -HALF)
            mask = table.annToMask(label)
            assert np.array_equal(mask, sample["mask"][view]) and label["area"] == mask.sum()
            x, y, w, h = label["bbox"]
            assert [x, y, x + w, y + h] == bounds_of_mask(mask)
            assert picture(
                (exported(kind) / "images" / split / image["file_name"]).read_bytes()
            ).shape == mask.shape + (3,)
            if kind == "coco-wholebody":
                other = {"left": "right", "right": "left"}[hand]
                assert label[f"{hand}hand_valid"] and label[f"{hand}hand_box"] == label["bbox"]
                assert not label[f"{other}hand_valid"] and label[f"{other}hand_kpts"] == [0] * 63
                assert (len(label["keypoints"]), len(label["face_kpts"]), len(label["foot_kpts"])) == (51, 204, 18)
    capsys.readouterr()


def test_pycocotools_scores_the_labels_against_themselves_as_perfect(exported, capsys):
    coco = pytest.importorskip("pycocotools.coco", reason="pycocotools is not installed")
    from pycocotools.cocoeval import COCOeval

    truth = coco.COCO(str(exported("coco") / "annotations" / "train.json"))
    found = truth.loadRes([label | {"score": 1.0} for label in truth.loadAnns(truth.getAnnIds())])
    judged = COCOeval(truth, found, "keypoints")
    judged.params.kpt_oks_sigmas = np.full(21, 0.035)
    judged.evaluate()
    judged.accumulate()
    judged.summarize()
    assert judged.stats[0] == pytest.approx(1.0)
    assert truth.loadCats(1)[0]["keypoints"] == list(JOINT_NAMES)
    capsys.readouterr()


# ---- meshes


@pytest.mark.parametrize("kind", ["obj", "ply", "glb"])
def test_meshes_open_with_trimesh_and_cover_the_mask(kind, exported, samples):
    for sample in samples:
        path = exported(kind) / sample["meta"]["split"] / f"{sample['meta']['sample']:07d}.{kind}"
        mesh = trimesh.load(path, force="mesh", process=False)
        vertices = np.array(mesh.vertices)
        if kind == "glb":  # its +y is our +z
            vertices = vertices @ np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]]).T
        assert np.abs(vertices - sample["vertices_world"]).max() < 1e-6
        assert np.array_equal(mesh.faces, outward(load_asset().faces, sample["meta"]["hand"]))
        local = vertices @ sample["world_to_cam"][0, :3, :3].T + sample["world_to_cam"][0, :3, 3]
        assert bounds_of(pinhole(sample["K"][0], local)) == pytest.approx(
            bounds_of_mask(sample["amodal_mask"][0]), abs=1.01
        )
        assert mesh.volume > 0  # outside is outside, of left hands too


def test_joints_of_a_glb_are_nodes_by_their_names(exported, samples):
    scene = trimesh.load(exported("glb") / "train" / "0000000.glb")
    for joint, place in zip(JOINT_NAMES, samples[0]["joints_world"]):
        x, y, z = scene.graph.get(joint)[0][:3, 3]
        assert [x, -z, y] == pytest.approx(place.tolist(), abs=1e-6)
