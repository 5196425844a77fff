"""WebDataset, HaMeR's tars and Parquet, read by webdataset and datasets, and projected again by their own numbers."""

from __future__ import annotations

import numpy as np
import pytest
from reprojected import HALF, VIEWS, close, pinhole

# ---- tars


def read_tars(folder, split):
    wds = pytest.importorskip("webdataset", reason="webdataset is not installed")
    tars = sorted(map(str, folder.glob(f"{split}-*.tar")))
    return list(wds.WebDataset(tars, shardshuffle=False).decode("rgb8"))


def test_webdataset_holds_what_the_loader_gives(exported, samples):
    train, test = (read_tars(exported("webdataset"), split) for split in ("train", "test_pose"))
    assert [item["__key__"] for item in (*train, *test)] == ["0000000", "0000001", "0000003", "0000002"]
    for item, sample in zip((*train, *test), samples):
        labels = item["labels.npz"]
        for name in set(labels) - {"faces"}:
            assert labels[name].dtype == sample[name].dtype and np.array_equal(labels[name], sample[name]), name
        assert item["meta.json"]["hand"] == sample["meta"]["hand"]
        for view in VIEWS:
            assert np.abs(item[f"{view}.jpg"].astype(int) - sample["rgb"][view]).max() <= 3  # decoders differ by that
            local = (
                labels["joints_world"] @ labels["world_to_cam"][view, :3, :3].T + labels["world_to_cam"][view, :3, 3]
            )
            assert close(pinhole(labels["K"][view], local), sample, view)


def test_hamers_tars_hold_what_its_loader_asks_for(exported, samples):
    items = [item for split in ("train", "test_pose") for item in read_tars(exported("hamer"), split)]
    assert len(items) == 32
    for number, item in enumerate(items):
        sample, view = samples[number // 8], number % 8
        assert item["__key__"] == f"{sample['meta']['sample']:07d}-{view}" and item["jpg"].shape == (64, 64, 3)
        (hand,) = item["data.pyd"]
        assert hand["keypoints_2d"].shape == (21, 3) and hand["keypoints_3d"].shape == (21, 4)
        assert close(hand["keypoints_2d"][:, :2], sample, view, -HALF)
        assert np.array_equal(hand["keypoints_2d"][:, 2] > 0, sample["joint_in_frame"][view])
        K = sample["K"][view] - [[0, 0, HALF], [0, 0, HALF], [0, 0, 0]]
        assert close(pinhole(K, hand["keypoints_3d"][:, :3]), sample, view, -HALF)
        assert hand["right"] == (sample["meta"]["hand"] == "right")
        assert (hand["has_hand_pose"], hand["has_betas"]) == (0, 0)
        assert not hand["hand_pose"].any() and hand["hand_pose"].shape == (48,) and hand["betas"].shape == (10,)
        size = np.ptp(sample["joints_2d"][view], axis=0)
        assert np.allclose(200 * hand["scale"], 2 * size, atol=1e-3) and hand["scale"].min() * 200 > 1
        # its loader: .get("extra_info", {}).get("fitting_loss", np.array({})).item()
        assert hand["extra_info"].get("fitting_loss", np.array({})).item() == {}


# ---- Parquet


def test_parquet_opens_with_datasets_and_its_images_decode(exported, samples, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets", reason="datasets is not installed")
    opened = datasets.load_dataset(str(exported("huggingface")), cache_dir=str(tmp_path))
    assert {split: rows.num_rows for split, rows in opened.items()} == {"train": 3, "test_pose": 1}
    for row, sample in zip([*opened["train"], *opened["test_pose"]], samples):
        assert (row["sample"], row["hand"]) == (sample["meta"]["sample"], sample["meta"]["hand"])
        for view in VIEWS:
            assert np.abs(np.asarray(row["rgb"][view]).astype(int) - sample["rgb"][view]).max() <= 3
            assert np.array_equal(np.asarray(row["parts"][view]), sample["parts"][view])
            depth = np.asarray(row["depth"][view]) * 1e-4
            assert np.abs(depth - sample["depth"][view]).max() < 0.51e-4
            world_to_cam = np.array(row["world_to_cam"][view])
            local = np.array(row["joints_world"]) @ world_to_cam[:3, :3].T + world_to_cam[:3, 3]
            assert close(pinhole(row["K"][view], local), sample, view)
        assert np.array_equal(np.float32(row["vertices_world"]), sample["vertices_world"])
