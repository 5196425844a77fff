"""Draw docs/images/exports.png: one photograph from six exports, with the joints where the numbers of each put them.

Run from the root of the repository on a shard or folder of shards: python -m docs.figures.exports DATA
"""

from __future__ import annotations

import json
import pickle
import sys
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

import cv2
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pyarrow.parquet as pq

from dataset_tools.export.run import export
from rigging.joints import JOINT_PARENTS
from rigging.poses.readers.permutations import to_canonical

OUT = Path(__file__).parents[1] / "images" / "exports.png"
VIEW, SPLIT = 5, "train"
COLOURS = ("#9aa4ad", "#e4572e", "#f3a712", "#4aa96c", "#2e86ab", "#8e5ea2")  # wrist, thumb to little finger

Seen = tuple[bytes, np.ndarray, float]  # JPEG; joints (21, 2) px in our order; where the first pixel's centre is


def pinhole(K: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Pixels (N, 2) of points (N, 3) in a camera's frame."""
    rows = points @ np.asarray(K).T
    return rows[:, :2] / rows[:, 2:]


def moved(points: np.ndarray, world_to_cam: np.ndarray) -> np.ndarray:
    """Points (N, 3) by a matrix (4, 4)."""
    return points @ world_to_cam[:3, :3].T + world_to_cam[:3, 3]


def webdataset(folder: Path) -> Seen:
    """Of the first sample."""
    with tarfile.open(sorted(folder.glob(f"{SPLIT}-*.tar"))[0]) as tar:
        files = {name.partition(".")[2]: tar.extractfile(name).read() for name in tar.getnames()[:10]}
    labels = np.load(BytesIO(files["labels.npz"]))
    local = moved(labels["joints_world"], labels["world_to_cam"][VIEW])
    return files[f"{VIEW}.jpg"], pinhole(labels["K"][VIEW], local), 0.5


def huggingface(folder: Path) -> Seen:
    """Of the first row."""
    row = pq.read_table(sorted((folder / "data").glob(f"{SPLIT}-*"))[0]).slice(0, 1).to_pylist()[0]
    local = moved(np.array(row["joints_world"]), np.array(row["world_to_cam"][VIEW]))
    return row["rgb"][VIEW]["bytes"], pinhole(row["K"][VIEW], local), 0.5


def freihand(folder: Path) -> Seen:
    """Of the picture of that number."""
    K, xyz = (json.loads((folder / SPLIT / f"training_{name}.json").read_text())[VIEW] for name in ("K", "xyz"))
    data = (folder / SPLIT / "training" / "rgb" / f"{VIEW:08d}.jpg").read_bytes()
    return data, pinhole(np.array(K), np.array(xyz)), 0.0


def interhand(folder: Path) -> Seen:
    """Of the image of that number."""
    data, cameras, joints = (
        json.loads((folder / "annotations" / SPLIT / f"InterHand2.6M_{SPLIT}_{name}.json").read_text())
        for name in ("data", "camera", "joint_3d")
    )
    image = data["images"][VIEW]
    camera = {name: np.array(of[image["camera"]]) for name, of in cameras[str(image["capture"])].items()}
    world = np.array(joints[str(image["capture"])][str(image["frame_idx"])]["world_coord"])
    world = world[21:] if data["annotations"][VIEW]["hand_type"] == "left" else world[:21]
    local = to_canonical("interhand", (world - camera["campos"]) @ camera["camrot"].T)
    jpeg = (folder / "images" / SPLIT / image["file_name"]).read_bytes()
    return jpeg, local[:, :2] / local[:, 2:] * camera["focal"] + camera["princpt"], 0.0


def coco(folder: Path) -> Seen:
    """Of the image of that number."""
    table = json.loads((folder / "annotations" / f"{SPLIT}.json").read_text())
    points = np.reshape(table["annotations"][VIEW]["keypoints"], (21, 3))[:, :2]
    return (folder / "images" / SPLIT / table["images"][VIEW]["file_name"]).read_bytes(), points, 0.0


def hamer(folder: Path) -> Seen:
    """Of the key of that number; this project wrote the pickle a moment ago."""
    with tarfile.open(sorted(folder.glob(f"{SPLIT}-*.tar"))[0]) as tar:
        jpeg, hands = (tar.extractfile(name).read() for name in tar.getnames()[2 * VIEW : 2 * VIEW + 2])
    return jpeg, pickle.loads(hands)[0]["keypoints_2d"][:, :2], 0.0


READERS = {
    "webdataset": webdataset, "huggingface": huggingface, "freihand": freihand, "interhand": interhand, "coco": coco,
    "hamer": hamer,
}  # fmt: skip


def draw(axes: plt.Axes, name: str, seen: Seen) -> None:
    """The photograph, with its first pixel's centre where the format says, and the bones by finger."""
    jpeg, joints, centre = seen
    rgb = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    height, width = rgb.shape[:2]
    start = centre - 0.5
    axes.imshow(rgb, extent=(start, start + width, start + height, start), interpolation="nearest")
    for joint, parent in enumerate(JOINT_PARENTS[1:], start=1):
        colour = COLOURS[(joint + 3) // 4]
        axes.plot(*joints[[parent, joint]].T, color=colour, linewidth=1.6)
        axes.plot(*joints[joint], "o", color=colour, markersize=3)
    axes.set_title(name, fontsize=10)
    axes.axis("off")


def main(data: Path) -> None:
    """Export, read, draw."""
    figure, grid = plt.subplots(2, 3, figsize=(8.4, 5.9), layout="constrained")
    with tempfile.TemporaryDirectory() as folder:
        for axes, (name, read) in zip(grid.flat, READERS.items()):
            draw(axes, name, read(export(name, data, Path(folder) / name).parent))
    figure.savefig(OUT, dpi=100, metadata={"Software": None})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
