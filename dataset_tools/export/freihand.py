"""FreiHAND's layout (Zimmermann et al., ICCV 2019): a root per split, with SET/rgb, SET/mask and tables SET_*.json.

SET is `training` for the split `train`, else `evaluation`: these two are all that its code knows. Every hand there is
right, so left ones are mirrored, picture and all. Row i of each table is rgb/i.jpg: view by view, sample by sample.
There is no MANO hand, so no SET_mano.json, and the mesh has its own vertices, not 778.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np

from ..format.codecs import encode_jpeg
from ..load.transforms import mirror
from .conventions import Convention
from .folder import put
from .source import Part, Sample, Source
from .target import PART_RECORDS, Record, Target, dumps, listed, put_text, records_of, write_records

FIELDS = ("mask", "joints_world", "vertices_world", "K", "world_to_cam")
TABLES = ("K", "xyz", "verts", "scale")
SCALE_BONE = (9, 10)  # the middle finger's proximal phalanx: its length is FreiHAND's scale


def set_name(split: str) -> str:
    """FreiHAND's name for a split."""
    return "training" if split == "train" else "evaluation"


def write(samples: Iterable[Sample], part: Part, convention: Convention, file: BinaryIO, out: Path) -> None:
    """The pictures of a part, and its rows of the tables."""
    write_records(_rows(samples, part, convention, out), file)


def _rows(samples: Iterable[Sample], part: Part, convention: Convention, out: Path) -> Iterator[Record]:
    folder = out / part.split / set_name(part.split)
    for sample in samples:
        values, pictures = as_right(sample)
        for view, row in enumerate(rows(values, convention)):
            name = f"{sample.position * len(pictures) + view:08d}.jpg"
            put(folder / "rgb" / name, pictures[view])
            put(folder / "mask" / name, encode_jpeg(_grey(values["mask"][view]))["jpeg"][0])
            yield {table: dumps(row[table]) for table in TABLES}  # as text: verts are long, and not read again


def as_right(sample: Sample) -> tuple[Mapping[str, Any], tuple[bytes, ...]]:
    """Fields and photographs of a right hand; those of a left one are mirrored, and compressed once more."""
    if not sample.left:
        return sample.values, sample.pictures
    rgb = [cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1] for data in sample.pictures]
    mirrored = mirror({**sample.values, "rgb": np.stack(rgb)})
    return mirrored, tuple(encode_jpeg(mirrored["rgb"])["jpeg"])


def rows(values: Mapping[str, Any], convention: Convention) -> list[Record]:
    """For each view K (3, 3) px, xyz (21, 3) m and verts (N, 3) m in the camera's frame, and scale in m."""
    K = convention.intrinsics(values["K"])
    joints = convention.joints(convention.points(values["joints_world"], values["world_to_cam"]))
    vertices = convention.points(values["vertices_world"], values["world_to_cam"])
    scale = float(np.linalg.norm(np.subtract(*values["joints_world"][list(SCALE_BONE)].astype(float))))
    return [
        {"K": K[v].tolist(), "xyz": joints[v].tolist(), "verts": np.round(vertices[v], 6).tolist(), "scale": scale}
        for v in range(len(K))
    ]


def finish(source: Source, convention: Convention, out: Path) -> None:
    """The tables of each split."""
    for split in source.splits:
        for table in TABLES:
            values = (record[table] for record in records_of(source, split, out))
            put_text(out / split / f"{set_name(split)}_{table}.json", listed(values))


def _grey(mask: np.ndarray) -> np.ndarray:
    """A mask (H, W) as a picture (1, H, W, 3)."""
    return np.repeat(255 * mask.astype(np.uint8)[None, ..., None], 3, axis=-1)


def target(source: Source) -> Target:
    """The format."""
    return Target(FIELDS, PART_RECORDS, write, finish)
