"""What the pages know, as classic scripts: a page opened from a folder may run scripts, but not fetch data."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..load.dataset import HandDataset
from ..load.index import SampleIndex
from ..pictures.drawing import joint_colours, part_colours
from .layers import COLUMNS, LAYERS, ranges

Sample = dict[str, Any]
CODED = (
    "split",
    "clip",
    "hand",
    "pose_source",
    "source_frame",
    "arm_style",
    "background",
    "light",
    "verdict",
    "gesture",
)
PLAIN = ("shard", "row", "sample", "subject", "pair", "pair_role", "monk_bin")
LONGEST = 65535  # of a coordinate in 16 bits


def index_script(index: SampleIndex, gestures: list[str], facts: Mapping[str, Any]) -> bytes:
    """The release's `facts` and a row for every sample; of texts a table, and for each row its place there."""
    columns: dict[str, Any] = {name: index[name].tolist() for name in PLAIN}
    for name in CODED:
        values, codes = np.unique(gestures if name == "gesture" else index[name], return_inverse=True)
        columns[name] = {"values": [str(value) for value in values], "codes": codes.tolist()}
    return script("mvhm.index = ", {**facts, "count": len(index), "columns": columns})


def model_script(dataset: HandDataset) -> bytes:
    """What all samples share: triangles, parts, names, colours, and how sheets are laid out."""
    fields = {
        "faces": packed(dataset.faces.astype("<u2")), "face_part": packed(dataset.face_part.astype(np.uint8)),
        "arm_faces": packed(dataset.arm_faces.astype("<u2")), "joint_names": list(dataset.joint_names),
        "joint_parents": [int(parent) for parent in dataset.joint_parents], "part_names": list(dataset.part_names),
        "joint_colours": joint_colours().tolist(), "part_colours": part_colours().tolist(),
        "sheet_columns": COLUMNS, "layers": list(LAYERS), "sizes": {name: dataset.sizes[name] for name in "VHW"},
    }  # fmt: skip
    return script("mvhm.model = ", fields)


def sample_script(key: str, sample: Sample, layers: list[str]) -> bytes:
    """What the page of sample `key` draws, measures and tells."""
    fields = {
        "K": drawable(sample["K"], 4), "world_to_cam": drawable(sample["world_to_cam"][:, :3], 8),
        "joints_world": drawable(sample["joints_world"], 6), "joints_2d": drawable(sample["joints_2d"], 3),
        "joints_z": drawable(sample["joints_cam"][..., 2], 5),
        "joint_visible": sample["joint_visible"].astype(int).tolist(),
        "joint_in_frame": sample["joint_in_frame"].astype(int).tolist(),
        "vertices": quantised(sample["vertices_world"]), "arm_vertices": quantised(sample["arm_vertices_world"]),
        "layers": layers, "ranges": ranges(sample), "meta": {k: told(v) for k, v in sample["meta"].items()},
    }  # fmt: skip
    if "distortion" in sample:
        fields["distortion"] = drawable(sample["distortion"], 9)
    return script(f"mvhm.receive({json.dumps(key)}, ", fields, ")")


def quantised(points: np.ndarray) -> dict[str, Any]:
    """Points (N, 3) m as whole numbers of 16 bits between their least and greatest coordinate: 0.01 mm within 0.6 m."""
    points = np.nan_to_num(points.astype(float), posinf=0, neginf=0)
    low, high = points.min(0), points.max(0)
    steps = np.rint((points - low) / np.maximum(high - low, 1e-9) * LONGEST)
    return {"low": low.round(7).tolist(), "high": high.round(7).tolist(), "steps": packed(steps.astype("<u2"))}


def drawable(values: np.ndarray, digits: int) -> list:
    """Numbers (...) as nested lists; what is not finite is 0: a sample that failed validation is shown, too."""
    return np.nan_to_num(values.astype(float), posinf=0, neginf=0).round(digits).tolist()


def packed(array: np.ndarray) -> str:
    """An array (...) as base64 of its bytes."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def told(value: Any) -> Any:
    """A metadata value (an array (...) or not) as JSON can hold it, and JSON texts as what they say."""
    if isinstance(value, np.ndarray):
        return [told(one) for one in value.astype(float).tolist()] if value.ndim < 2 else [told(row) for row in value]
    if isinstance(value, str) and value.startswith("{"):
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            return value
    if isinstance(value, float):
        return round(value, 5) if math.isfinite(value) else str(value)
    return value


def script(before: str, fields: Any, after: str = "") -> bytes:
    """A script of one statement; text as ASCII, so that no server can misread it."""
    body = json.dumps(fields, separators=(",", ":"), allow_nan=False)
    return f"window.mvhm = window.mvhm || {{}};\n{before}{body}{after};\n".encode("ascii")
