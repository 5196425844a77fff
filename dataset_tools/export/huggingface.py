"""Parquet for Hugging Face `datasets`: a row per sample, photographs as a list of images, the labels beside them.

The types of `datasets` lie in the schema's metadata, the splits in the head of README.md, so that
`datasets.load_dataset(folder)` finds both, and a Hub shows the photographs. Needs pyarrow (extra `publish`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import cv2
import numpy as np

from rigging.errors import InputError

from ..format.schema import SAMPLE_FIELDS
from .conventions import Convention
from .source import Part, Sample, Source
from .target import Target, put_text
from .webdataset import plain

if TYPE_CHECKING:
    import pyarrow as pa

PICTURES = ("parts", "depth")  # labels that are PNGs
ARRAYS = ("joints_world", "joints_2d", "joint_visible", "joint_in_frame", "vertices_world", "K", "world_to_cam")
TEXTS = ("split", "hand", "clip", "pose_source", "source_frame", "light", "background", "arm_style", "seed")
NUMBERS = ("sample", "pair", "pair_role", "subject", "hand_length", "ita", "monk_bin")
DEPTH_UNIT = 1e-4  # m: depth is stored as whole tenths of a millimetre
ROWS = 32  # of a row group: what a reader has in memory at once
DTYPES = {"str": "string"}


def columns() -> dict[str, tuple[str, int]]:
    """The columns: name -> dtype ("image", or a name that arrow and `datasets` share), and how deep its lists are."""
    out = {"rgb": ("image", 1)} | {name: ("image", 1) for name in PICTURES}
    for name in (*ARRAYS, *NUMBERS, *TEXTS):
        field = SAMPLE_FIELDS[name]
        out[name] = (DTYPES.get(field.dtype, field.dtype), len(field.shape))
    return out


def schema() -> pa.Schema:
    """The arrow schema, with the types of `datasets` in its metadata."""
    import pyarrow as pa

    fields, features = [], {}
    for name, (dtype, depth) in columns().items():
        image = pa.struct({"bytes": pa.binary(), "path": pa.string()})
        kind = image if dtype == "image" else pa.type_for_alias(dtype)
        feature: dict[str, Any] = {"_type": "Image"} if dtype == "image" else {"dtype": dtype, "_type": "Value"}
        for _ in range(depth):
            kind, feature = pa.list_(kind), {"feature": feature, "_type": "Sequence"}
        fields.append(pa.field(name, kind))
        features[name] = feature
    return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": features}})})


def row(sample: Sample) -> dict[str, Any]:
    """A sample as a row."""
    values, meta = sample.values, plain(sample.values["meta"])
    labels = {"parts": values["parts"], "depth": depth_codes(values["depth"])}
    pictures = {"rgb": [_image(data, f"{sample.key(view)}.jpg") for view, data in enumerate(sample.pictures)]}
    for name, pages in labels.items():
        pictures[name] = [_image(_png(page), f"{sample.key(view)}-{name}.png") for view, page in enumerate(pages)]
    return pictures | {name: values[name].tolist() for name in ARRAYS} | {name: meta[name] for name in NUMBERS + TEXTS}


def depth_codes(depth: np.ndarray) -> np.ndarray:
    """Depth (...) m as uint16 in tenths of a millimetre; 0 is background. Raises InputError beyond 6.5535 m."""
    codes = np.rint(depth.astype(float) / DEPTH_UNIT)
    if codes.max(initial=0) > np.iinfo(np.uint16).max:
        raise InputError(f"depth {depth.max():.2f} m: 16 bits of tenths of a millimetre end at 6.5535 m")
    return codes.astype(np.uint16)


def write(samples: Iterable[Sample], part: Part, convention: Convention, file: BinaryIO, out: Path) -> None:
    """The part as Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetWriter(file, schema(), compression="zstd") as writer:
        rows: list[dict[str, Any]] = []
        for sample in samples:
            rows.append(row(sample))
            if len(rows) == ROWS:
                writer.write_table(pa.Table.from_pylist(rows, schema()))
                rows.clear()
        if rows:
            writer.write_table(pa.Table.from_pylist(rows, schema()))


def finish(source: Source, convention: Convention, out: Path) -> None:
    """README.md, by which `load_dataset` knows the splits."""
    put_text(out / "README.md", [readme(source.splits, source.attrs)])


def readme(splits: Mapping[str, int], attrs: Mapping[str, Any]) -> str:
    """The card: which files are which split, and whose terms hold."""
    files = "".join(f"  - split: {split}\n    path: data/{split}-*.parquet\n" for split in splits)
    counts = "\n".join(f"- {split}: {count} samples" for split, count in splits.items())
    return (
        f"---\nconfigs:\n- config_name: default\n  data_files:\n{files}---\n\n# {attrs['release']}\n\n"
        f"Multi-view photographs of synthetic hands with labels, a sample a row.\n\n{counts}\n\n"
        "Metres and pixels; the centre of the top-left pixel is (0.5, 0.5); cameras look along +z, x right, y down; "
        "`world_to_cam` turns world points into a camera's. `depth` is in tenths of a millimetre, 0 is background.\n\n"
        f"Terms: {attrs['licence']}\n"
    )


def _image(data: bytes, name: str) -> dict[str, Any]:
    return {"bytes": data, "path": name}


def _png(picture: np.ndarray) -> bytes:
    return cv2.imencode(".png", picture)[1].tobytes()


def target(source: Source) -> Target:
    """The format."""
    return Target((*PICTURES, *ARRAYS), "data/{name}.parquet", write, finish, needs=("pyarrow",))
