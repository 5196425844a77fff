"""A clip as a film: one camera's photographs and a label beside them, `mvhm clip DATA`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from rigging.errors import InputError, MvhmError
from rigging.files import write_atomic

from ..format.optional import KNOWN_FIELDS
from ..load.dataset import HandDataset
from .canvas import GREY, grid, page, put, put_text, titled
from .view import PICTURES, TILE, Sample

LABELS = tuple(name for name in PICTURES if name not in ("rgb", "mesh"))  # the mesh is drawn for all views at once
FLOWS = ("flow_forward", "flow_backward")
CODECS = ("vp09", "mp4v")  # what browsers play, and what every build of OpenCV can write
NEEDED = (
    "rgb", "mask", "alpha", "parts", "depth", "normals", "joints_2d", "joint_visible", *FLOWS,
    *(f"{name}_valid" for name in FLOWS), "meta",
)  # fmt: skip


def write_film(data: Path, clip: int, out: Path, view: int = 0, label: str = "flow_forward", fps: float = 10.0) -> Path:
    """Write an mp4 of a pair or clip of the shard or folder `data`, as camera `view` sees it, and return its path.

    Raises InputError without such a clip, view or label or for an `out` of another kind; FileNotFoundError, ShardError.
    """
    if Path(out).suffix.lower() != ".mp4":
        raise InputError(f"--out {out}: a film is a .mp4")
    if label not in LABELS:
        raise InputError(f"--label {label}: there are {', '.join(LABELS)}")
    dataset = HandDataset(data, fields=NEEDED, items="clip")
    for option, value, count in (("clip", clip, len(dataset)), ("view", view, dataset.sizes["V"])):
        if not 0 <= value < count:
            raise InputError(f"--{option} {value}: {data} has {option}s 0 to {count - 1}")
    filmed = of_view(HandDataset(data, fields=NEEDED, views=[view], items="clip")[clip])
    return write_video(Path(out), frames(filmed, dataset, label, view), fps)


def of_view(clip: Sample) -> Sample:
    """A clip (T, 1, ...) of one camera as a sample whose T views are its frames, so that one scale is drawn for all."""
    single = {name for name in clip if name != "meta" and KNOWN_FIELDS[name].per == "view"}
    return {name: value[:, 0] if name in single else value for name, value in clip.items()}


def frames(filmed: Sample, dataset: HandDataset, label: str, view: int) -> list[np.ndarray]:
    """The film's T pictures (H, W, 3) uint8: photograph and label side by side under a line about them."""
    scale = max(1, round(TILE / filmed["rgb"].shape[2]))
    photographs, labels = (PICTURES[name][0](filmed, dataset, scale) for name in ("rgb", label))
    meta, (_, legend) = filmed["meta"], PICTURES[label][1](filmed)
    count, title = len(photographs), f"{dataset.attrs['release']}, clip {meta['pair'][0]}, view {view}"
    shown = _with_neighbour(filmed, label)
    return [
        titled(
            grid([photographs[t], labels[t] if shown[t] else _nothing(labels[t], label)], columns=2),
            title, f"pose {t + 1} of {count}, {label.replace('_', ' ')}", legend,
        )
        for t in range(count)
    ]  # fmt: skip


def _with_neighbour(filmed: Sample, label: str) -> np.ndarray:
    """(T,) bool: the frames that have the label; a flow ends with the clip."""
    flow = next((name for name in FLOWS if label.startswith(name)), None)
    return np.ones(len(filmed["rgb"]), bool) if flow is None else filmed[f"{flow}_valid"]


def _nothing(like: np.ndarray, label: str) -> np.ndarray:
    """What is shown in the label's place at the end that has no neighbour."""
    out = page(*like.shape[:2])
    where = "t + 1" if "forward" in label else "t - 1"
    put_text(out, f"no neighbour at {where}", like.shape[0] / 2, like.shape[1] / 2, 18, GREY, "mm")
    return out


def write_video(path: Path, pictures: Iterable[np.ndarray], fps: float) -> Path:
    """Write pictures (H, W, 3) uint8 of one size as an mp4, all of it or nothing. Raises MvhmError if none can be."""
    even = [_even(picture) for picture in pictures]
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "film.mp4"
        if not any(_encoded(draft, even, fps, codec) for codec in CODECS):
            raise MvhmError(f"{path}: this OpenCV writes no mp4 ({', '.join(CODECS)}), or the disk is full")
        write_atomic(path, draft.read_bytes())
    return path


def _even(picture: np.ndarray) -> np.ndarray:
    """The picture with as many rows and columns as video codecs take: an even number."""
    height, width = picture.shape[:2]
    out = page(height + height % 2, width + width % 2)
    put(out, picture, 0, 0)
    return out


def _encoded(path: Path, pictures: Sequence[np.ndarray], fps: float, codec: str) -> bool:
    """Whether the pictures could be written with a codec, by a count of those that are read back."""
    size: Any = pictures[0].shape[1::-1]
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*codec), fps, size)
    for picture in pictures:
        writer.write(np.ascontiguousarray(picture[..., ::-1]))
    writer.release()
    reader = cv2.VideoCapture(str(path))
    written = int(reader.get(cv2.CAP_PROP_FRAME_COUNT))
    reader.release()
    return written == len(pictures)
