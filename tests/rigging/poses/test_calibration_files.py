"""Calibrations in each layout that is read: the same cameras whatever file tells them, and faults in one line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rigging.errors import InputError
from rigging.poses.readers.calibration import read_calibration

VIEWS = 3


def cameras() -> tuple[np.ndarray, np.ndarray]:
    """K and world_to_cam of cameras around (0, 0, 1), metres."""
    K, poses = np.tile(np.eye(3), (VIEWS, 1, 1)), np.tile(np.eye(4), (VIEWS, 1, 1))
    for view in range(VIEWS):
        angle = 0.5 * view
        c, s = np.cos(angle), np.sin(angle)
        poses[view, :3, :3] = [[c, 0, s], [0, 1, 0], [-s, 0, c]]
        poses[view, :3, 3] = (0.0, 0.01 * view, 0.9) - poses[view, :3, :3] @ (0, 0, 1.0)
        K[view] = [[480 + view, 0, 112], [0, 481, 110], [0, 0, 1]]
    return K, poses


def write_json(path: Path, table: dict) -> Path:
    path.write_text(json.dumps(table))
    return path


def ours(folder: Path) -> Path:
    K, poses = cameras()
    return write_json(folder / "rig.json", {"K": K.tolist(), "world_to_cam": poses.tolist(), "image_size": [224, 220]})


def ours_npz(folder: Path) -> Path:
    K, poses = cameras()
    np.savez(folder / "rig.npz", K=K, world_to_cam=poses[:, :3], image_size=np.tile([224, 220], (VIEWS, 1)))
    return folder / "rig.npz"


def hanco(folder: Path) -> Path:
    K, poses = cameras()
    return write_json(folder / "00000003.json", {"K": K.tolist(), "M": poses.tolist()})


def interhand(folder: Path) -> Path:
    K, poses = cameras()
    turns = poses[:, :3, :3]
    places = -np.einsum("vji,vj->vi", turns, poses[:, :3, 3]) * 1000
    tables = {"campos": places, "camrot": turns, "focal": K[:, [0, 1], [0, 1]], "princpt": K[:, :2, 2]}
    first = {name: {f"40{v}": row.tolist() for v, row in enumerate(table)} for name, table in tables.items()}
    other = {name: dict(list(rows.items())[:1]) for name, rows in first.items()}
    return write_json(folder / "InterHand2.6M_val_camera.json", {"0": first, "1": other})


def dexycb(folder: Path) -> Path:
    K, poses = cameras()
    (folder / "intrinsics").mkdir()
    (folder / "extrinsics_20200702").mkdir()
    lines = ["extrinsics:", "  apriltag:", "  - 0.5", "  - 1.0e-05"]
    for view, (k, pose) in enumerate(zip(K, poses)):
        numbers = [repr(float(number)) for number in np.linalg.inv(pose)[:3].ravel()]
        serial = f"84041206091{view}"
        lines += [f"  '{serial}': [{', '.join(numbers)}]"] if view else [
            f"  '{serial}':", *(f"  - {number}" for number in numbers)]  # fmt: skip
        text = f"color:\n  fx: {k[0, 0]}\n  fy: {k[1, 1]}\n  ppx: {k[0, 2]}\n  ppy: {k[1, 2]}\ndepth:\n  fx: 1.0\n"
        (folder / "intrinsics" / f"{serial}_640x480.yml").write_text(text)
    (folder / "extrinsics_20200702" / "extrinsics.yml").write_text("\n".join([*lines, "master: '840412060910'", ""]))
    return folder


@pytest.mark.parametrize(
    ("write", "image"),
    [(ours, (224, 220)), (ours_npz, (224, 220)), (hanco, (224, 224)), (interhand, (512, 334)), (dexycb, (640, 480))],
)
def test_the_same_cameras_whatever_file_tells_them(write, image, tmp_path):
    K, poses = cameras()
    found = read_calibration(write(tmp_path))
    np.testing.assert_allclose(found.K, K)
    np.testing.assert_allclose(found.world_to_cam, poses, atol=1e-9)
    assert found.image.tolist() == [list(image)] * VIEWS


def test_an_upright_camera_of_interhand_has_an_upright_picture(tmp_path):
    table = json.loads(interhand(tmp_path).read_text())
    table["0"]["princpt"]["401"] = [165.0, 250.0]
    assert read_calibration(write_json(tmp_path / "c.json", table)).image[1].tolist() == [334, 512]


def test_cameras_are_chosen_by_name_in_that_order(tmp_path):
    path = interhand(tmp_path)
    assert read_calibration(path, ("0/402", "0/400")).names == ("0/402", "0/400")
    assert read_calibration(path, ("1/400",)).names == ("1/400",)
    with pytest.raises(InputError, match="it has no camera '0/409'; did you mean"):
        read_calibration(path, ("0/409",))


def test_extrinsics_may_be_named_themselves(tmp_path):
    found = read_calibration(dexycb(tmp_path) / "extrinsics_20200702" / "extrinsics.yml", ("840412060912",))
    np.testing.assert_allclose(found.world_to_cam[0], cameras()[1][2], atol=1e-9)


def test_sizes_of_pictures_come_from_the_file_or_are_asked_for(tmp_path):
    K, poses = cameras()
    path = write_json(tmp_path / "rig.json", {"K": K.tolist(), "world_to_cam": poses.tolist()})
    with pytest.raises(InputError, match=r"rig.json: no image_size in it; set \[cameras.free\] image"):
        read_calibration(path)
    assert read_calibration(path, image=(300, 200)).image.tolist() == [[300, 200]] * VIEWS


def shapes(folder: Path) -> Path:
    K, poses = cameras()
    return write_json(folder / "a.json", {"K": K.tolist(), "world_to_cam": poses[:2].tolist(), "image_size": [9, 9]})


def text(folder: Path) -> Path:
    (folder / "a.json").write_text('{"K": [[')
    return folder / "a.json"


def no_extrinsics(folder: Path) -> Path:
    return folder


def no_intrinsics(folder: Path) -> Path:
    next((dexycb(folder) / "intrinsics").glob("*1_640x480.yml")).unlink()
    return folder


def words(folder: Path) -> Path:
    return write_json(folder / "a.json", {"K": "none", "world_to_cam": []})


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda folder: folder / "gone.json", "gone.json: no such file"),
        (lambda folder: folder / "gone.npz", "gone.npz: no such file"),
        (text, "a.json: not a whole JSON file"),
        (lambda folder: write_json(folder / "a.json", {"K": []}), "a.json: no world_to_cam in it; allowed are"),
        (words, "a.json K: not an array of numbers"),
        (shapes, r"a.json: K \(3, 3, 3\) and world_to_cam \(2, 4, 4\)"),
        (no_extrinsics, "0 extrinsics.yml in it; name one of them"),
        (no_intrinsics, "840412060911_640x480.yml: no such file"),
    ],
)
def test_a_file_that_is_no_calibration_is_named_in_one_line(write, message, tmp_path):
    with pytest.raises((InputError, FileNotFoundError), match=message) as raised:
        read_calibration(write(tmp_path))
    assert "\n" not in str(raised.value)
