"""Writes samples of ours as RHD, FreiHAND, HanCo and Dexter+Object are published; see `real_layouts`.

Written from what the data sets' own code says of its files, apart from the readers: other formulas, and OpenCV's.
"""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import cv2
import numpy as np
from real_layouts import retaken, write_picture

from dataset_tools.load.transforms import mirror

# Points as RHD publishes a hand: the wrist, then each finger from its tip to the palm.
RHD_ORDER = [0, 4, 3, 2, 1, 8, 7, 6, 5, 12, 11, 10, 9, 16, 15, 14, 13, 20, 19, 18, 17]
RHD_CAMERA = np.array([[410.0, 0, 160], [0, 410.0, 160], [0, 0, 1]])  # rendered: 160 is the middle of 320 px
FREIHAND_CAMERA = np.array([[388.9, 0, 112], [0, 388.7, 112], [0, 0, 1]])
HANCO_CAMERA = np.array([[301.2, 0, 115.5], [0, 300.8, 108.25], [0, 0, 1]])
DEXTER_COLOUR = np.array([[587.45209, 0, 325], [0, 600.67456, 249], [0, 0, 1]])
DEXTER_POSE = np.array(
    [[0.9999, 0.0034, 0.0161, 19.0473], [-0.0033, 1.0, -0.0079, -1.8514], [-0.0162, 0.0079, 0.9998, -4.7501]]
)
DEXTER_DEPTH = np.array([[224.502, 0, 160], [0, 230.494, 120], [0, 0, 1]])
NOTHING = 32001.0  # mm, the depth camera's


def write_rhd(root: Path, folders: dict[str, list[dict]], left: bool = True, view: int = 0) -> None:
    """Samples of right hands, as left ones if so, beside a hand that is farther off and has fewer pixels."""
    for folder, samples in folders.items():
        for kind in ("color", "mask"):
            (root / folder / kind).mkdir(parents=True)
        labels = {}
        for number, given in enumerate(samples):
            sample = mirror({name: value for name, value in given.items() if name != "meta"}) if left else given
            rgb, K, own = sample["rgb"][view], sample["K"][view], sample["joints_cam"][view][RHD_ORDER].astype(float)
            centred = RHD_CAMERA - [[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]]  # as OpenCV counts pixels
            write_picture(root / folder / "color" / f"{number:05d}.png", retaken(rgb, K, centred, size=(320, 320)))
            grey = np.repeat(np.uint8(255) * sample["mask"][view][..., None], 3, -1)
            inside = retaken(grey, K, centred, size=(320, 320), border=0)[..., 0] > 127
            parts = np.where(inside, 9 if left else 30, 1).astype(np.uint8)  # 1 is the person
            parts[:6, :6] = 30 if left else 9
            cv2.imwrite(str(root / folder / "mask" / f"{number:05d}.png"), parts)
            other = own + [0.3, 0, 0.5]
            xyz = np.concatenate([own, other] if left else [other, own])
            uv = xyz @ RHD_CAMERA.T
            seen = np.arange(42) % 2 == 0
            entry = {"xyz": xyz, "uv_vis": np.c_[uv[:, :2] / uv[:, 2:], seen], "K": RHD_CAMERA.astype(np.float32)}
            labels[number] = entry
        (root / folder / f"anno_{folder}.pickle").write_bytes(pickle.dumps(labels, protocol=2))


def write_freihand(root: Path, training: list[dict], evaluation: list[dict], view: int = 0) -> None:
    """Samples of right hands; all four versions of a training sample show the same picture, tinted."""
    for folder, samples, versions in (("training", training, 4), ("evaluation", evaluation, 1)):
        (root / folder / "rgb").mkdir(parents=True)
        for number, sample in enumerate(samples):
            picture = retaken(sample["rgb"][view], sample["K"][view], FREIHAND_CAMERA, size=(224, 224))
            for version in range(versions):
                tinted = np.clip(picture.astype(int) + 5 * version, 0, 255).astype(np.uint8)
                write_picture(root / folder / "rgb" / f"{number + version * len(samples):08d}.jpg", tinted)
        joints = [sample["joints_cam"][view].astype(float).tolist() for sample in samples]
        (root / f"{folder}_xyz.json").write_text(json.dumps(joints))
        (root / f"{folder}_K.json").write_text(json.dumps([FREIHAND_CAMERA.tolist()] * len(samples)))


def write_hanco(root: Path, sequences: dict[int, list[dict]], total: int = 1518) -> None:
    """Samples of eight views; a frame of each sequence before them has no fit and no files, as there are such."""
    meta = {key: [[] for _ in range(total)] for key in ("is_train", "subject_id", "is_valid", "object_id", "has_fit")}
    for number, samples in sequences.items():
        values = {"is_train": True, "subject_id": number % 11, "is_valid": False, "object_id": None, "has_fit": False}
        for frame in range(len(samples) + 1):
            values |= {"has_fit": frame > 0, "is_valid": frame == 1}
            for key, value in values.items():
                meta[key][number].append(value)
        for frame, sample in enumerate(samples, 1):
            tail = f"{number:04d}/{frame:08d}.json"
            calib = {"K": [HANCO_CAMERA.tolist()] * 8, "M": sample["world_to_cam"].tolist()}
            for kind, content in (("xyz", sample["joints_world"].astype(float).tolist()), ("calib", calib)):
                (root / kind / f"{number:04d}").mkdir(parents=True, exist_ok=True)
                (root / kind / tail).write_text(json.dumps(content))
            for camera in range(8):
                folder = root / "rgb" / f"{number:04d}" / f"cam{camera}"
                folder.mkdir(parents=True, exist_ok=True)
                picture = retaken(sample["rgb"][camera], sample["K"][camera], HANCO_CAMERA, size=(224, 224))
                write_picture(folder / f"{frame:08d}.jpg", picture)
    (root / "meta.json").write_text(json.dumps(meta))


def write_dexter(
    root: Path, sequences: dict[str, list[dict]], signs: tuple[int, int] = (-1, -1), view: int = 0
) -> None:
    """Samples of right hands as left ones: tips in the depth camera's axes, and eight more points of a cuboid.

    The second tip of the second frame was not measured.
    """
    turn, shift = DEXTER_POSE[:, :3], DEXTER_POSE[:, 3]
    u, _, vt = np.linalg.svd(turn)
    for name, samples in sequences.items():
        folder = root / "data" / name
        for kind in ("color", "annotations"):
            (folder / kind).mkdir(parents=True)
        rows = {"2D": [], "3D": []}
        for frame, given in enumerate(samples):
            sample = mirror({name: value for name, value in given.items() if name != "meta"})
            write_picture(
                folder / "color" / f"image_{frame:04d}_color.png",
                retaken(sample["rgb"][view], sample["K"][view], DEXTER_COLOUR),
            )
            tips = sample["joints_cam"][view][[4, 8, 12, 16, 20]].astype(float)
            depth = (1000 * tips - shift) @ (u @ vt)  # rows: R^T (x - t)
            pixels = cv2.projectPoints(depth, np.zeros(3), np.zeros(3), DEXTER_DEPTH, None)[0][:, 0]
            depth = depth * [*signs, 1]
            if frame == 1:
                depth[1] = [0.0, 0.0, NOTHING]
            rows["3D"].append(_row([*depth, *np.ones((3, 3))]))
            rows["2D"].append(_row([*pixels, *np.ones((3, 2))]))
        for kind, lines in rows.items():
            (folder / "annotations" / f"{name}{kind}.txt").write_text("\n".join(lines) + "\n")


def _row(points: list[np.ndarray]) -> str:
    return "; ".join(", ".join(f"{x:.6f}" for x in point) for point in points) + ";"
