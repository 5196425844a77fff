"""InterHand2.6M's layout (Moon et al., ECCV 2020): images/ and annotations/SPLIT/InterHand2.6M_SPLIT_*.json.

Cameras stand still within a capture there, so each of our pairs or clips, which share theirs, is one; a frame is a
sample, and a camera a view. Of its 42 joints, the right hand's first, those of the hand that is not there are invalid.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from rigging.errors import InputError
from rigging.joints import JOINT_NAMES, JOINT_PARENTS

from .boxes import mask_box
from .conventions import CONVENTIONS, Convention
from .folder import put
from .source import Part, Sample, Source
from .target import PART_RECORDS, Record, Target, dumps, keyed, listed, put_text, records_of, write_records

FIELDS = ("mask", "joints_world", "joint_in_frame", "K", "world_to_cam")
SIDES = ("right", "left")  # in the order of its 42 joints


def write(samples: Iterable[Sample], part: Part, convention: Convention, file: BinaryIO, out: Path) -> None:
    """The pictures of a part, and a record of each sample."""
    write_records(_records(samples, part, convention, out), file)


def _records(samples: Iterable[Sample], part: Part, convention: Convention, out: Path) -> Iterator[Record]:
    for sample in samples:
        meta = sample.values["meta"]
        names = [picture_name(meta, view) for view in range(len(sample.pictures))]
        for name, picture in zip(names, sample.pictures):
            put(out / "images" / part.split / name, picture)
        yield {
            "meta": {name: meta[name] for name in ("sample", "pair", "subject", "clip", "hand")},
            "names": names,
            "boxes": [mask_box(mask) for mask in sample.values["mask"]],
            "inside": both_hands(convention.joints(sample.values["joint_in_frame"][..., None]), sample.left).tolist(),
            "cameras": cameras(sample, convention),
            "joints": joints_of(sample, convention),
        }


def picture_name(meta: dict[str, Any], view: int) -> str:
    """Where the photograph of a view is in images/SPLIT."""
    return f"Capture{meta['pair']}/sequence{meta['pair']}/cam{view}/image{meta['sample']}.jpg"


def both_hands(values: np.ndarray, left: bool) -> np.ndarray:
    """Values (..., 21, D) of one hand among zeros for the other: (..., 42, D)."""
    nothing = np.zeros_like(values)
    return np.concatenate([nothing, values] if left else [values, nothing], axis=-2)


def joints_of(sample: Sample, convention: Convention) -> Record:
    """world_coord (42, 3) mm and joint_valid (42, 1) of a sample, as joint_3d.json has them."""
    values = sample.values
    points = convention.joints(convention.points(values["joints_world"], values["world_to_cam"])[0])
    return {
        "world_coord": both_hands(points, sample.left).tolist(),
        "joint_valid": both_hands(np.ones((21, 1), int), sample.left).tolist(),
        "hand_type": values["meta"]["hand"],
        "hand_type_valid": True,
    }


def cameras(sample: Sample, convention: Convention) -> dict[str, dict[str, list]]:
    """campos (3,) mm, camrot (3, 3), focal (2,) px and princpt (2,) px by view: a point is camrot (X - campos)."""
    K, poses = convention.intrinsics(sample.values["K"]), sample.values["world_to_cam"]
    turns = poses[:, :3, :3]
    places = -np.einsum("vji,vj->vi", turns, poses[:, :3, 3]) * convention.units
    tables = {"campos": places, "camrot": turns, "focal": K[:, [0, 1], [0, 1]], "princpt": K[:, :2, 2]}
    return {name: {str(v): row.tolist() for v, row in enumerate(table)} for name, table in tables.items()}


def finish(source: Source, convention: Convention, out: Path) -> None:
    """The tables of each split, and the skeleton."""
    for split in source.splits:
        start = f"InterHand2.6M_{split}_"
        images = listed(
            dumps(image) for record in records_of(source, split, out) for image in images_of(record, source)
        )
        labels = listed(
            dumps(label) for record in records_of(source, split, out) for label in labels_of(record, source)
        )
        cameras = keyed((name, dumps(records[0]["cameras"])) for name, records in captures(source, split, out))
        joints = keyed((name, dumps(frames_of(records))) for name, records in captures(source, split, out))
        folder = out / "annotations" / split
        put_text(folder / f"{start}data.json", chain(['{"images":'], images, [',"annotations":'], labels, ["}"]))
        put_text(folder / f"{start}camera.json", cameras)
        put_text(folder / f"{start}joint_3d.json", joints)
    put_text(out / "annotations" / "skeleton.txt", [skeleton()])


def captures(source: Source, split: str, out: Path) -> Iterator[tuple[str, list[Record]]]:
    """The records of each pair or clip of a split. Raises InputError where one is torn, or its cameras move."""
    seen = set()
    for pair, group in groupby(records_of(source, split, out), lambda record: record["meta"]["pair"]):
        records = list(group)
        if pair in seen or any(record["cameras"] != records[0]["cameras"] for record in records):
            raise InputError(
                f"{source.path}: pair {pair} is torn or has moving cameras; a capture has one set of cameras"
            )
        seen.add(pair)
        yield str(pair), records


def frames_of(records: list[Record]) -> dict[str, Record]:
    """joint_3d.json of a capture."""
    return {str(record["meta"]["sample"]): record["joints"] for record in records}


def images_of(record: Record, source: Source) -> list[Record]:
    """`images` of data.json, of one sample."""
    meta, sizes = record["meta"], source.sizes
    same = {
        "width": sizes["W"], "height": sizes["H"], "capture": meta["pair"], "subject": meta["subject"],
        "seq_name": f"sequence{meta['pair']}", "frame_idx": meta["sample"],
    }  # fmt: skip
    return [
        {"id": meta["sample"] * sizes["V"] + view + 1, "file_name": name, "camera": str(view), **same}
        for view, name in enumerate(record["names"])
    ]


def labels_of(record: Record, source: Source) -> list[Record]:
    """`annotations` of data.json, of one sample."""
    hand, first = record["meta"]["hand"], record["meta"]["sample"] * source.sizes["V"] + 1
    return [
        {
            "id": first + view, "image_id": first + view, "bbox": box, "hand_type": hand, "hand_type_valid": 1,
            "joint_valid": [int(row[0]) for row in inside],
        }
        for view, (box, inside) in enumerate(zip(record["boxes"], record["inside"]))
    ]  # fmt: skip


def skeleton() -> str:
    """skeleton.txt: name, number and parent of the 42 joints, parents by this format's numbers, -1 for wrists."""
    places = CONVENTIONS["interhand"].joints(np.arange(21)[:, None])[:, 0].tolist()  # our joint at each number
    lines = ["# name number parent"]
    for hand, side in enumerate(SIDES):
        for number, ours in enumerate(places):
            parent = JOINT_PARENTS[ours]
            above = -1 if parent < 0 else 21 * hand + places.index(parent)
            lines.append(f"{side[0]}_{JOINT_NAMES[ours]} {21 * hand + number} {above}")
    return "\n".join(lines) + "\n"


def target(source: Source) -> Target:
    """The format."""
    return Target(FIELDS, PART_RECORDS, write, finish)
